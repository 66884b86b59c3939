"""The book's filter: every refusal is provoked once, in a tree of its own."""
import json
import os
import subprocess
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILTER = ROOT / "book" / "filters" / "book.lua"
CHAPTER = "chapters/01-sizes"

SOURCE = """\
// @begin outer
int before;
    // @begin inner
    int size_mul(int a, int b)
    {
        return a * b;
    }
    // @end inner
int after;
// @end outer
"""


class Book:
    """A tree with one chapter, and what weaving it says."""

    def __init__(self, root, pandoc):
        self.root, self.pandoc = root, pandoc
        self.head, self.more = "", []
        self.write("chapters/order.txt", "01 sizes size\n02 later norm\n")
        self.write("common/size.c", SOURCE)
        self.write("references.bib",
                   "@book{known, title={Known}, author={A. B.}, year=2020}\n")
        self.write("preface.md", "")

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def weave(self, text, to="html"):
        self.write(f"{CHAPTER}/chapter.md",
                   f"{self.head}# Sizes\n\n{text}")
        return subprocess.run(
            [self.pandoc, "preface.md",
             "-M", f"chapters={CHAPTER}/chapter.md",
             "-M", "bibliography=references.bib", "-L", FILTER, "--citeproc",
             "-t", to, "--wrap=none", *self.more],
            cwd=self.root, capture_output=True, text=True,
            env={**os.environ, "BOOK_COVERAGE": "coverage.txt"}, timeout=60)

    def good(self, text, to="html"):
        result = self.weave(text, to)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def refused(self, text, *sentences):
        result = self.weave(text)
        assert result.returncode == 1, result.stderr
        assert result.stdout == ""
        for sentence in sentences:
            assert sentence in result.stderr
        lines = result.stderr.splitlines()
        count = len(lines) - lines.index("The book is not built:") - 2
        assert lines[-1] == f"{count} problem{'s' if count > 1 else ''}"
        return count


@pytest.fixture
def book(tmp_path, pandoc):
    return Book(tmp_path, pandoc)


def block(path, region=None, classes=".c"):
    region = f' region="{region}"' if region else ""
    return f'```{{{classes} file="{path}"{region}}}\n```\n'


def test_a_region_is_cut_dedented_and_placed(book):
    page = book.good(block("common/size.c", "inner"), "plain")
    assert "common/size.c, lines 4–7" in page
    assert "    int size_mul(int a, int b)\n    {\n        return a" in page
    assert "@begin" not in page and "before" not in page


def test_a_nested_marker_is_dropped(book):
    page = book.good(block("common/size.c", "outer"), "plain")
    assert "common/size.c, lines 2, 4–7, 9" in page
    assert "int before;\n        int size_mul" in page
    assert "@" not in page


@pytest.mark.parametrize("leader", ["#", "--", "//"])
def test_markers_of_other_languages(book, leader):
    book.write("tools/x", f"{leader} @begin a\nhello\n{leader} @end a\n")
    assert "hello" in book.good(block("tools/x", "a", ".text"), "plain")


def test_typst_gets_the_numbers_of_the_lines(book):
    page = book.good(block("common/size.c", "inner"), "typst")
    assert "numbers: (4,5,6,7)" in page


def test_missing_file(book):
    assert book.refused(block("common/no.c", "a"),
                        "common/no.c: no such file") == 1


def test_missing_region(book):
    assert book.refused(block("common/size.c", "no"),
                        "common/size.c: no region named no") == 1


def test_empty_region(book):
    book.write("a.c", "// @begin a\n\n// @end a\n")
    assert book.refused(block("a.c", "a"), "a.c: region a is empty") == 1


def test_doubled_region(book):
    book.write("a.c", "// @begin a\nint x;\n// @end a\n" * 2)
    assert book.refused(block("a.c", "a"), "a.c:4: region a begins twice")


def test_unclosed_region(book):
    book.write("a.c", "// @begin a\nint x;\n")
    assert book.refused(block("a.c", "a"), "a.c: region a is never closed")


def test_regions_that_cross(book):
    book.write("a.c", "// @begin a\nint x;\n// @begin b\nint y;\n"
                      "// @end a\nint z;\n// @end b\n")
    assert book.refused(block("a.c", "a"), 'a.c:5: "@end a" where "@end b"')


def test_wide_line(book):
    book.write("a.c", "// @begin a\n" + "x" * 79 + "\n// @end a\n")
    assert book.refused(block("a.c", "a"), "a.c:2: 79 columns") == 1


def test_columns_are_characters_and_counted_after_dedenting(book):
    book.write("a.c", "// @begin a\n    " + "é" * 78 + "\n// @end a\n")
    book.good(block("a.c", "a"))


def test_wide_line_in_a_sketch(book):
    text = "``` {.c .sketch}\n" + "x" * 79 + "\n```\n"
    assert book.refused(text, "79 columns") == 1


def test_tab_and_colour(book):
    book.write("a.txt", "a\tb\n\x1b[31mred\x1b[0m\n")
    assert book.refused(block("a.txt", classes=".transcript"),
                        "a.txt:1: a tab", "a.txt:2: a control character") == 2


@pytest.mark.parametrize("code", [
    "``` {.c}\nint x;\n```\n", "```c\nint x;\n```\n",
    "```\nint x;\n```\n", "``` {.python}\nx = 1\n```\n",
    "Text.\n\n    int x;\n", "~~~ {.sh}\nls\n~~~\n",
    "1. one\n\n   ```\n   ls\n   ```\n", "> ```\n> ls\n> ```\n",
])
def test_code_without_a_source(book, code):
    assert book.refused(code, "names no file and is not marked .sketch") == 1


def test_a_sketch_is_allowed_and_marked(book):
    page = book.good("``` {.c .sketch}\nint x;\n```\n")
    assert "sketch" in page and "int" in page


def test_a_listing_with_a_body_of_its_own(book):
    text = '```{.c file="common/size.c" region="inner"}\nint x;\n```\n'
    assert book.refused(text, "must be empty") == 1


@pytest.mark.parametrize("lines, good", [(35, True), (36, False)])
def test_long_listing(book, lines, good):
    book.write("a.c", "// @begin a\n" + "int x;\n" * lines + "// @end a\n")
    if good:
        book.good(block("a.c", "a"))
    else:
        assert book.refused(block("a.c", "a"), "36 lines, a listing at most")


def test_transcript_with_and_without_a_region(book):
    book.write("run.txt", "$ ./run\n# @begin part\n42\n# @end part\nrest\n")
    page = book.good(block("run.txt", classes=".transcript"), "plain")
    assert "$ ./run" in page and "42" in page and "rest" in page
    page = book.good(block("run.txt", "part", ".transcript"), "plain")
    assert "42" in page and "rest" not in page


@pytest.mark.parametrize("image", [
    "![A caption that is long enough.](x.svg){#fig-x}",
    "![](x.svg)", "Text ![short](x.svg) text.",
    '![A caption that is long enough.](x.svg){alt="picture"}',
])
def test_image_without_alternative_text(book, image):
    book.write(f"{CHAPTER}/x.svg", "<svg/>")
    assert book.refused(image + "\n", 'needs alt="..."') == 1


def test_image_that_is_not_there(book):
    text = '![A.](no.svg){#fig-x alt="Three clocks, one of them slower."}'
    assert book.refused(text, "the image no.svg does not exist") == 1


def test_a_good_image_keeps_its_text(book):
    book.write(f"{CHAPTER}/x.svg", "<svg/>")
    text = '![A.](x.svg){#fig-x alt="Three clocks, one of them slower."}\n'
    assert f'image("/{CHAPTER}/x.svg", alt: "Three cl' in book.good(text,
                                                                    "typst")
    assert 'alt="Three clocks, one of them slower."' in book.good(text)


@pytest.mark.parametrize("kind", "fig tbl lst eq sec ch ex".split())
def test_dangling_reference(book, kind):
    assert book.refused(f"See @{kind}-99.\n",
                        f"@{kind}-99 refers to nothing") == 1


def test_references_that_hold(book):
    text = ("## One {#sec-one}\n\n$$ a $$ {#eq-a}\n\n"
            "| a |\n|---|\n| b |\n\n: A table. {#tbl-a}\n\n"
            '::: {.exercise id="01-2" kind="predict" minutes="5"}\n'
            'Hm.\n:::\n\n'
            "See @sec-one, @eq-a, @tbl-a, @ex-01-2, @ch-01 and @ch-02.\n\n")
    page = book.good(text, "plain").replace("\u00a0", " ")
    assert ("See Section 1.1, Equation 1.1, Table 1.1, Exercise 1.2, "
            "Chapter 1 and Chapter 2." in page)


def test_dangling_citation(book):
    assert book.refused("As they say [@known; @unknown].\n",
                        "@unknown is not in book/references.bib") == 1
    assert "B. 2020" in book.good("As they say [@known].\n", "plain")


def test_dangling_link(book):
    assert book.refused("See [there](#nowhere).\n", "#nowhere") == 1


def test_id_used_twice(book):
    text = "## One {#sec-x}\n\n## Two {#sec-x}\n"
    assert book.refused(text, "the id sec-x is used twice") == 1


def test_exercise_without_its_folder(book):
    text = '::: {.exercise id="01-1" folder="01-1-zero"}\nDo.\n:::\n'
    assert book.refused(text, "no folder exercises/01-1-zero") == 1
    book.write(f"{CHAPTER}/exercises/01-1-zero/task.md", "Do.")
    book.good(text)


def test_exercise_promised_in_the_text(book):
    text = "Type `make exercise-01-1`.\n"
    assert book.refused(text, "no folder exercises/01-1-") == 1
    book.write(f"{CHAPTER}/exercises/01-1-zero/task.md", "Do.")
    book.good(text)


def test_exercise_without_an_id(book):
    assert book.refused("::: exercise\nDo.\n:::\n", "needs an id") == 1


def value(key, path="v.json", more=""):
    return f'It is []{{.value file="{path}" key="{key}"{more}}}.\n'


def test_values(book):
    book.write("v.json", json.dumps(
        {"a": {"b": 17179869184, "c": 0.00125, "d": [7, 8]}, "e": 576}))
    assert "It is 17,179,869,184." in book.good(value("a.b"), "plain")
    assert "It is 576." in book.good(value("e"), "plain")
    assert "It is 8." in book.good(value("a.d.1"), "plain")
    page = book.good(value("a.c", more=' format="%.1e"'), "plain")
    assert "It is 1.2e-03." in page or "It is 1.3e-03." in page


@pytest.mark.parametrize("key, path, sentence", [
    ("a.x", "v.json", "no key a.x"), ("a", "v.json", "not one value"),
    ("a.b", "no.json", "no such file"), ("a.b", "common/size.c", "not JSON"),
])
def test_value_that_is_not_there(book, key, path, sentence):
    book.write("v.json", '{"a": {"b": 1}}')
    assert book.refused(value(key, path), sentence) == 1


def test_typed_heading_numbers(book):
    assert "1.1" in book.good("## 1.1 One\n", "plain")
    assert book.refused("## 1.2 One\n", "is number 1.1") == 1


def test_second_title(book):
    assert book.refused("# Another\n", "2 headings of the first level") == 1


def test_raw_html(book):
    book.good("<!-- a remark -->\n\nText.\n")
    assert book.refused("<div>x</div>\n\n```{=html}\n<b>\n```\n", "raw html")


def test_all_problems_are_listed(book):
    text = "\n".join([block("no.c", "a"), block("common/size.c", "no"),
                      "@fig-x\n"])
    assert book.refused(text, "no.c", "named no", "@fig-x") == 3


def test_coverage_tells_what_is_left_out(book):
    book.good(block("common/size.c", "inner"))
    report = (book.root / "coverage.txt").read_text()
    assert "common/size.c: 2 of 6 lines not shown: 2 9" in report
    assert "4 of 6 lines" in report


def test_the_repository_marks_its_regions_rightly(pandoc, tmp_path):
    """Every marker in every source, not only those that are quoted."""
    names = subprocess.run(["git", "ls-files", "*.c", "*.h", "*.py", "*.mk"],
                           cwd=ROOT, capture_output=True, text=True,
                           check=True).stdout.split()
    marked = [n for n in names if not n.startswith("tests/")
              and "@begin " in (ROOT / n).read_text()]
    assert marked
    # Pandoc 3.9 crashes over some eighty arguments: the names go in a file.
    names_file = tmp_path / "names"
    names_file.write_text("\n".join(marked))
    script = tmp_path / "check.lua"
    script.write_text(textwrap.dedent("""\
        local m = dofile('book/filters/sources.lua')
        for name in io.lines(arg[1]) do m.quote(name) end
        for _, p in ipairs(m.problems) do
          if p:find 'region' or p:find '@end' then print(p) end
        end
        """))
    result = subprocess.run([pandoc, "lua", script, names_file], cwd=ROOT,
                            capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""


# --- words -----------------------------------------------------------------


GLOSSARY = "F16\n:   Sixteen bits.\n\ntensor\n:   A block of numbers.\n"


def with_glossary(book, text, to="typst"):
    book.write("glossary.md", GLOSSARY)
    book.more = ["-M", "glossary=glossary.md"]
    return book.good(text, to)


def test_a_bold_term_leads_to_the_glossary_and_back(book):
    page = with_glossary(book, "Here are **tensors**.\n")
    assert '#index-mark("tensor", main: true)' in page
    assert "#metadata(none)<def-gl-tensor>" in page
    assert "#link(<gl-tensor>)[#strong[tensors]]" in page
    assert "#page-of(<def-gl-tensor>)" in page
    assert "#page-of(<def-gl-f16>)" not in page      # no chapter defines it
    page = with_glossary(book, "Here are **tensors**.\n", "html")
    assert 'href="#gl-tensor"' in page and 'id="gl-tensor"' in page
    assert 'href="#def-gl-tensor"' in page and 'id="def-gl-tensor"' in page


def test_the_glossary_is_in_order(book):
    with_glossary(book, "")
    book.write("glossary.md", GLOSSARY + "\nblock\n:   Some.\n\n"
               "tensor\n:   Again.\n")
    assert book.refused("", 'not in order: "block" after "tensor"',
                        'the glossary has "tensor" twice') == 2


def test_marks_of_the_index(book):
    page = with_glossary(
        book, "A [row]{.index} and [it]{.index term=\"row, long\"}.\n")
    assert '#index-mark("row", main: false)row' in page
    assert '#index-mark("row, long", main: false)it' in page
    assert "#word-index" in page


def test_functions_of_a_listing_are_in_the_index(book):
    book.write("common/x.c", "static int hidden(void)\n{\n}\n\n"
               "int public_one(int a,\n               int b)\n{\n}\n\n"
               "int prototype(void);\nint x = call(1);\n")
    assert 'marks: ("public_one",)' in book.good(block("common/x.c"),
                                                 "typst")


# --- a finished chapter ----------------------------------------------------


def finish(book, text, boxes=""):
    """Like text, but of a chapter that says it is finished."""
    book.head = f"---\nfinished: true\n{boxes}---\n\n"
    return "Asks.\n\n" + text + "\n## What we have now\n\nAll.\n"


WHOLE = block("common/size.c", "outer") + "\nAnswers.\n"


def test_a_finished_chapter(book):
    book.write("glossary.md", GLOSSARY)
    book.good(finish(book, WHOLE))


@pytest.mark.parametrize("number", [
    "131,072", "(576)", "1023.995", "100.", "1,000–2,000"])
def test_bare_numbers_are_refused_in_a_finished_chapter(book, number):
    text = WHOLE + f"\nIt has {number} rows.\n"
    assert book.refused(finish(book, text), "the bare number") == 1
    book.head = ""
    book.good(text)                                  # a draft only counts


def test_numbers_that_are_not_bare(book):
    book.write("v.json", '{"a": 4096}')
    book.good(finish(book, WHOLE + """
Take [131,072]{.given} of []{.value file="v.json" key="a"}, `1024` and
$1000$, or 99, F16 and Q4_0.

::: {.exercise id="01-1" kind="predict" minutes="5"}
What is 65,536 squared?
:::
"""))


@pytest.mark.parametrize("text, side", [
    (f"## One\n\n{WHOLE}", "before"),
    (block("common/size.c", "outer") + "\n## Two\n\nText.\n", "after"),
    (WHOLE + "\n" + block("common/size.c", "inner") + "\n"
     + "``` {.c .sketch}\nint x;\n```\n\nText.\n", "after"),
])
def test_a_listing_without_prose(book, text, side):
    book.refused(finish(book, text), f"no prose {side} the listing")


def test_too_little_of_the_code(book):
    text = finish(book, block("common/size.c", "inner") + "\nAnswers.\n")
    assert book.refused(text, "shows 66 % of its code in the text, "
                        "at least 70 % are asked") == 1


def test_tables_are_not_counted_and_still_printed(book):
    text = finish(book, block("common/size.c", "inner") + "\nSo.\n",
                  "tables: [outer]\n")
    out = book.good(text)
    assert "int</span> after" in out                      # in the appendix
    report = (book.root / "coverage.txt").read_text()
    assert "chapter 01: 0 of 0 lines (100 %)" in report
    assert "6 of tables" in report


@pytest.mark.parametrize("fence", [
    '```{.c file="common/size.c" region=inner outer}\n```',
    '```{.c file="common/size.c region="inner"}\n```',
    '~~~{.c file="common/size.c" region=inner outer}\n~~~'])
def test_a_fence_that_pandoc_does_not_see(book, fence):
    book.refused(f"Why?\n\n{fence}\n\nSo.\n", "fence cannot be read")
    book.good("Why? `{.c}` is C.\n")


def test_boxes_are_not_counted_but_named(book):
    text = finish(book, block("common/size.c", "inner") + "\nAnswers.\n",
                  "boxes: [size]\n")
    assert book.refused(text, "the box size is not named") == 1
    page = book.good(text + "\nAlso `common/size.c`.\n", "plain")
    appendix = page[page.index("Listings that no chapter shows"):]
    assert "In the text: lines 4–7" in appendix
    assert "common/size.c, line 2\n\n    int before;" in appendix
    assert "common/size.c, line 9\n\n    int after;" in appendix
    assert "size_mul" not in appendix
    report = (book.root / "coverage.txt").read_text()
    assert "chapter 01: 0 of 0 lines" in report
    assert "6 lines of boxes" in report


def test_more_of_a_chapter_stands_behind_all(book):
    text = finish(book, block("common/size.c", "inner") + "\n"
                  "See [behind](#sec-behind).\n", "more: more.md\n")
    more = ("# More\n\n## Behind {#sec-behind}\n\nWhere?\n\n"
            + block("common/size.c", "outer"))
    book.write(f"{CHAPTER}/more.md", more + "\nThere.\n")
    page = book.good(text)
    assert page.index("What we have now") < page.index('id="more-01"')
    assert "6 of 6 lines" in (book.root / "coverage.txt").read_text()
    book.write(f"{CHAPTER}/more.md", more)
    assert book.refused(text, f"{CHAPTER}/more.md: no prose after") == 1


def test_the_appendix_knows_the_pages(book):
    text = finish(book, block("common/size.c", "inner") + "\nAnswers.\n"
                  "`common/size.c`\n", "boxes: [size]\n")
    page = book.good(text, "typst")
    assert "<at-common-size-c-4>" in page
    assert "#page-of(<at-common-size-c-4>)" in page


def test_terms_of_a_finished_chapter(book):
    with_glossary(book, "")
    text = finish(book, WHOLE + "\nA **vector**.\n")
    assert book.refused(text, 'the bold term "vector" is not in') == 1
    text = finish(book, WHOLE + "\nA **tensor**, and the **tensor** again.\n")
    assert book.refused(text, "is bold a second time") == 1


def test_the_map_has_a_place(book):
    book.write("book/figures/map-01.svg", "<svg/>")
    text = finish(book, WHOLE)
    assert 'src="book/figures/map-01.svg"' in book.good(text)
    text = text.replace("What we have now", "Something else")
    assert book.refused(text, 'no section "What we have now"') == 1


# --- the teacher's edition -------------------------------------------------

ASKED = """\
::: {.exercise id="01-1" kind="predict" minutes="5"}
How many?
:::
"""


def test_solutions_stand_in_the_teachers_edition_alone(book):
    book.write("solutions/01-1-many.c", "int many = 4;\n")
    book.write("solutions/01-1-many.md", "# Why\n\nBecause of **four**.\n")
    book.write("solutions/01-1-many.wrong", "- s/4/5/\n")
    book.write("solutions/01-11-other.c", "int other;\n")
    assert "many = 4" not in book.good(ASKED, "plain")
    book.more = ["-M", "teacher=true"]
    page = book.good(ASKED, "plain")
    assert "many = 4" in page and "Because of four." in page
    assert "other" not in page and "s/4/5/" not in page
    assert "many = 4" in book.good(ASKED, "typst")


def test_a_finished_exercise_has_a_solution(book):
    text = finish(book, WHOLE + "\n" + ASKED)
    book.good(text)
    book.more = ["-M", "teacher=true"]
    assert book.refused(text, "exercise 01-1 has no solution") == 1
