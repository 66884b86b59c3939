"""Chapter 13's laboratory: that it runs, checks and refuses. No test looks
at a speed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FIGURES = ROOT / "chapters/13-speed/figures"
QUICK = ["--seconds", "0", "-t", "2"]


@pytest.fixture(scope="module")
def program():
    subprocess.run(["make", "-s", "chapter-13"], cwd=ROOT, check=True)
    return ROOT / "chapter-13/run"


def run(program, *options, code=0):
    done = subprocess.run([program, *map(str, options)], cwd=ROOT, text=True,
                          capture_output=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.mark.parametrize("options, names, allowed", [
    (["matmul", "--type", "q8_0", "--rows", 70, "--columns", 96, "--tokens",
      9], ["codes", "all threads"], 0.02),
    (["attention", "--positions", 300], ["spans", "all threads"], 1e-4),
])
def test_versions_agree(program, options, names, allowed):
    found = json.loads(run(program, "lab", *options, *QUICK, "--json"))
    rows = {row["version"]: row for row in found["versions"]}
    first = found["versions"][0]
    assert first["difference"] == 0 and len(rows) == 5
    for name in names:
        assert 0 < rows[name]["difference"] < allowed
    for row in rows.values():
        # Bytes and multiply-adds are the same for all.
        for key in ("bytes_per_second", "multiply_adds_per_second"):
            assert row[key] * row["seconds"] == pytest.approx(
                first[key] * first["seconds"])
    # Vectors, tiles and threads do not change a bit of it.
    assert len({row["difference"] for row in found["versions"][1:]}) == 1


def test_no_codes(program):
    """Floats are not called codes."""
    found = json.loads(run(program, "lab", "matmul", "--type", "f16",
                           "--columns", 33, "--rows", 40, "--tokens", 5,
                           *QUICK, "--json"))
    assert [row["version"] for row in found["versions"]][:2] \
        == ["plain loop, floats", "the engine, plain C"]


def test_best_is_compared_with_nothing(program):
    found = json.loads(run(program, "lab", "matmul", *QUICK, "--best",
                           "--json"))
    assert found["memory_bytes_per_second"] > 0
    assert [row["difference"] for row in found["versions"]] == [None]


@pytest.mark.parametrize("options", [["--type", "Q9"], ["--columns", 33]])
def test_no_broken_json(program, options):
    done = subprocess.run([program, "lab", "matmul", *map(str, options),
                           *QUICK, "--json"], capture_output=True, text=True,
                          check=False)
    assert done.returncode in (1, 2) and done.stdout == ""


def test_limits(program):
    found = json.loads(run(program, "lab", "limits", "--json", "--isa",
                           "scalar", "-t", 1))
    assert found["isa"] == "scalar" and found["threads"] == 1
    for key in ("memory_bytes_per_second", "q8_multiply_adds_per_second",
                "f32_multiply_adds_per_second"):
        assert 1e7 < found[key] < 1e14


@pytest.mark.parametrize("options, code, said", [
    (["lab"], 2, "limits, decode, matmul, attention"),
    (["lab", "nothing"], 2, "limits, decode, matmul, attention"),
    (["bench"], 2, 'unknown word "bench"; expected lab'),
    (["--json"], 2, "name it: lab matmul --json"),
    (["lab", "matmul", "--type", "Q9", *QUICK], 2, "--type Q9: expected"),
    (["lab", "matmul", "--columns", 33, *QUICK], 1, "33"),
    (["lab", "limits", "--isa", "none"], 1, "no kernels are called none"),
])
def test_what_it_refuses(program, options, code, said):
    assert said in run(program, *options, code=code)


def test_figures_are_current(tmp_path):
    subprocess.run([sys.executable, FIGURES / "draw.py", tmp_path],
                   check=True)
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (FIGURES / path.name).read_bytes(), path
