"""What readers and teachers see of the exercises, in a tree of three that
are made here: what a wrong, an endless and a crashing answer get to read."""

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import check_exercises  # noqa: E402
import exercises  # noqa: E402
import grade  # noqa: E402
import progress  # noqa: E402

SHEET = """\
#include "tools/exercise.h"

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    int rows = (int)exercise_pick(2, 90);
    exercise_whole("elements", 1000 * rows,
                   "How many numbers are in [%d, 1000]?", rows);
    exercise_number("share", rows / 128.0, 0.01, "What share is %d of 128?",
                    rows);
    exercise_choice("fits", "neither", "yes, no, neither", "Does it fit?");
    return exercise_end();
}
"""
CODE = """\
#include "tools/exercise.h"

int twice(int n);

int main(void)
{
    exercise_case(twice(0) == 0, "zero", "expected 0, got %d", twice(0));
    exercise_case(twice(3) == 6, "three", "expected 6, got %d", twice(3));
    return exercise_end();
}
"""
CHANGE = """\
#include "common/size.h"
#include "tools/exercise.h"

int main(void)
{
    size_t product = 7;
    exercise_case(size_mul(0, 3, &product), "nothing times three", "refused");
    exercise_case(product == 1, "an empty product is one", "%zu", product);
    return exercise_end();
}
"""
TASKS = {"01-1-sheet": ("Predict, 5", "A sheet"),
         "01-2-twice": ("Build, 10", "Twice"),
         "01-3-words": ("Explore, 30", "In words"),
         "01-4-product": ("Change, 10", "Another product")}
LOOP = "int twice(int n)\n{\n    for (volatile int i = 0;; i++)\n        ;\n}"
BEYOND = ("int twice(int n)\n{\n    int a[2] = {0, n};\n    volatile int i ="
          " 2;\n    return a[i] + n;\n}")
OVERFLOW = "int twice(int n)\n{\n    return (n + 2147483640) * 2;\n}"
EXIT = "#include <stdlib.h>\nint twice(int n)\n{\n    exit(n);\n}"
PRINTS = ('#include <stdio.h>\n#include <unistd.h>\nint twice(int n)\n{\n'
          '    puts("all 2 cases are right");\n    fflush(stdout);\n'
          '    _exit(n + 7);\n}')
RIGHT = "int twice(int n)\n{\n    return 2 * n;\n}\n"
START = "int twice(int n)\n{\n    return n;\n}\n"


def plant(root):
    """A tree with chapter 1 and the exercises above."""
    modules = ("printable error dtype size arena args terminal "
               "json_out").split()
    for path in ["Makefile", "tools", "chapters/order.txt"] + [
            f"common/{m}.{end}" for m in modules for end in "ch"]:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, target)
        else:
            shutil.copy(ROOT / path, target)
    folder = root / "chapters/01-tensor-sizes/exercises"
    for name, (kind, title) in TASKS.items():
        number = "-".join(name.split("-")[:2])
        (folder / name).mkdir(parents=True)
        (folder / name / "task.md").write_text(
            f"# {number} {title}\n\n*{kind} minutes, 2 points.*\n\nDo.\n")
    (folder / "01-1-sheet/check.c").write_text(SHEET)
    (folder / "01-2-twice/check.c").write_text(CODE)
    (folder / "01-2-twice/start.c").write_text(START)
    (folder / "01-4-product/check.c").write_text(CHANGE)
    (folder / "01-4-product/start.c").write_text(
        '#include "common/size.c"\n')


class Tree:
    def __init__(self, root):
        self.root, self.work = root, root / "work"

    def make(self, *words):
        """stdout and stderr as one text, the status behind it."""
        environment = {k: v for k, v in os.environ.items()
                       if k not in ("MAKEFLAGS", "MAKELEVEL", "OUT")}
        done = subprocess.run(
            ["make", "-s", "CFLAGS=-DEXERCISE_SECONDS=1", "OPT=-O0", *words],
            cwd=self.root, capture_output=True, text=True, timeout=120,
            env=environment, check=False)
        self.errors = done.stderr
        return done.stdout, done.returncode

    def answer(self, name, text):
        self.work.mkdir(exist_ok=True)
        (self.work / name).write_text(text)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    plant(root)
    return root


@pytest.fixture
def tree(planted):
    shutil.rmtree(planted / "work", ignore_errors=True)
    return Tree(planted)


def test_a_start_is_never_written_over(tree):
    out, status = tree.make("exercise-01-2")
    assert status == 0 and "work/01-2.c is yours" in out
    assert (tree.work / "01-2.c").read_text() == START
    tree.answer("01-2.c", "mine")
    out, status = tree.make("exercise-01-2")
    assert status == 0 and "stays as it is" in out
    assert (tree.work / "01-2.c").read_text() == "mine"


def test_without_an_answer(tree):
    out, status = tree.make("check-exercise-01-2")
    assert status == 2 and "make exercise-01-2 puts one there" in tree.errors


def test_a_wrong_answer(tree):
    tree.make("exercise-01-2")
    out, status = tree.make("check-exercise-01-2")
    assert status == 2
    lines = out.splitlines()
    at = lines.index("ok    zero")
    assert lines[at + 1] == "no    three" + 25 * " " + "expected 6, got 3"
    assert lines[at + 2] == "1 of 2 cases are not right yet"
    assert lines[at + 3].endswith("/01-2-twice/hint.md")
    assert "solution" not in out + tree.errors


@pytest.fixture(scope="module")
def workshop(planted, tmp_path_factory):
    """The same without the seconds that make thinks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exercises, "OUT", "build/sanitize")
        patch.setenv("CFLAGS", "-DEXERCISE_SECONDS=1")
        patch.setenv("OPT", "-O0")
        return exercises.Workshop(tmp_path_factory.mktemp("shop"),
                                  exercises.catalogue(planted), planted)


def planted_exercise(workshop, number):
    return next(e for e in exercises.catalogue(workshop.root)
                if e.id == number)


@pytest.mark.parametrize("text, sentence", [
    (LOOP, "still busy after the start: does a loop never end?"),
    (BEYOND, "stopped: "),
    (OVERFLOW, "signed integer overflow"),
    (EXIT, "stopped after the start: is there an exit() in your file?"),
    (PRINTS, "ended with status 7"),
])
def test_an_answer_that_does_not_get_there(workshop, tree, text, sentence):
    tree.answer("01-2.c", text + "\n")
    result = workshop.check(planted_exercise(workshop, "01-2"),
                            tree.work / "01-2.c")
    assert not result.right and sentence in result.table
    if text in (BEYOND, OVERFLOW):
        assert re.search(r"stopped: .*work/01-2\.c:\d+", result.table)
        assert "Shadow bytes" not in result.table


def test_an_answer_that_does_not_compile(tree):
    tree.answer("01-2.c", "int twice(int n) { return n")
    out, status = tree.make("check-exercise-01-2")
    assert status == 2
    assert "work/01-2.c does not compile yet" in tree.errors


def test_a_source_of_the_library_is_changed(tree):
    """The reader's copy takes the module's place, and only there."""
    out, status = tree.make("exercise-01-4")
    text = (tree.work / "01-4.c").read_text()
    assert "bool size_mul" in text and "@begin" not in text
    out, status = tree.make("check-exercise-01-4")
    assert status == 2 and "no    an empty product is one" in out
    head, body = text.split("bool size_mul", 1)
    tree.answer("01-4.c", head + "bool size_mul" + body.replace(
        "{\n", "{\n    if (a == 0 || b == 0) {\n        *product = 1;\n"
        "        return true;\n    }\n", 1))
    out, status = tree.make("check-exercise-01-4")
    assert status == 0, out + tree.errors


def test_a_sheet_asks_and_keeps_its_seed(tree):
    out, status = tree.make("exercise-01-1", "SEED=7")
    assert status == 0, tree.errors
    text = (tree.work / "01-1.txt").read_text()
    assert text.startswith("# Exercise 01-1 A sheet\n")
    assert "\nseed = 7\n" in text and "\nelements =\n" in text
    assert "One of: yes, no, neither." in text
    out, status = tree.make("answers-01-1", "SEED=7")
    assert out.startswith("seed = 7") and "\nfits = neither\n" in out
    out, status = tree.make("check-exercise-01-1")
    assert status == 2 and out.count("no answer yet") == 3


def test_what_cannot_be_started(tree):
    for words, sentence in (
            (("exercise-01-1", "SEED=x"), "SEED=x: expected a whole number"),
            (("exercise-01-99",), "no files for an exercise 01-99")):
        out, status = tree.make(*words)
        assert status == 2 and out == "" and sentence in tree.errors
    # A variable of the caller's that is not set: still the folder work.
    out, status = tree.make("grade", "WORK=")
    assert status == 0 and "together" in out
    assert " 0 of " in out.splitlines()[-1]


def test_answers_of_a_sheet(workshop, tree):
    exercise = planted_exercise(workshop, "01-1")
    program, _ = workshop.build(exercise, None, "sheet")
    text = workshop.sheet(exercise, program, "ask", 1)

    def check(text):
        tree.answer("01-1.txt", text)
        return workshop.run(exercise, program, tree.work / "01-1.txt")

    rows = int(re.search(r"share is (\d+) of", text).group(1))
    filled = text.replace("elements =", f"elements = {rows},000  # easy") \
        .replace("share =", f"share = {rows}/128") \
        .replace("fits =", "fits = Neither")
    assert check(filled).right and not check(text).right
    for old, new, sentence in (
            (f"{rows},000", f"{rows},001", f"it is not {rows}001"),
            (f"{rows}/128", f"{1000 * rows}/128001", "ok    share"),
            (f"{rows}/128", f"{rows}/100", "no    share"),
            (f"{rows}/128", f"{128 / rows}^-1", "ok    share"),
            (f"{rows}/128", f"{128 / rows}^-2", "no    share"),
            (f"{rows}/128", "2^-", "not a number: 2^-"),
            (f"{rows}/128", "half", "not a number: half"),
            ("= Neither", "= no", "it is not no"),
            ("= Neither", "= maybe", "not one of yes, no, neither: maybe"),
            ("seed = 1", "seed = 2", "no    elements"),
            ("seed = 1", "", "the line with the seed is gone"),
            ("fits =", "elements = 4\nfits =", "two answers to elements"),
            ("fits =", "fit =", "there is no such question"),
            ("fits = Neither", "fits", "no equals sign")):
        assert old in filled
        table = check(filled.replace(old, new)).table
        assert sentence in table, (old, new, table)


def test_each_seed_has_its_sheet(workshop):
    exercise = planted_exercise(workshop, "01-1")
    assert check_exercises.check_sheet(workshop, exercise) \
        > len(check_exercises.SEEDS) / 2


def test_words_are_not_checked(tree):
    out, status = tree.make("exercise-01-3")
    assert status == 0 and "no program checks" in out
    assert (tree.work / "01-3.md").read_text() == "# 01-3 In words\n\n"
    out, status = tree.make("check-exercise-01-3")
    assert status == 0 and "no program checks" in out


def test_grade_of_one(tree):
    tree.answer("01-2.c", RIGHT)
    tree.answer("01-3.md", "# 01-3 In words\n\nSee.\n")
    tree.answer("01-4.c", "does not compile")       # and blocks nothing
    out, status = tree.make("grade")
    assert status == 0, tree.errors
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[1:] == [
        "01-1 A sheet predict 5 0 of 2", "01-2 Twice build 10 2 of 2",
        "01-3 In words explore 30 - for the teacher",
        "01-4 Another product change 10 0 of 2 does not compile",
        "together 2 of 6"]
    assert max(map(len, out.splitlines())) < 80


def make_class(tree):
    for name, text in (("Anna B.", RIGHT), ("Bert", START), ("Carl", LOOP),
                       ("Dora", EXIT), ("Emil", PRINTS)):
        (tree.work / name).mkdir(parents=True)
        tree.answer(f"{name}/01-2.c", text + "\n")
    (tree.work / "nobody").mkdir()


def test_grade_of_a_class(tree):
    make_class(tree)
    tree.answer("Bert/01-1.txt", "seed = 12\n")
    out, status = tree.make("grade", "FORMAT=json", "CHAPTER=01")
    assert status == 0, tree.errors
    class_ = json.loads(out)["students"]
    bert = class_[1]["exercises"]
    assert bert[0]["status"] == "failed" and bert[0]["seed"] == 12
    assert bert[1]["first_wrong"] == "three expected 6, got 3"
    assert bert[2]["points"] is None and class_[1]["of"] == 6
    lines = [line.split() for line in grade.as_table(class_).splitlines()]
    assert lines == [
        ["student", "01", "together"], ["Anna", "B.", "2", "2"],
        ["Bert", "0", "0"], ["Carl", "0", "0"], ["Dora", "0", "0"],
        ["Emil", "0", "0"], ["of", "6", "6"]]
    suites = xml.fromstring(grade.as_junit(class_).encode())
    assert [s.get("name") for s in suites][:2] == ["Anna B.", "Bert"]
    assert [s.get("failures") for s in suites] == ["0", "2", "1", "1", "1"]
    assert "expected 6, got 3" in suites[1][1][0].text


def test_progress(tree):
    tree.answer("01-2.c", RIGHT)
    out, status = tree.make("progress")
    assert status == 0, tree.errors
    assert "│1 sizes" in out and "│1 of 3" in out
    assert "1 of 3 checked exercises, 2 of 6 points" in out
    assert "next: make exercise-01-1" in out
    lines = out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) < 80
    assert "\x1b" not in out


def test_map_without_and_with_colour():
    counts = {1: (3, 3), 5: (1, 2), 8: (0, 4)}
    plain = progress.draw(counts)
    assert any("┃all 3" in line for line in plain)
    assert sum(line.count("1 of 2") for line in plain) == 3
    painted = "\n".join(progress.draw(counts, colour=True))
    assert re.sub("\x1b\\[[0-9;]*m", "", painted).split() \
        == "\n".join(plain).split()
    for chapter, x, y, width, label in progress.BOXES:
        assert len(f"{chapter} {label}") <= width - 2
        assert x + width <= progress.WIDTH


def test_proofs_refuse(workshop, monkeypatch, tmp_path):
    """Each proof of check_exercises.py fails when it should."""
    shop, exercise = workshop, planted_exercise(workshop, "01-2")
    solution = tmp_path / "01-2-twice.c"
    wrong = tmp_path / "01-2-twice.wrong"
    monkeypatch.setattr(exercises.Exercise, "solution", solution)
    with pytest.raises(exercises.Mistake, match="no box in"):
        (exercise.folder.parent.parent / "chapter.md").write_text("Hm.\n")
        check_exercises.check_text(exercise)
    solution.write_text(START)
    with pytest.raises(exercises.Mistake, match="the solution fails"):
        check_exercises.check_solution(shop, exercise)
    solution.write_text(RIGHT + "int more(int unused) { return 0; }\n")
    with pytest.raises(exercises.Mistake, match="in silence"):
        check_exercises.check_solution(shop, exercise)
    solution.write_text(RIGHT)
    for text, sentence in (("2 * n => 3 * n\n", "1 wrong versions"),
                           ("n => 3\n", "5 times in the solution")):
        wrong.write_text(text)
        with pytest.raises(exercises.Mistake, match=sentence):
            check_exercises.wrong_versions(exercise)
    for text, sentence in ((RIGHT, "nobody would notice"),
                           ("int", "does not compile")):
        with pytest.raises(exercises.Mistake, match=sentence):
            check_exercises.check_wrong_version(shop, exercise, 1, "x", text)
    (exercise.folder / "start.c").write_text(RIGHT)
    with pytest.raises(exercises.Mistake, match="the start passes"):
        check_exercises.check_start(shop, exercise)
    (exercise.folder / "start.c").write_text(START)
    (exercise.folder / "task.md").write_text("# 01-2 Twice\n\n*Build.*\n")
    with pytest.raises(exercises.Mistake, match="does not begin with"):
        exercises.read(exercise.folder)
