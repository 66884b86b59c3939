"""Every program, seen from the command line."""
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NUMBERS = re.findall(r"^(\d\d) ", (ROOT / "chapters/order.txt").read_text(),
                     re.M)
ESCAPE = b"\x1b"
BUILT = set()


def run(number, *arguments, **more):
    """The program of a chapter, in the root, with pipes for its outputs."""
    if number not in BUILT:
        subprocess.run(["make", "-s", f"chapter-{number}"], cwd=ROOT,
                       check=True, timeout=600)
        BUILT.add(number)
    more.setdefault("stdout", subprocess.PIPE)
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    environment["TERM"] = "xterm-256color"
    return subprocess.run([f"./chapter-{number}/run", *arguments], cwd=ROOT,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          env=environment, timeout=120, **more)


def test_there_are_programs():
    assert NUMBERS[:8] == [f"{n:02}" for n in range(1, 9)]


@pytest.mark.parametrize("number", NUMBERS)
def test_help(number):
    result = run(number, "--help")
    assert result.returncode == 0, result.stderr
    assert result.stderr == b""
    lines = result.stdout.decode().splitlines()
    assert any(f"chapter-{number}/run" in line for line in lines[:3])
    assert [line for line in lines if len(line) > 78] == []


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("flag", ["--no-such-flag", "-Z"])
def test_wrong_flag(number, flag):
    result = run(number, flag)
    assert result.returncode == 2, result.stderr
    assert result.stdout == b""
    assert flag.encode() in result.stderr
    assert b"--help" in result.stderr
    assert ESCAPE not in result.stderr


@pytest.mark.parametrize("number", NUMBERS)
def test_without_arguments(number):
    """Right after a clone, without a network, and piped: no colour."""
    result = run(number)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.split()) > 3
    assert ESCAPE not in result.stdout
    assert ESCAPE not in result.stderr
    assert b"\r" not in result.stdout
    result.stdout.decode("utf-8")


@pytest.mark.parametrize("number", NUMBERS)
def test_output_that_cannot_be_written(number):
    """A full disk is bad luck, not success."""
    if not os.path.exists("/dev/full"):
        # macOS has no such device: a closed output is as good.
        result = run(number, stdout=None, preexec_fn=lambda: os.close(1))
    else:
        with open("/dev/full", "wb") as full:
            result = run(number, stdout=full)
    assert result.returncode == 1
    assert result.stderr.strip()


def test_make_help_fits_and_names_what_matters():
    result = subprocess.run(["make", "help"], cwd=ROOT, check=True,
                            capture_output=True, text=True)
    lines = result.stdout.splitlines()
    assert [line for line in lines if len(line) > 78] == []
    for target in ("run", "test", "chapter-05", "check-chapter-05",
                   "book-draft", "lint", "reference", "smollm2"):
        assert any(line.startswith(f"make {target} ") for line in lines)
    assert len(lines) == len(set(lines))
    first = subprocess.run(["make"], cwd=ROOT, check=True,
                           capture_output=True, text=True)
    assert first.stdout == result.stdout


def test_readmes_name_what_is_there():
    """Every module in the list of modules, and every link and folder."""
    listed = (ROOT / "common/README.md").read_text()
    for header in (ROOT / "common").glob("*.h"):
        assert f"`{header.stem}`" in listed, header
    for name in re.findall(r"`([a-z_]+)(?:\.c)?`", listed):
        if name not in ("int",):
            assert list((ROOT / "common").glob(f"{name}.[ch]")), name
    readme = (ROOT / "README.md").read_text()
    for link in re.findall(r"\]\(([^)]+)\)", readme):
        assert (ROOT / link).exists(), link
    for folder in re.findall(r"^\| `([a-z/]+)/` \|", readme, re.M):
        assert (ROOT / folder).is_dir(), folder
