"""Each exercise can be solved, and a wrong answer is noticed.

    python3 tools/check_exercises.py            all of them
    python3 tools/check_exercises.py 05-1 ...   some

book/exercises.md says what is proved. tests/test_exercises.py calls the same
functions.
"""

import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import exercises
from exercises import Mistake

BOX = re.compile(r"^::: \{\.exercise ([^}]*)\}", re.MULTILINE)
SEEDS = range(1, 13)
FEWEST_WRONG = 3


def box_of(exercise):
    """The attributes of its box in the chapter's text."""
    text = exercise.folder.parent.parent / "chapter.md"
    for found in BOX.findall(text.read_text()):
        box = dict(re.findall(r'(\w+)="([^"]*)"', found))
        if box.get("id") == exercise.id:
            return box
    raise Mistake(f"no box in {text.parent.name}/{text.name}")


def check_text(exercise):
    box = box_of(exercise)
    for name, value in (("kind", exercise.kind),
                        ("minutes", str(exercise.minutes)),
                        ("folder", exercise.folder.name)):
        if box.get(name) != value:
            raise Mistake(f"the box in the text says {name}="
                          f"{box.get(name)}, and task.md {value}")
    needed = [exercise.solution]
    if exercise.type != "md":
        needed.append(exercise.folder / "hint.md")
        needed.append(exercise.solution.with_suffix(".wrong"))
    for path in needed:
        if not path.is_file():
            raise Mistake(f"there is no {path.name}")


def wrong_versions(exercise):
    """Each wrong version of the solution, with the line that makes it."""
    solution = exercise.solution.read_text()
    found = []
    listed = exercise.solution.with_suffix(".wrong").read_text()
    for line in listed.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        old, arrow, new = (part.strip() for part in line.partition(" =>"))
        if not arrow or solution.count(old) != 1:
            raise Mistake(f"{solution.count(old)} times in the solution, not"
                          f" once: {line}")
        found.append((line, solution.replace(old, new)))
    if len(found) < FEWEST_WRONG:
        raise Mistake(f"{len(found)} wrong versions, at least {FEWEST_WRONG}")
    return found


def check_wrong_version(shop, exercise, number, line, text):
    """Its name is its number, so that several can be built at a time."""
    name = f"{exercise.id}-wrong-{number}"
    answer = shop.scratch / f"{name}.{exercise.type}"
    answer.write_text(text)
    program, said = shop.build(exercise, answer, name)
    if program is None:
        raise Mistake(f"does not compile, which proves nothing: {line}\n"
                      f"{said}")
    if shop.run(exercise, program, answer).right:
        raise Mistake(f"nobody would notice: {line}")


def check_sheet(shop, exercise):
    """Seeds differ in their questions, and the check takes its answers."""
    program, said = shop.build(exercise, None, f"{exercise.id}-sheet")
    if program is None:
        raise Mistake(f"the check does not compile\n{said}")
    asked = {}
    for seed in SEEDS:
        sheet = shop.sheet(exercise, program, "ask", seed)
        asked[sheet.replace(f"seed = {seed}\n", "", 1)] = seed
        empty = shop.scratch / f"{exercise.id}-empty.txt"
        empty.write_text(sheet)
        if shop.run(exercise, program, empty).right:
            raise Mistake("an empty sheet passes")
        solved = shop.scratch / f"{exercise.id}-solved.txt"
        solved.write_text(shop.sheet(exercise, program, "solve", seed))
        result = shop.run(exercise, program, solved)
        if not result.right:
            raise Mistake(f"seed {seed}: the check refuses its own answers\n"
                          f"{result.table}")
    picks = "exercise_pick" in (exercise.folder / "check.c").read_text()
    if picks and len(asked) * 2 < len(SEEDS):
        raise Mistake(f"{len(SEEDS)} seeds give only {len(asked)} sheets")
    return len(asked)


def check_start(shop, exercise):
    start = exercise.folder / "start.c"
    program, said = shop.build(exercise, start, f"{exercise.id}-start")
    if program is None or said:
        raise Mistake(f"the start does not compile in silence\n{said}")
    if shop.run(exercise, program, start).right:
        raise Mistake("the start passes already")


def check_solution(shop, exercise):
    program, said = shop.build(exercise, exercise.solution,
                               f"{exercise.id}-solution")
    if program is None or said:
        raise Mistake(f"the solution does not compile in silence\n{said}")
    result = shop.run(exercise, program, exercise.solution)
    if not result.right:
        raise Mistake(f"the solution fails\n{result.table}")


def prove(shop, exercise):
    """A sentence about what was proved; raises Mistake."""
    check_text(exercise)
    if exercise.type == "md":
        return "answered in words"
    check_solution(shop, exercise)
    if exercise.type == "c":
        check_start(shop, exercise)
        first = "the start fails"
    else:
        n = check_sheet(shop, exercise)
        first = f"{n} sheets for {len(SEEDS)} seeds"
    versions = wrong_versions(exercise)
    for number, (line, text) in enumerate(versions):
        check_wrong_version(shop, exercise, number, line, text)
    return f"{first}, the solution passes, {len(versions)} wrong ones fail"


def report(shop, exercise):
    try:
        text = f"ok    {exercise.id} {exercise.title}: "
        return True, text + prove(shop, exercise)
    except Mistake as mistake:
        return False, f"FAIL  {exercise.id} {exercise.title}: {mistake}"


def main(ids):
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        try:
            found = [e for e in exercises.catalogue()
                     if not ids or e.id in ids]
            shop = exercises.Workshop(scratch, found)
        except Mistake as mistake:
            sys.exit(f"error: {mistake}")
        with ThreadPoolExecutor(min(cpu_count() or 1, 4)) as pool:
            for good, text in pool.map(lambda e: report(shop, e), found):
                failed += not good
                print(text, flush=True)
    print(f"{len(found) - failed} of {len(found)} exercises are as they"
          " should be")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
