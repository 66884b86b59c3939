"""The rules of the tree that a script can check. Prints one line for each,
"ok 1 - ..." or "not ok 1 - ...", with what breaks it below.

    python3 tests/check_structure.py [--quick]      (without the builds)
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES, MAX_COLUMNS, MAX_MAIN = 500, 78, 250
USUAL_FUNCTION, MAX_FUNCTION, MAX_REGION = 35, 60, 35
MARK = re.compile(r"^\s*(?://|#)\s*@(begin|end) (\S+)\s*$")
# What the library must leave to main(): output, exits, the environment.
FORBIDDEN = re.compile(
    r"(?<![\w.>])(printf|puts|putchar|perror|exit|_Exit|abort|getenv|"
    r"setlocale|srand|rand)\s*\(")
MACHINE = re.compile(r"/(?:home|Users|root|work|private)/[\w.]")
# Tables that Unicode gave, and generated text, have as many lines as needed.
LONG_FILES = {"common/unicode_data.c"}
# What may touch standard streams (args and json_out are given theirs by the
# caller), and ask the terminal's environment: NO_COLOR, TERM, COLUMNS.
PRINTERS = {"common/args.c", "common/json_out.c", "common/terminal.c"}


def sources(*patterns):
    return sorted(p for pattern in patterns for p in ROOT.glob(pattern))


def name(path):
    return str(path.relative_to(ROOT))


def code(text):
    """The text with comments and strings blanked, lines kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
                  r"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.DOTALL)


def functions(path):
    """Name and number of lines of each function: in this tree a function's
    body opens and closes in the first column."""
    lines, start = code(path.read_text()).split("\n"), 0
    for i, line in enumerate(lines):
        if line == "{":
            start = i
            while start > 0 and lines[start - 1].strip() not in ("", "}"):
                start -= 1
        elif line == "}":
            head = " ".join(lines[start:start + 3])
            found = re.search(r"(\w+)\s*\(", head)
            yield (found.group(1) if found else "?"), i - start + 1


def function_lengths():
    lengths = [(n, f"{name(path)}: {function} has {n} lines")
               for path in sources("common/*.c", "chapters/*/*.c")
               for function, n in functions(path)]
    bad = [text for n, text in lengths if n > MAX_FUNCTION]
    long = sorted((n, text) for n, text in lengths if n > USUAL_FUNCTION)
    if len(long) * 10 > len(lengths):
        bad.append(f"{len(long)} of {len(lengths)} functions have more than"
                   f" {USUAL_FUNCTION} lines, 1 in 10 may")
        bad += [text for _, text in long]
    return bad


def file_lengths():
    bad = []
    for path in sources("common/**/*.[ch]", "chapters/**/*.[ch]",
                        "tests/*.[ch]"):
        n = path.read_text().count("\n")
        limit = MAX_MAIN if path.name == "main.c" else MAX_LINES
        if n > limit and name(path) not in LONG_FILES:
            bad.append(f"{name(path)}: {n} lines, at most {limit}")
    return bad


def columns():
    bad = []
    for path in sources("common/**/*.[ch]", "chapters/**/*.[ch]",
                        "tests/*.[ch]", "tests/*.py", "reference/*.py"):
        for i, line in enumerate(path.read_text().split("\n"), start=1):
            if len(line) > MAX_COLUMNS or "\t" in line \
                    or line != line.rstrip():
                bad.append(f"{name(path)}:{i}: {len(line)} columns, a tab or"
                           " spaces at the end")
    return bad


def marks():
    """File, line, kind and name of each mark of a region."""
    for path in sources("common/**/*.[ch]", "chapters/**/*.[ch]"):
        for i, line in enumerate(path.read_text().split("\n"), start=1):
            found = MARK.match(line)
            if found:
                yield name(path), i, found.group(1), found.group(2)
        yield name(path), i, "file", "end"


def regions():
    bad, opened, seen = [], None, set()
    for file, i, kind, region in marks():
        where = f"{file}:{i}: @{kind} {region}"
        if kind == "file":
            if opened:
                bad.append(f"{file}: {opened} is never closed")
            opened, seen = None, set()
        elif kind == "begin":
            if opened or region in seen:
                bad.append(f"{where}: inside another, or twice")
            opened = region
            seen.add(region)
        else:
            if opened != region:
                bad.append(f"{where}: {opened or 'nothing'} is open")
            opened = None
    return bad


def region_lengths():
    bad, start = [], 0
    for file, i, kind, region in marks():
        if kind == "end" and i - start - 1 > MAX_REGION:
            bad.append(f"{file}:{start}: {region} has {i - start - 1} lines,"
                       f" at most {MAX_REGION} fit a page")
        start = i
    return bad


def library_is_silent():
    bad = []
    for path in sources("common/**/*.[ch]"):
        for i, line in enumerate(code(path.read_text()).split("\n"), 1):
            found = FORBIDDEN.search(line)
            allowed = name(path) in PRINTERS and found \
                and found.group(1) == "getenv"
            if found and not allowed:
                bad.append(f"{name(path)}:{i}: {found.group(1)}()")
            if re.search(r"\b(stdout|stderr)\b", line) \
                    and name(path) not in PRINTERS:
                bad.append(f"{name(path)}:{i}: writes to a standard stream")
    return bad


def no_machine_paths():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout
    bad = []
    for line in listed.split("\n"):
        path = ROOT / line
        if not line or not path.is_file() or path.resolve() == Path(
                __file__).resolve():
            continue
        data = path.read_bytes()
        if b"\0" in data[:4096]:
            continue
        text = data.decode(errors="replace")
        bad += [f"{line}: {found.group()}"
                for found in MACHINE.finditer(text)
                if not line.startswith("tests/")]
    return bad


def no_writable_globals():
    """Symbols of common/ that live in memory one can write to."""
    bad = []
    objects = sources("build/common/*.o", "build/common/kernels/*.o")
    for path in objects:
        out = subprocess.run(["nm", str(path)], capture_output=True,
                             text=True, check=True).stdout
        for line in out.split("\n"):
            parts = line.split()
            # Pointers in constant tables are filled in by the loader, which
            # then protects them: nm calls that section d as well.
            if len(parts) == 3 and parts[1] in "bBdDcCsS" \
                    and not read_only_after_start(path, parts[2]):
                bad.append(f"{name(path)}: {parts[2]} can be written")
    return bad if objects else ["nothing has been built"]


def read_only_after_start(path, symbol):
    out = subprocess.run(["objdump", "-t", str(path)], capture_output=True,
                         text=True, check=False).stdout
    return any(line.split()[-1:] == [symbol] and ".data.rel.ro" in line
               for line in out.split("\n"))


def chapters():
    """Number, folder, modules taught, modules borrowed."""
    rows = []
    for line in (ROOT / "chapters/order.txt").read_text().split("\n"):
        parts = line.split("#")[0].split()
        if not parts or not parts[0].isdigit():
            continue
        # What is taught here and linked only here counts as taught.
        words, ahead = [p for p in parts[2:] if p != "alone:"], []
        if "ahead:" in words:
            at = words.index("ahead:")
            words, ahead = words[:at], words[at + 1:]
        rows.append((parts[0], parts[1], words, ahead))
    return rows


def every_module_is_taught():
    taught = [m for row in chapters() for m in row[2]]
    there = {p.stem for p in sources("common/*.c")}
    bad = [f"common/{m}.c is taught in no chapter"
           for m in sorted(there - set(taught))]
    bad += [f"{m} is in order.txt, and not in common/"
            for m in sorted(set(taught) - there)]
    bad += [f"{m} is taught twice" for m in set(taught)
            if taught.count(m) > 1]
    return bad


def taught_before_used(number):
    """Build one chapter in a copy of the tree that ends with it."""
    keep, folder = set(), ""
    for row in chapters():
        if row[0] <= number:
            keep |= set(row[2])
        if row[0] == number:
            keep |= set(row[3])
            folder = row[1]
    with tempfile.TemporaryDirectory() as copy:
        for part in ("common", "tools", "Makefile", "chapters/order.txt",
                     f"chapters/{number}-{folder}"):
            source, target = ROOT / part, Path(copy) / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
        shutil.rmtree(Path(copy) / "common/kernels", ignore_errors=True)
        for path in Path(copy).glob("common/*.[ch]"):
            if path.stem not in keep:
                path.unlink()
        done = subprocess.run(["make", "-j2", "OPT=-O0",
                               f"chapter-{number}"], cwd=copy, text=True,
                              capture_output=True, check=False)
        if done.returncode:
            return (done.stdout + done.stderr).split("\n")[-12:]
    return []


def main():
    checks = [
        ("functions are short", function_lengths),
        ("files are short", file_lengths),
        ("lines fit the page", columns),
        ("regions are balanced", regions),
        ("regions are short", region_lengths),
        ("the library prints nothing and never exits", library_is_silent),
        ("no path of one machine", no_machine_paths),
        ("every module is taught once", every_module_is_taught),
    ]
    if "--quick" not in sys.argv:
        checks.append(("no globals that can change", no_writable_globals))
        checks += [(f"chapter {row[0]} builds without later modules",
                    lambda n=row[0]: taught_before_used(n))
                   for row in chapters()]
    n_bad = 0
    for i, (text, check) in enumerate(checks, start=1):
        bad = check()
        n_bad += bool(bad)
        print(f"{'not ' if bad else ''}ok {i} - {text}", flush=True)
        for line in bad:
            print(f"#   {line}")
    return 1 if n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
