"""What the answers in a folder are worth.

    python3 tools/grade.py [--work FOLDER] [--chapter 05]
                           [--format table|json|junit] [--progress]

FOLDER holds a reader's answers, 05-1.c, 01-1.txt and so on, or a folder of
such answers for each student. This runs what students wrote, with your
rights: grade a class where nothing can be broken.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import exercises
import progress

ANSWER = re.compile(r"\d\d-\d+[\w-]*\.(c|txt|md)")


def find_answer(exercise, folder):
    """05-1.c, or with its whole name, as in solutions/."""
    for name in (exercise.id, exercise.folder.name):
        path = folder / f"{name}.{exercise.type}"
        if path.is_file():
            return path.resolve()
    return None


def has_answers(folder):
    return any(ANSWER.fullmatch(path.name) for path in folder.iterdir())


def students(work):
    """Names and folders: of a class, or of the one reader, without a name."""
    if not work.is_dir() or has_answers(work):
        return [("", work)]
    found = [(exercises.printable(path.name), path)
             for path in sorted(work.iterdir())
             if path.is_dir() and has_answers(path)]
    return found or [("", work)]


def in_words(exercise, answer):
    """Points for what no program checks are the teacher's to give."""
    text = answer.read_text(errors="replace").strip() if answer else ""
    written = text not in ("", f"# {exercise.id} {exercise.title}")
    return {"status": "written" if written else "missing",
            "remark": "for the teacher" if written else ""}


def mark(shop, exercise, folder, name):
    """One answer's row: status is passed, failed, missing or written."""
    answer = find_answer(exercise, folder)
    row = {"id": exercise.id, "title": exercise.title, "kind": exercise.kind,
           "minutes": exercise.minutes, "of": exercise.points, "points": 0}
    if exercise.type == "md":
        return {**row, "points": None, **in_words(exercise, answer)}
    if answer is None:
        return {**row, "status": "missing", "remark": ""}
    if exercise.type == "txt":
        row["seed"] = exercises.seed_of(answer.read_text(errors="replace"))
    result = shop.check(exercise, answer, name)
    if result.right:
        return {**row, "status": "passed", "points": exercise.points,
                "remark": "", "table": result.table}
    right, reached = result.cases
    remark = "does not compile" if not result.compiled \
        else f"{right} of {reached} cases"
    return {**row, "status": "failed", "remark": remark,
            "first_wrong": result.first_wrong, "table": result.table}


def grade(work, chapter=None):
    """A list of students, each with the rows of all exercises."""
    found = [e for e in exercises.catalogue()
             if chapter in (None, e.id.split("-")[0])]
    class_ = students(work)
    needed = [e for e in found
              if any(find_answer(e, folder) for _, folder in class_)]
    if needed and sys.stderr.isatty():
        print("building and checking ...", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        shop = exercises.Workshop(scratch, needed)
        work = [(exercise, folder, f"{exercise.id}-{i}")
                for i, (_, folder) in enumerate(class_)
                for exercise in found]
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
            rows = list(pool.map(lambda item: mark(shop, *item), work))
    n = len(found)
    return [summary(name, rows[i * n:(i + 1) * n])
            for i, (name, _) in enumerate(class_)]


def summary(name, rows):
    checked = [row for row in rows if row["points"] is not None]
    return {"student": name, "points": sum(row["points"] for row in checked),
            "of": sum(row["of"] for row in checked), "exercises": rows}


def by_chapter(student):
    """Chapter to a list of its rows that a program checks."""
    found = {}
    for row in student["exercises"]:
        if row["points"] is not None:
            found.setdefault(row["id"].split("-")[0], []).append(row)
    return found


def one_table(student):
    yield f"{'exercise':39}{'kind':9}{'min':>3}   points"
    for row in student["exercises"]:
        points = "-" if row["points"] is None \
            else f"{row['points']} of {row['of']}"
        line = f"{row['id']:6}{row['title'][:32]:33}{row['kind']:9}" \
               f"{row['minutes']:3}   {points:8}{row['remark']}"
        yield line.rstrip()
    yield f"{'together':54}{student['points']} of {student['of']}"


def class_table(class_):
    chapters = sorted({c for s in class_ for c in by_chapter(s)})
    yield f"{'student':20}" + "".join(f"{c:>6}" for c in chapters) \
        + f"{'together':>11}"
    for student in class_:
        found = by_chapter(student)
        yield f"{student['student'][:19]:20}" + "".join(
            f"{sum(row['points'] for row in found[c]):6}" for c in chapters) \
            + f"{student['points']:11}"
    of = by_chapter(class_[0])
    yield f"{'of':20}" + "".join(
        f"{sum(row['of'] for row in of[c]):6}" for c in chapters) \
        + f"{class_[0]['of']:11}"


def as_table(class_):
    rows = one_table(class_[0]) if len(class_) == 1 else class_table(class_)
    return "\n".join(rows)


def as_json(class_):
    return json.dumps({"students": class_}, indent=1, ensure_ascii=False)


def as_junit(class_):
    suites = xml.Element("testsuites")
    for student in class_:
        rows = student["exercises"]
        suite = xml.SubElement(
            suites, "testsuite", name=student["student"] or "reader",
            tests=str(len(rows)), errors="0",
            failures=str(sum(r["status"] == "failed" for r in rows)),
            skipped=str(sum(r["status"] in ("missing", "written")
                            for r in rows)))
        for row in rows:
            case = xml.SubElement(
                suite, "testcase", classname=f"chapter-{row['id'][:2]}",
                name=f"{row['id']} {row['title']} ({row['of']} points)")
            if row["status"] == "failed":
                xml.SubElement(case, "failure", message=row["first_wrong"]
                               ).text = row["table"]
            elif row["status"] != "passed":
                xml.SubElement(case, "skipped", message=row["remark"]
                               or "not handed in")
    xml.indent(suites)
    return xml.tostring(suites, encoding="unicode", xml_declaration=True)


def wants_colour():
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") \
        and os.environ.get("TERM", "dumb") != "dumb"


def as_map(student, colour=False):
    counts = {int(chapter): (sum(r["status"] == "passed" for r in rows),
                             len(rows))
              for chapter, rows in by_chapter(student).items()}
    lines = progress.draw(counts, colour)
    passed, there = (sum(c[i] for c in counts.values()) for i in (0, 1))
    lines.append(f"{passed} of {there} checked exercises, {student['points']}"
                 f" of {student['of']} points")
    for row in student["exercises"]:
        if row["status"] != "passed" and row["points"] is not None:
            lines.append(f"next: make exercise-{row['id']}"
                         f"  ({row['title']}, {row['minutes']} minutes)")
            break
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", default="work", metavar="FOLDER")
    parser.add_argument("--chapter", metavar="NN")
    parser.add_argument("--format", default="table",
                        choices=("table", "json", "junit"))
    for name in ("table", "json", "junit"):
        parser.add_argument(f"--{name}", dest="format", action="store_const",
                            const=name, help=f"the same as --format {name}")
    parser.add_argument("--progress", action="store_true",
                        help="the map of the Llama instead")
    return parser.parse_args()


def main():
    given = arguments()
    work = Path(given.work)
    if not work.is_dir() and given.work != "work":
        sys.exit(f"error: there is no folder {work}")
    try:
        class_ = grade(work.resolve(), given.chapter)
    except exercises.Mistake as mistake:
        sys.exit(f"error: {mistake}")
    if not class_[0]["exercises"]:
        sys.exit(f"error: there is no exercise in chapter {given.chapter}")
    if given.progress:
        for student in class_:
            if student["student"]:
                print(student["student"])
            print(as_map(student, wants_colour()))
    else:
        print({"table": as_table, "json": as_json,
               "junit": as_junit}[given.format](class_))
    return 0


if __name__ == "__main__":
    sys.exit(main())
