"""make book: the same bytes twice, programs run again, pages looked at."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-book"
TEXT = "chapters/07-quantization/chapter.md"
sys.path.insert(0, str(ROOT / "book"))
import check_transcripts  # noqa: E402  (needs the path)


@pytest.fixture(scope="session")
def tools():
    subprocess.run(["make", "-s", "book-tools"], cwd=ROOT, check=True)
    return VENV / "bin" / "python"


def copy_tree(target):
    """What git knows, as it is now, in another folder."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "Makefile",
         "book", "chapters", "common", "solutions", "tools",
         "data/trace.gguf"], cwd=ROOT, text=True, capture_output=True,
        check=True).stdout.splitlines()
    for name in filter(lambda n: (ROOT / n).exists(), names):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    (target / ".venv-book").symlink_to(VENV)
    return target


def make(folder, *words):
    return subprocess.run(
        ["make", *words, f"BOOK_TEXTS={TEXT}", "BOOK_TIME=1600000000"],
        cwd=folder, capture_output=True, text=True, timeout=300,
        env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})


@pytest.fixture(scope="session")
def trees(tools, tmp_path_factory):
    return [copy_tree(tmp_path_factory.mktemp(name))
            for name in ("one", "another-one")]


def test_the_same_bytes_from_two_folders(trees):
    books = []
    for tree in trees:
        result = make(tree, "book-pdf")
        assert result.returncode == 0, result.stderr
        books.append((tree / "build/book/llama-line-by-line.pdf")
                     .read_bytes())
    assert books[0].startswith(b"%PDF") and len(books[0]) > 100_000
    assert books[0] == books[1]


def test_a_listing_that_goes_on_says_so(trees, tools):
    pdf = trees[0] / "build/book/llama-line-by-line.pdf"
    if not pdf.exists():
        assert make(trees[0], "book-pdf").returncode == 0
    pages = json.loads(subprocess.run(
        [tools, "-c", "import json, sys, pymupdf\nprint(json.dumps([p.get_"
         "text().splitlines() for p in pymupdf.open(sys.argv[1])]))", pdf],
        capture_output=True, text=True, check=True).stdout)
    heads = [[line for line in page if re.match(r"\S+, lines? \d", line)]
             for page in pages]
    again = [line for before, page in zip(heads, heads[1:])
             for line in page if line in before
             and not line.endswith(", continued")]
    went_on = [(line, before) for before, page in zip(heads, heads[1:])
               for line in page if line.endswith(", continued")]
    assert again == [] and len(went_on) > 5
    for line, before in went_on:
        assert line.removesuffix(", continued") in [
            head.removesuffix(", continued") for head in before]


def test_a_changed_constant_stops_the_book(trees):
    """Blocks of 18 bytes become blocks of 20, and the text says 18."""
    source = trees[0] / "common/dtype.c"
    before = source.read_text()
    assert before.count('{"Q4_0",     32,  18}') == 1
    source.write_text(before.replace('{"Q4_0",     32,  18}',
                                     '{"Q4_0",     32,  20}'))
    result = make(trees[0], "book", "BOOK_DONE=01")
    source.write_text(before)
    assert result.returncode != 0
    assert "The book and the programs differ:" in result.stderr
    assert "-Q4_0     35.16 MiB" in result.stderr


# --- transcripts -----------------------------------------------------------


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """A tree with one chapter; says what the check says of it."""
    folder = tmp_path / "chapters/01-x/expected"
    folder.mkdir(parents=True)
    monkeypatch.setattr(check_transcripts, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["check_transcripts.py", "01"])

    def check(name, text, masks=""):
        (folder / "masks").write_text(masks)
        (folder / name).write_text(text)
        return check_transcripts.main()
    return check


def test_a_transcript_that_holds(chapter, capsys):
    assert chapter("run.txt", "# @begin a\n$ echo one; \\\n  echo two\none\n"
                   "# @end a\n\ntwo\n\n$ echo three >&2\nthree\n") == 1
    assert chapter("run.txt", "# @begin a\n$ echo one; \\\n  echo two\none\n"
                   "# @end a\ntwo\n\n$ echo three >&2\nthree\n") == 0
    assert "0.0 % of them masked" in capsys.readouterr().out


def test_a_transcript_that_has_aged(chapter, capsys):
    assert chapter("run.txt", "$ echo two\none\n") == 1
    said = capsys.readouterr().err
    assert "run.txt: $ echo two" in said
    assert "-one" in said and "+two" in said


def test_what_is_masked_is_named_and_counted(chapter, capsys):
    text = "$ echo 12 ms each\n99 ms each\n"
    assert chapter("run.txt", text) == 1
    capsys.readouterr()
    assert chapter("run.txt", text, "time \\d+ ms\n") == 0
    assert "50.0 % of them masked" in capsys.readouterr().out


def test_a_long_line_is_folded(chapter):
    words = " ".join(["word"] * 30)
    folded = words[:74] + "\n" + words[75:]
    assert chapter("run.txt", f"$ echo {words}\n{folded}\n") == 0
    assert chapter("run.txt", f"$ echo {words}\n{folded} more\n") == 1
    assert chapter("run.txt", "$ echo a b\na\nb\n") == 1


def test_values_with_a_command(chapter, capsys):
    values = {"command": "echo '{\"a\": [1, 2]}'", "a": [1, 2]}
    assert chapter("v.json", json.dumps(values)) == 0
    assert chapter("v.json", json.dumps({**values, "a": [1, 3]})) == 1
    assert "prints something else now" in capsys.readouterr().err
    assert chapter("v.json", json.dumps({"a": 5})) == 0


# --- pages -----------------------------------------------------------------

PAGE = """\
#set page(width: 8in, height: 10in, margin: (left: 1.25in, top: .95in,
  bottom: .9in, right: 2.17in))
#set text(size: 11pt)
"""


@pytest.fixture
def look(tools, tmp_path):
    """What check_pages says of a few lines of Typst."""
    def look(text):
        source = tmp_path / "page.typ"
        source.write_text(PAGE + text)
        script = ("import sys, typst\nopen(sys.argv[2], 'wb').write("
                  "typst.compile(sys.argv[1], ignore_system_fonts=True))")
        pdf = tmp_path / "page.pdf"
        subprocess.run([tools, "-c", script, source, pdf], check=True,
                       timeout=60)
        return subprocess.run([tools, ROOT / "book/check_pages.py", pdf],
                              capture_output=True, text=True, timeout=60)
    return look


FULL = "#for _ in range(6) [#lorem(40) #parbreak()]\n"


@pytest.mark.parametrize("text, sentence", [
    ("#move(dx: 5.3in)[far out]", "stands outside the type area"),
    ("#move(dx: -.6in)[far out]", "stands outside the type area"),
    ('#text(size: 4pt)[small]', "is set in 4.0 pt"),
    ('#text(font: "DejaVu Sans Mono", size: 6pt)[int numbers = 5;]',
     "is set in 6.0 pt"),
    ("#v(1fr) #text(size: 13.5pt, weight: \"semibold\")[Alone]",
     'the heading "Alone" is alone at its foot'),
])
def test_pages_that_are_not_well_set(look, text, sentence):
    good = look(FULL)
    assert good.returncode == 0, good.stderr
    bad = look(FULL + text)
    assert bad.returncode == 1 and sentence in bad.stderr


def test_short_pages_are_counted(look):
    assert "1 pages, 0 less than" in look(FULL).stdout
    assert "2 pages, 1 less than a third full (2)" in look(
        FULL + "#pagebreak()\nA line.\n").stdout


# --- pictures --------------------------------------------------------------


def test_the_maps_are_those_of_the_script(tmp_path):
    subprocess.run([sys.executable, ROOT / "book/figures/llama_map.py",
                    tmp_path], check=True)
    drawn = sorted(path.name for path in tmp_path.iterdir())
    kept = sorted(p.name for p in (ROOT / "book/figures").glob("map-*.svg"))
    assert drawn == kept and len(drawn) == 18
    for name in drawn:
        assert ((tmp_path / name).read_bytes()
                == (ROOT / "book/figures" / name).read_bytes()), name


def test_colours_differ_in_grey():
    """Lightness as the eye weighs it, for print and the colour-blind."""
    sys.path.insert(0, str(ROOT / "book/figures"))
    from style import COLOURS, PAPER

    def grey(colour):
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= .04045 else ((c + .055) / 1.055) ** 2.4
                  for c in parts]
        return .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2]
    values = sorted(grey(colour) for colour in (*COLOURS[:3], PAPER))
    for dark, light in zip(values, values[1:]):
        assert (light + .05) / (dark + .05) > 1.4
