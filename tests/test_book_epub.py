"""The EPUB: what a reading system checks before it shows a page. epubcheck
knows more, but takes Java and half a minute: `make check-epub`."""
import posixpath
import re
import subprocess
import xml.etree.ElementTree as xml
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"
HTML = "{http://www.w3.org/1999/xhtml}"
MATH = "{http://www.w3.org/1998/Math/MathML}"


@pytest.fixture(scope="module")
def book():
    done = subprocess.run(["make", "-s", "epub"], cwd=ROOT, text=True,
                          capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(ROOT / done.stdout.split()[-1])


@pytest.fixture(scope="module")
def package(book):
    return xml.fromstring(book.read("EPUB/content.opf"))


@pytest.fixture(scope="module")
def pages(book):
    """Path and tree of each page; broken XML would end here."""
    return {name: xml.fromstring(book.read(name))
            for name in book.namelist() if name.endswith(".xhtml")}


def items(package):
    return {item.get("id"): item for item in package.iter(OPF + "item")}


def test_the_first_file_says_what_it_is(book):
    first = book.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", 0)
    assert book.read(first) == b"application/epub+zip"


def test_the_package_lists_what_is_there(book, package):
    listed = {"EPUB/" + item.get("href") for item in items(package).values()}
    there = {name for name in book.namelist() if name.startswith("EPUB/")}
    assert listed == there - {"EPUB/content.opf"}
    assert all(ref.get("idref") in items(package)
               for ref in package.iter(OPF + "itemref"))


def test_metadata(package):
    assert package.get("version") == "3.0"
    assert package.find(f".//{DC}title").text == "Llama, Line by Line"
    assert package.find(f".//{DC}language").text == "en-GB"
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}",
                        package.find(f".//{DC}identifier").text)


def test_the_cover_is_a_picture(book, package):
    cover = [item for item in items(package).values()
             if "cover-image" in (item.get("properties") or "")]
    data = book.read("EPUB/" + cover[0].get("href"))
    assert data.startswith(b"\x89PNG") and len(data) < 500_000


def test_the_time_is_that_of_the_commit(book):
    """Or two builds of the same sources would differ."""
    assert len({info.date_time for info in book.infolist()}) == 1


def ids(tree):
    return [e.get("id") for e in tree.iter() if e.get("id")]


def test_links_lead_somewhere_and_ids_are_unique(pages):
    known = {name: set(ids(tree)) for name, tree in pages.items()}
    for name, tree in pages.items():
        assert len(ids(tree)) == len(known[name]), name
        for link in tree.iter(HTML + "a"):
            target = link.get("href") or ""
            if not target or "://" in target:
                continue
            path, _, where = target.partition("#")
            path = posixpath.normpath(posixpath.join(
                posixpath.dirname(name), path)) if path else name
            assert path in pages, (name, target)
            assert not where or where in known[path], (name, target)


def test_pictures_say_what_they_show(pages, book):
    for name, tree in pages.items():
        for picture in tree.iter(HTML + "img"):
            assert len(picture.get("alt") or "") >= 20, name
            path = posixpath.normpath(posixpath.join(
                posixpath.dirname(name), picture.get("src")))
            assert path in book.namelist(), (name, path)


def test_every_chapter_is_in_the_navigation_with_its_formulas(pages):
    titles = [" ".join("".join(link.itertext()).split())
              for link in pages["EPUB/nav.xhtml"].iter(HTML + "a")]
    for text in sorted(ROOT.glob("chapters/*/chapter.md")):
        number = int(text.parent.name[:2])
        title = re.search(r"^# (.*?)(?: \{.*)?$", text.read_text(),
                          re.MULTILINE)[1]
        assert f"{number} {title}" in titles
    assert sum(1 for tree in pages.values()
               for _ in tree.iter(MATH + "math")) > 50
