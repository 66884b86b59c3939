"""Builds everything and runs every test; `make test` calls it.

The last line is "N passed, N failed", and the exit status is 1 when any
failed. What failed is shown whole, what passed is a line for each program.
"""

import os
import platform
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TAP = re.compile(r"^(not )?ok \d+ -? ?(.*)$", re.MULTILINE)
JOBS = f"-j{min(os.cpu_count() or 1, 4)}"


class Count:
    passed = 0
    failed = 0
    broken = []

    def add(self, name, n_passed, failures, seconds, detail=""):
        self.passed += n_passed
        self.failed += len(failures)
        self.broken += [f"{name}: {failure}" for failure in failures]
        mark = "FAIL" if failures else "ok"
        print(f"{mark:4} {name} ({n_passed} of {n_passed + len(failures)},"
              f" {seconds:.1f} s)", flush=True)
        if failures:
            print(detail, flush=True)


def run(command, timeout=600, **more):
    """Exit status, everything printed, seconds."""
    start = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True,
                              timeout=timeout, check=False,
                              env={**os.environ, **more})
        status, out = done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired as late:
        status, out = -1, (late.stdout or b"") + b"\n(stopped: too slow)\n"
    return status, out.decode(errors="replace"), time.monotonic() - start


def build(count, name, *arguments):
    status, out, seconds = run(["make", JOBS, *arguments], timeout=900)
    failures = []
    if status != 0:
        failures = ["does not build"]
    elif "warning:" in out:
        failures = ["the compiler warns"]
    count.add(name, 0 if failures else 1, failures, seconds, out)
    return status == 0


def tap(count, name, command, timeout=300, **more):
    """A program that says "ok 1 - name" or "not ok 1 - name"."""
    status, out, seconds = run(command, timeout=timeout, **more)
    results = TAP.findall(out)
    failures = [text for bad, text in results if bad]
    if status != 0 and not failures:
        failures = [f"ended with {status}"]
    elif not results:
        failures = ["ran no test"]
    count.add(name, len([1 for bad, _ in results if not bad]), failures,
              seconds, out)


def c_tests(count):
    names = sorted(path.stem for path in ROOT.glob("tests/test_*.c"))
    plain = build(count, "the programs and tests", "chapters", "tests")
    checked = build(count, "the same with sanitizers", "SANITIZE=1",
                    "chapters", "tests")
    build(count, "the same with clang", "CC=clang", "OUT=build/clang",
          "build/clang/all")
    build(count, "the fuzzers", "fuzzers")
    for built, folder in ((plain, "build"), (checked, "build/sanitize")):
        for name in names if built else []:
            tap(count, f"{folder}/tests/{name}",
                [f"./{folder}/tests/{name}"], CMOCKA_MESSAGE_OUTPUT="TAP",
                ASAN_OPTIONS="allocator_may_return_null=1")


def python_tests(count):
    report = ROOT / "build" / "pytest.xml"
    report.unlink(missing_ok=True)
    status, out, seconds = run(
        [sys.executable, "-m", "pytest", "-q", "--tb=short", "tests",
         f"--junitxml={report}", "-o", "cache_dir=build/pytest"],
        timeout=1800, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    n_passed, failures = 0, []
    cases = xml.parse(report).iter("testcase") if report.exists() else []
    for case in cases:
        # Skipped is not passed: a test that did not run says nothing.
        bad = [part for part in case
               if part.tag in ("failure", "error", "skipped")]
        if bad:
            failures.append(f"{case.get('classname')}.{case.get('name')}")
        else:
            n_passed += 1
    if status != 0 and not failures:
        failures = [f"pytest ended with {status}"]
    count.add("pytest", n_passed, failures, seconds, out)


def other_processors(count):
    """What runs on them is emulated, by a program that only Linux has."""
    if platform.system() == "Linux":
        tap(count, "kernels on other processors", ["make", "-s", "test-isa"],
            timeout=900)
    else:
        print("     kernels on other processors: no qemu-user here")


def main():
    count = Count()
    os.makedirs(ROOT / "build", exist_ok=True)
    start = time.monotonic()
    c_tests(count)
    other_processors(count)
    tap(count, "structure",
        [sys.executable, "tests/check_structure.py"], timeout=900)
    status, out, seconds = run(["make", "smollm2"])
    count.add("SmolLM2 is there", int(status == 0),
              ["could not be fetched"] if status else [], seconds, out)
    print("     pytest, some minutes", flush=True)
    python_tests(count)
    status, out, seconds = run(["make", "lint"], timeout=900)
    count.add("lint", int(status == 0), ["not clean"] if status else [],
              seconds, out)
    for line in count.broken:
        print(f"failed: {line}")
    print(f"{time.monotonic() - start:.0f} seconds")
    print(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
