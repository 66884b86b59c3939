"""The programs of chapters 02 and 08: what the text quotes is what they
print, and the numbers that it names are theirs."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COUNT = ROOT / "chapters/02-parameter-calculator/expected"
LLAMA = ROOT / "chapters/08-llama/expected"
MODEL = ROOT / "data/models/SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="module", autouse=True)
def programs():
    subprocess.run(["make", "-s", "chapter-02", "chapter-08"], cwd=ROOT,
                   check=True)


def transcript(path):
    """The command and what it printed, without the marks of regions."""
    lines = [line for line in path.read_text().splitlines()
             if not line.startswith("# @")]
    command = lines.pop(0).removeprefix("$ ")
    while command.endswith("\\"):
        command = command[:-1] + lines.pop(0)
    return shlex.split(command), lines


def words(lines):
    """Without what folding changes, and without the machine's own line."""
    return " ".join(line for line in lines
                    if not line.startswith("this machine:")).split()


def printed(command):
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("path", [*sorted(COUNT.glob("*.txt")),
                                  LLAMA / "run.txt"], ids=str)
def test_transcript(path):
    command, lines = transcript(path)
    if "|" in command:
        command = ["sh", "-c", path.read_text().split("\n")[0][2:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == ("error:" in lines[0])
    # A run that failed shows its sentence; else the result alone is quoted.
    shown = done.stderr if done.returncode else done.stdout
    shown, lines = words(shown.splitlines()), words(lines)
    if lines[-1] == "...":              # only the beginning is quoted
        lines.pop()
        shown = shown[:len(lines)]
    assert shown == lines


def test_paris():
    if not MODEL.exists():
        pytest.skip("make smollm2 fetches the model that this asks")
    command, lines = transcript(LLAMA / "paris.txt")
    for line, now in zip(lines, printed(command).splitlines(), strict=True):
        then, now = line.split(maxsplit=2), now.split(maxsplit=2)
        assert (then[0], then[2]) == (now[0], now[2])
        assert abs(float(then[1]) - float(now[1])) < 1e-3


def test_values():
    for name, options in (("values", ["-t", "2", "--memory", "16G",
                                      "--bandwidth", "20"]),
                          ("tiny", transcript(COUNT / "tiny.txt")[0][1:])):
        assert (json.loads(printed(["./chapter-02/run", *options, "--json"]))
                == json.loads((COUNT / f"{name}.json").read_text()))
    counts = json.loads((COUNT / "counts.json").read_text())
    assert len(counts) == len(list((ROOT / "data/configs").glob("*.json")))
    for name in ("gpt2", "llama-3_2-1b"):
        path = f"data/configs/{name.replace('_', '.')}.json"
        now = json.loads(printed(["./chapter-02/run", "--config", path,
                                  "--mistakes", "--json"]))
        assert counts[name] == {"total": now["parameters"]["total"],
                                **now["mistakes"]}
    text = printed(["./chapter-08/run", "-q", "--isa", "scalar", "--json",
                    "--perplexity", "data/tiny.txt", "-c", "64"])
    then = json.loads((LLAMA / "values.json").read_text())
    now = json.loads(text)
    assert now["tokens"] == then["tokens"]
    assert now["perplexity"] == pytest.approx(then["perplexity"], rel=1e-6)
