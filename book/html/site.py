"""site.py FOLDER

Finishes the pages that Pandoc put into FOLDER: makes them smaller, adds what
is on each page, the style, the script and the search index, and checks them.
Ends with 1, and the list of what is wrong, where a page would disappoint.
"""
import json
import re
import shutil
import sys
from html import escape
from html.parser import HTMLParser
from pathlib import Path

HERE = Path(__file__).resolve().parent
MAX_PAGE = 1_000_000        # bytes, with all its pictures
BEGINNING = 140             # characters of a section that a search shows
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
SILENT = {"script", "style", "nav", "header", "footer", "math", "form"}
VOID = {"meta", "link", "img", "br", "input", "hr", "col", "wbr"}
# A line of code comes with a link to itself that nobody can see.
LINE_LINK = re.compile(
    r'<span id="cb\d+-\d+"><a href="#cb\d+-\d+" aria-hidden="true" '
    r'tabindex="-1"></a>(.*?)</span>(?=\n|</code>)')
# Kinds of code, by Pandoc's two letters, that the style sets like any other.
PLAIN = re.compile(
    r'<span class="(?!kw|cf|dt|co|st|ch|sc|pp)[a-z]{2}">([^<]*)</span>')
ANNOTATION = re.compile(r"<annotation .*?</annotation>", re.DOTALL)


def smaller(text):
    """Without anchors of lines, plain colours, and TeX inside of formulas."""
    return ANNOTATION.sub("", PLAIN.sub(r"\1", LINE_LINK.sub(r"\1", text)))


def reachable(text):
    """What scrolls sideways can be reached and scrolled with the keys."""
    text = re.sub(r"<pre(?=[ >])", '<pre tabindex="0"', text)
    text = re.sub(r"<table(?=[ >])", '<div class="wide" tabindex="0"><table',
                  text)
    return text.replace("</table>", "</table></div>")


class Page(HTMLParser):
    """A page's sections and their words, its ids, links and pictures."""

    def __init__(self, path, text):
        super().__init__()
        self.path, self.ids, self.links, self.wrong = path, [], [], []
        self.levels, self.files = [], []
        self.sections = []          # [id, heading, text, level, prose]
        self.open, self.section_ids = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if values.get("id"):
            self.ids.append(values["id"])
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.section_ids.append(values.get("id", ""))
        if tag in HEADINGS:
            self.levels.append(int(tag[1]))
            if self.section_ids:
                self.sections.append([self.section_ids[-1], "", "",
                                      int(tag[1]), ""])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        for name in ("src", "srcset", "poster", "data"):
            if values.get(name):
                self.files.append(values[name])
        if tag == "link" and values.get("rel") == "stylesheet":
            self.files.append(values["href"])
        if tag == "img" and not values.get("alt"):
            self.wrong.append(f"{values.get('src')} has no alternative text")

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if not self.sections or SILENT.intersection(self.open):
            return
        part = 1 if HEADINGS.intersection(self.open) else 2
        self.sections[-1][part] += data
        if part == 2 and "pre" not in self.open:
            self.sections[-1][4] += data


def on_this_page(page):
    rows = "".join(
        f'<li class="level{level}"><a href="#{escape(where)}">'
        f'{escape(one_line(heading))}</a></li>'
        for where, heading, _, level, _ in page.sections
        if level in (2, 3))
    if not rows:
        return ""
    return ('<details class="here"><summary>On this page</summary>\n'
            f'<nav aria-label="On this page"><ol>{rows}</ol></nav></details>')


def one_line(text):
    return " ".join(text.split())


def beginning(text):
    text = one_line(text)
    if len(text) <= BEGINNING:
        return text
    return text[:BEGINNING].rsplit(" ", 1)[0] + " …"


def search_index(pages):
    """{"sections": [[address, chapter, heading, beginning]], "words": ...}"""
    sections, words = [], {}
    for page in pages:
        for i, section in enumerate(page.sections):
            where, heading, text, _, prose = section
            chapter = one_line(page.sections[0][1])
            for word in set(re.findall(r"\w+", (heading + " " + text)
                                       .lower())):
                if len(word) < 32:
                    words.setdefault(word, []).append(len(sections))
            sections.append([f"{page.path.name}#{where}", chapter,
                             one_line(heading) if i else "",
                             beginning(prose)])
    return {"sections": sections, "words": dict(sorted(words.items()))}


def check_links(page, pages):
    known = {other.path.name: other.ids for other in pages}
    for link in page.links:
        if re.match(r"https?://|mailto:", link):
            continue
        name, _, where = link.partition("#")
        name = name or page.path.name
        if name not in known:
            yield f"the link to {link} goes nowhere"
        elif where and where not in known[name]:
            yield f"there is no {where} in {name}"


def check_page(page, pages):
    yield from page.wrong
    yield from check_links(page, pages)
    for one in {i for i in page.ids if page.ids.count(i) > 1}:
        yield f"the id {one} is there twice"
    if page.levels.count(1) != 1:
        yield f"{page.levels.count(1)} headings of the first level"
    for before, after in zip(page.levels, page.levels[1:]):
        if after > before + 1:
            yield f"a heading of level {after} follows one of {before}"
    size = page.path.stat().st_size
    for name in page.files:
        if re.match(r"(?:https?:)?//", name):
            yield f"it asks the network for {name}"
        elif not (page.path.parent / name).is_file():
            yield f"{name} is missing"
        else:
            size += (page.path.parent / name).stat().st_size
    if size > MAX_PAGE:
        yield f"{size:,} bytes, at most {MAX_PAGE:,}"


def main():
    folder = Path(sys.argv[1])
    for name in ("site.css", "site.js"):
        shutil.copyfile(HERE / name, folder / name)
    (folder / "sitemap.json").unlink(missing_ok=True)
    pages = []
    for path in sorted(folder.glob("*.html")):
        text = reachable(smaller(path.read_text(encoding="utf-8")))
        page = Page(path, text)
        text = text.replace("<!-- on this page -->", on_this_page(page))
        path.write_text(text, encoding="utf-8")
        pages.append(page)
    index = json.dumps(search_index(pages), ensure_ascii=False,
                       separators=(",", ":"))
    (folder / "search-index.js").write_text(
        f"searchIndex = {index};\n", encoding="utf-8")
    wrong = [f"  {page.path.name}: {text}" for page in pages
             for text in check_page(page, pages)]
    if wrong:
        print("The site is not good:", *wrong, sep="\n", file=sys.stderr)
        return 1
    print(f"{folder}: {len(pages)} pages, the largest "
          f"{max(page.path.stat().st_size for page in pages):,} bytes, "
          f"the search index {len(index.encode()):,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
