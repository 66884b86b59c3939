"""What is known of the exercises, and how an answer is built and checked.

Shared by grade.py and check_exercises.py; needs Python 3 alone, and for
checking a C compiler and make.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = os.environ.get("OUT", "build/sanitize")
FACTS = re.compile(r"\*(Predict|Change|Build|Explore), (\d+) minutes,"
                   r" (\d+) points?\.\*")
CASE = re.compile(r"^(ok|no)    (.*)$", re.MULTILINE)
SEED = re.compile(r"^\s*seed\s*=\s*(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Exercise:
    id: str             # 05-1
    folder: Path
    title: str
    kind: str           # predict, change, build, explore
    minutes: int
    points: int
    type: str           # how it is answered: c, txt (a sheet), md (words)

    @property
    def solution(self):
        return ROOT / "solutions" / f"{self.folder.name}.{self.type}"


class Mistake(Exception):
    """A sentence about an exercise that is not made as it has to be."""


def answer_type(folder):
    if not (folder / "check.c").exists():
        return "md"
    return "c" if (folder / "start.c").exists() else "txt"


def read(folder):
    """The exercise in a folder, from the head of its task."""
    number = "-".join(folder.name.split("-")[:2])
    lines = (folder / "task.md").read_text().split("\n")
    facts = FACTS.fullmatch(lines[2]) if len(lines) > 2 else None
    if not lines[0].startswith(f"# {number} ") or facts is None:
        raise Mistake(f"{folder.name}/task.md does not begin with"
                      f" '# {number} Title', an empty line, and"
                      " '*Build, 20 minutes, 4 points.*'")
    kind, minutes, points = facts.groups()
    return Exercise(number, folder, lines[0].split(" ", 2)[2], kind.lower(),
                    int(minutes), int(points), answer_type(folder))


def order(folder):
    chapter, number = folder.name.split("-")[:2]
    return int(chapter), int(number)


def folders(root=ROOT):
    found = root.glob("chapters/*/exercises/[0-9]*-*/task.md")
    return sorted((task.parent for task in found), key=order)


def catalogue(root=ROOT):
    return [read(folder) for folder in folders(root)]


@dataclass
class Result:
    right: bool
    table: str          # what the check printed, or the compiler
    compiled: bool = True

    @property
    def cases(self):
        """Numbers of right cases and of all that were reached."""
        marks = [mark for mark, _ in CASE.findall(self.table)]
        return marks.count("ok"), len(marks)

    @property
    def first_wrong(self):
        for mark, text in CASE.findall(self.table):
            if mark == "no":
                return " ".join(text.split())
        return "" if self.compiled else "does not compile"


def printable(text):
    """Without what could move a cursor, or end an XML file."""
    return re.sub(r"[^\n -~\u00a0-\ud7ff]", "?", text)


class Workshop:
    """Compiles answers to some exercises with what make says, and runs
    them."""

    def __init__(self, scratch, found, root=ROOT):
        self.root, self.scratch = root, Path(scratch)
        self.scratch.mkdir(parents=True, exist_ok=True)
        checked = " ".join(e.id for e in found if e.type != "md")
        done = subprocess.run(
            ["make", "-s", "SANITIZE=1", f"OUT={OUT}", "exercise-parts",
             f"CHECKED_IDS={checked}"],
            cwd=root, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Mistake(done.stdout + done.stderr)
        self.said = done.stderr     # of the compiler, about the checks
        self.parts = {}
        for line in done.stdout.splitlines():
            name, *words = line.split()
            self.parts[name] = words
        self.sheets = {e.id: self.link(e, [], f"{e.id}.sheet")
                       for e in found if e.type == "txt"}

    def link(self, exercise, sources, name):
        """A program, and what the compiler said; None if it said no."""
        program = self.scratch / name
        done = subprocess.run(
            [*self.parts["compiler"], "-o", str(program), *sources,
             *self.parts[exercise.id], *self.parts["libraries"]],
            cwd=self.root, capture_output=True, text=True, check=False,
            errors="replace")
        said = done.stdout + done.stderr
        return (program if done.returncode == 0 else None), said

    def build(self, exercise, answer, name):
        """The same for an answer. A sheet's program does not depend on it,
        and only needs another name, as its log does."""
        if exercise.type == "c":
            return self.link(exercise, [str(answer)], name)
        program, said = self.sheets[exercise.id]
        if program is not None:
            (self.scratch / name).unlink(missing_ok=True)
            os.link(program, self.scratch / name)
            program = self.scratch / name
        return program, said

    def run(self, exercise, program, answer):
        """Right, when the check says so with its status and its last line:
        the second alone anybody can print, the first alone any exit(0)."""
        try:
            done = subprocess.run(
                ["sh", "tools/exercise", "run", exercise.id, exercise.type,
                 str(exercise.folder), str(program), str(answer)],
                cwd=self.root, capture_output=True, timeout=90, check=False,
                stdin=subprocess.DEVNULL)
            status, table = done.returncode, done.stdout[:100000]
        except subprocess.TimeoutExpired:
            status, table = 1, b"no    stopped after 90 seconds\n"
        table = printable(table.decode(errors="replace"))
        last = table.rstrip().rsplit("\n", 1)[-1]
        right = status == 0 and re.fullmatch(r"all \d+ cases are right", last)
        return Result(bool(right), table)

    def check(self, exercise, answer, name=None):
        program, said = self.build(exercise, answer, name or exercise.id)
        if program is None:
            return Result(False, printable(said), compiled=False)
        return self.run(exercise, program, answer)

    def sheet(self, exercise, program, what, seed):
        """The questions of a sheet, or with "solve" the answers too."""
        done = subprocess.run([program, what, str(seed)], cwd=self.root,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Mistake(done.stdout + done.stderr)
        return done.stdout


def seed_of(text):
    found = SEED.search(text)
    return int(found.group(1)) if found else None
