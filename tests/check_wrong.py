"""Plausible mistakes, each proved to be caught.

    python3 tests/check_wrong.py            all of them
    python3 tests/check_wrong.py NAME ...   those whose path holds a NAME

A file chapters/*/wrong/*.c begins with one of two lines such as

    // replaces common/rope.c; caught by tests/test_rope.c
    // replaces fill() in common/sampler.c; caught by tests/test_sampler.c

The second holds one function alone, which takes the place of its namesake.
Where the line is too long it goes on in the next, from "caught by".
The test is built with the wrong file in place of the right one, and has to
fail. It has to pass with the right one, too, or failing would prove nothing.
"""

import functools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = os.environ.get("OUT", "build")         # as for make
FIRST_LINE = re.compile(r"// replaces (?:(\w+)\(\) in )?(\S+\.c);"
                        r"(?: |\n// )caught by (tests/test_\w+\.c)\n")


def wrong_files():
    """Every wrong version, as a path relative to the root."""
    found = sorted(ROOT.glob("chapters/*/wrong/*.c"))
    return [str(path.relative_to(ROOT)) for path in found]


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True,
                          errors="replace")


def must(*command):
    """Run something that is not allowed to fail; its output."""
    result = run(*command)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}:\n{result.stdout}"
                           f"{result.stderr}")
    return result.stdout


def facts(wrong):
    """The function that it replaces, or None; the file; the test."""
    match = FIRST_LINE.match((ROOT / wrong).read_text())
    if match is None:
        raise ValueError("the first line does not say what it replaces")
    return match.groups()


def wrong_source(wrong):
    """The text of the file that it replaces, as the mistake makes it."""
    function, replaced, _ = facts(wrong)
    text = (ROOT / wrong).read_text()
    if function is None:
        return text
    pieces = re.split(rf"^[a-z][\w *]*\b{function}\([^;{{]*\)\n{{\n.*?^}}\n",
                      (ROOT / replaced).read_text(),
                      flags=re.MULTILINE | re.DOTALL)
    if len(pieces) != 2:
        raise ValueError(f"{replaced} has {len(pieces) - 1} functions"
                         f" {function}()")
    return text.join(pieces)


@functools.lru_cache(maxsize=None)
def parts(test):
    """Compiler with flags, objects and libraries of a test, from make."""
    name = Path(test).stem
    must("make", "-s", f"OUT={OUT}", f"{OUT}/tests/{name}")
    lines = must("make", "-s", f"OUT={OUT}", "test-parts").splitlines()
    return [line.split() for line in lines]


def build_with(wrong, replaced, test, folder):
    """Build `test` with `wrong` standing in for `replaced`."""
    compiler, objects, libraries = map(list, parts(test))
    test_object, program = str(folder / "test.o"), str(folder / "test")
    # A chapter's own file is included by its test, which finds ours first.
    shadow = folder / replaced
    shadow.parent.mkdir(parents=True)
    shadow.write_text(wrong_source(wrong))
    must(*compiler[:1], f"-I{folder}", *compiler[1:], "-c", "-o",
         test_object, test)
    if replaced.startswith("common/"):
        right_object = f"{OUT}/{replaced[:-2]}.o"
        if right_object not in objects:
            raise RuntimeError(f"{wrong}: no {right_object} to replace")
        objects.remove(right_object)
        must(*compiler, "-c", "-o", str(folder / "wrong.o"), str(shadow))
        objects.append(str(folder / "wrong.o"))
    must(*compiler[:1], "-o", program, test_object, *objects, *libraries)
    return program


@functools.lru_cache(maxsize=None)
def passes(test):
    """Does it pass with the right code?"""
    return run(f"{OUT}/tests/{Path(test).stem}").returncode == 0


def check(wrong):
    """None when the mistake is caught, otherwise what is wrong with that."""
    try:
        _, replaced, test = facts(wrong)
        for path in (replaced, test):
            if not (ROOT / path).is_file():
                return f"there is no {path}"
        with tempfile.TemporaryDirectory() as folder:
            program = build_with(wrong, replaced, test, Path(folder))
            result = run(program)
    except (ValueError, RuntimeError) as problem:
        return str(problem)
    if not passes(test):
        return f"{test} fails with the right file, too"
    if result.returncode == 0:
        return f"{test} passes: nobody would notice"
    if "FAILED" not in result.stdout + result.stderr:
        return f"{test} ends with {result.returncode} and names no test"
    return None


def main(names):
    failures = 0
    for wrong in wrong_files():
        if names and not any(name in wrong for name in names):
            continue
        problem = check(wrong)
        failures += problem is not None
        print(f"{'ok    ' if problem is None else 'FAIL  '}{wrong}"
              f"{'' if problem is None else ': ' + problem}", flush=True)
    return failures != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
