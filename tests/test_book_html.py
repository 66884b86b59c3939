"""The site: what its last step refuses, its colours, its search, and that
the book as it stands makes a site that is not refused."""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "book" / "html"
SITE = HTML / "site.py"
PAGE = """<html><head><link rel="stylesheet" href="site.css"></head><body>
<nav>Contents</nav><!-- on this page --><main>
<section id="ch-01"><h1>1 Sizes</h1><p>Blocks of numbers.</p>
<section id="sec-a"><h2>1.1 Claims</h2><p>A shape is a claim.</p>
{}</section></section></main></body></html>"""


class Site:
    def __init__(self, folder):
        self.folder = folder
        self.page("ch-01.html", "")

    def page(self, name, text, around=PAGE):
        (self.folder / name).write_text(around.replace("{}", text))

    def build(self):
        return subprocess.run([sys.executable, SITE, self.folder], text=True,
                              capture_output=True, timeout=60)

    def refused(self, text, sentence):
        self.page("ch-01.html", text)
        result = self.build()
        assert result.returncode == 1
        assert result.stderr.splitlines()[1:] == [
            f"  ch-01.html: {sentence}"]

    def good(self, text=""):
        self.page("ch-01.html", text)
        result = self.build()
        assert result.returncode == 0, result.stderr
        return (self.folder / "ch-01.html").read_text()

    def index(self):
        text = (self.folder / "search-index.js").read_text()
        return json.loads(re.fullmatch(r"searchIndex = (.*);\n", text)[1])


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_a_page_says_what_is_on_it(site):
    assert '<a href="#sec-a">1.1 Claims</a>' in site.good()


def test_a_good_page(site):
    site.page("ch-02.html", "")
    site.good('<p id="x"><a href="ch-02.html#sec-a">a</a> <a href="#x">b</a>'
              '<a href="https://example.org/">c</a></p>')


@pytest.mark.parametrize("text, sentence", [
    ('<a href="no.html">a</a>', "the link to no.html goes nowhere"),
    ('<a href="#no">a</a>', "there is no no in ch-01.html"),
    ('<p id="ch-01"></p>', "the id ch-01 is there twice"),
    ('<img src="site.css">', "site.css has no alternative text"),
    ('<img src="no.svg" alt="A line.">', "no.svg is missing"),
    ('<script src="https://a.org/x.js"></script>',
     "it asks the network for https://a.org/x.js"),
    ('<script src="//a.org/x.js"></script>',
     "it asks the network for //a.org/x.js"),
    ("<h1>Twice</h1>", "2 headings of the first level"),
])
def test_refusals(site, text, sentence):
    site.refused(text, sentence)


def test_a_heading_too_deep(site):
    site.refused("</section><section id='d'><h2>a</h2><section id='e'>"
                 "<h4>b</h4></section>", "a heading of level 4 follows one "
                 "of 2")


def test_a_heavy_page(site):
    (site.folder / "x.svg").write_text("x" * 1_000_000)
    site.page("ch-01.html", '<img src="x.svg" alt="Heavy.">')
    assert "at most 1,000,000" in site.build().stderr


def test_what_pandoc_leaves_is_made_smaller(site):
    page = site.good(
        '<pre><code><span id="cb1-1"><a href="#cb1-1" aria-hidden="true" '
        'tabindex="-1"></a><span class="dt">int</span> a'
        '<span class="op">;</span></span></code></pre>'
        '<math><mi>x</mi><annotation encoding="t">\\x</annotation></math>')
    assert '<pre tabindex="0"><code><span class="dt">int</span> a;</code>' \
        in page
    assert "<math><mi>x</mi></math>" in page


def test_the_index_has_each_section_and_its_words(site):
    site.good("<pre>size_mul(a)</pre><math><mi>hidden</mi></math>")
    index = site.index()
    assert index["sections"] == [
        ["ch-01.html#ch-01", "1 Sizes", "", "Blocks of numbers."],
        ["ch-01.html#sec-a", "1 Sizes", "1.1 Claims",
         "A shape is a claim."]]
    assert index["words"]["numbers"] == [0]
    assert index["words"]["claim"] == [1]
    assert index["words"]["claims"] == [1]
    assert index["words"]["size_mul"] == [1]
    assert "contents" not in index["words"] and "hidden" not in index["words"]


def luminance(colour):
    channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= .03928 else ((c + .055) / 1.055) ** 2.4
              for c in channels]
    return sum(w * c for w, c in zip((.2126, .7152, .0722), linear))


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + .05) / (low + .05)


def test_contrast():
    """WCAG 2.2, 1.4.3: 4.5 between letters and their ground."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    css = (HTML / "site.css").read_text()
    pairs = dict(re.findall(r"--(\w+): light-dark\((#\w+, #\w+)\)", css))
    colours = {name: pair.split(", ") for name, pair in pairs.items()}
    assert len(colours) == 9
    for theme in (0, 1):
        for ground in ("paper", "code", "tint"):
            for ink in ("ink", "soft", "accent", "warn", "string"):
                ratio = contrast(colours[ink][theme], colours[ground][theme])
                assert ratio >= 4.5, (theme, ink, ground, ratio)


@pytest.fixture(scope="module")
def built():
    done = subprocess.run(["make", "-s", "html"], cwd=ROOT, text=True,
                          capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return ROOT / "build" / "book" / "html"


def test_the_book_makes_a_good_site(built):
    chapters = {path.parent.name[:2]
                for path in ROOT.glob("chapters/*/chapter.md")}
    for number in chapters:
        page = (built / f"ch-{number}.html").read_text()
        assert 'class="skip" href="#text"' in page
        assert "<math" in page or number not in ("01", "05")
        assert re.search(r'class="where">[\w/.-]+, lines? \d', page)
    front = (built / "index.html").read_text()
    assert all(f'href="ch-{number}.html' in front for number in chapters)
    middle = (built / "ch-05.html").read_text()
    assert 'rel="prev" href="ch-04.html"' in middle
    assert 'rel="next" href="ch-06.html"' in middle


FIND = """
const fs = require('fs'), vm = require('vm');
const page = { document: { documentElement: { dataset: {} },
                           addEventListener() {} } };
vm.createContext(page);
for (const name of ['site.js', 'search-index.js'])
  vm.runInContext(fs.readFileSync(process.argv[1] + '/' + name, 'utf8')
                  .replace('let searchIndex', 'var searchIndex'), page);
for (const query of process.argv.slice(2))
  console.log(vm.runInContext(
    `search(${JSON.stringify(query)}).map((n) => searchIndex.sections[n][0])`,
    page).join(' '));
"""

# Only where there is Node to run the script of the pages.
if shutil.which("node"):
    def test_search(built):
        found = subprocess.run(
            ["node", "-e", FIND, built, "rope_rotate", "root mean squ",
             "norm the_word_nobody_wrote", "Überlauf", "rope pairing"],
            text=True, capture_output=True, check=True, timeout=60)
        rotate, mean, nothing, foreign, both = found.stdout.split("\n")[:5]
        assert "ch-05.html#" in rotate and "ch-01.html" not in rotate
        assert mean.split()[0].startswith("ch-05.html#")
        assert nothing == "" and foreign == ""
        assert both.split()[0].startswith("ch-05.html#")
