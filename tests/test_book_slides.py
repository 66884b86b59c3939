"""The slides: what their filter refuses, what it takes from the chapter, and
that every deck fits its pages."""
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILTER = ROOT / "book" / "slides" / "slides.lua"
CHAPTER = "chapters/01-sizes"
SOURCE = "// @begin a\nint f(void)\n{\n    int x = 1;\n    return x;\n}\n" \
         "// @end a\n"
TEXT = """# Sizes

## Code

What does it return?

```{.c file="common/a.c" region="a"}
```

Prose that nobody has to read twice.

![A line.](line.svg){#fig-line alt="A line from one corner to the other."}

$$ x^2 $$ {#eq-x}

::: {.exercise id="01-1" kind="predict" minutes="5"}
What is it, @chen2016 and @ch-08?
:::
"""


class Deck:
    def __init__(self, root, pandoc):
        self.root, self.pandoc = root, pandoc
        self.write("common/a.c", SOURCE)
        self.write(f"{CHAPTER}/chapter.md", TEXT)
        self.write(f"{CHAPTER}/line.svg", "<svg/>")

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def make(self, name):
        return subprocess.run(
            [self.pandoc, f"{CHAPTER}/{name}", "-L", FILTER, "-t", "typst",
             "--wrap=none"], cwd=self.root, text=True, capture_output=True,
            timeout=60)

    def good(self, text):
        self.write(f"{CHAPTER}/slides.md", text)
        result = self.make("slides.md")
        assert result.returncode == 0, result.stderr
        return result.stdout

    def refused(self, text, sentence):
        self.write(f"{CHAPTER}/slides.md", text)
        result = self.make("slides.md")
        assert result.returncode == 1 and result.stdout == ""
        assert sentence in result.stderr


@pytest.fixture
def deck(tmp_path, pandoc):
    return Deck(tmp_path, pandoc)


def code(attributes):
    return "## Code\n\n```{.c file=\"common/a.c\" " + attributes + "}\n```\n"


def test_a_region_narrowed_and_moved_to_the_left(deck):
    page = deck.good(code('region="a" from="int x" to="return"'))
    assert '#listing("int x = 1;\\nreturn x;", lang: "c", ' \
        'where: "common/a.c, lines 4–5", kind: "source")' in page


def test_pictures_say_what_the_chapter_says_of_them(deck):
    page = deck.good("## A\n\n![](line.svg)\n")
    assert 'alt: "A line from one corner to the other."' in page
    assert f'#picture("/{CHAPTER}/line.svg"' in page


def test_questions_and_notes(deck):
    page = deck.good("## A\n\n::: question\nWhy?\n:::\n\n"
                     "::: notes\nBecause.\n:::\n")
    notes, body = page.split("])[")
    assert "Because." in notes and "#question[" in body and "Why?" in body


@pytest.mark.parametrize("text, sentence", [
    (code('region="no"'), "common/a.c: no region named no"),
    (code('region="a" from="int y"'), 'no line with "int y"'),
    (code('region="a" from="int x" to="{"'), 'no line with "{"'),
    ("## A\n\n```\nint x;\n```\n", "names no file"),
    ("## A\n\n``` {.c .sketch}\n" + "int x;\n" * 15 + "```\n",
     "15 lines, a slide at most 14"),
    ('## A\n\n```{.c file="common/a.c" from="a",}\n```\n', "cannot read {.c"),
    ("## A\n\n![](no.svg)\n", "the picture no.svg does not exist"),
    ("## A\n\n![](../../common/a.c)\n", "is not in the chapter"),
    ("Text.\n\n## A\n", "before the first heading"),
    ('## A\n\n[]{.value file="v.json" key="a"}\n', "v.json"),
])
def test_refusals(deck, text, sentence):
    deck.refused(text, sentence)


def test_a_draft_from_the_text_of_a_chapter(deck):
    result = deck.make("chapter.md")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("#slide([") == 4
    for part in ("What does it return?", "int f(void)", "#picture(",
                 "x^2", "it, Chen 2016 and chapter 8?",
                 "Exercise 1.1 · predict · 5 minutes"):
        assert part in result.stdout
    assert "Prose" not in result.stdout and "eq-x" not in result.stdout


def lessons():
    return sorted(ROOT.glob("chapters/*/slides.md"))


def test_a_lesson_has_45_minutes_and_questions():
    assert {"01", "05"} <= {path.parent.name[:2] for path in lessons()}
    for path in lessons():
        text = path.read_text()
        minutes = [int(n) for n in
                   re.findall(r"^\*\*(\d+) minutes?\b", text, re.MULTILINE)]
        slides = len(re.findall(r"^## ", text, re.MULTILINE))
        assert 15 <= slides <= 25 and len(minutes) == slides, path
        assert 40 <= sum(minutes) <= 45, (path, sum(minutes))
        assert text.count("::: question") >= 8, path


@pytest.mark.parametrize("notes", ["", "yes"])
def test_every_slide_fits_its_page(notes):
    """The template ends the build where one does not; drafts are shrunk."""
    decks = [f"slides-{path.parent.name}" for path in lessons()]
    if not notes:
        decks = ["slides"]
    done = subprocess.run(["make", "-s", *decks, f"NOTES={notes}",
                           "BOOK_OUT=build/test-slides"], cwd=ROOT,
                          text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.split():
        assert (ROOT / line).read_bytes().startswith(b"%PDF")
