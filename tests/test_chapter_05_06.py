"""The programs of chapters 05 and 06: their pictures, their data, and what
they say about traces that do not fit."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"05": "05-rmsnorm-rope", "06": "06-attention"}


@pytest.fixture(scope="module", autouse=True)
def programs():
    subprocess.run(["make", "-s", "chapter-05", "chapter-06"], cwd=ROOT,
                   check=True)


def run(chapter, *options, code=0):
    result = subprocess.run([f"./chapter-{chapter}/run", *map(str, options)],
                            cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == code, result.stderr
    return result.stdout if code == 0 else result.stderr


@pytest.fixture(scope="module")
def recorded():
    reader = gguf.GGUFReader(ROOT / "data/trace.gguf")
    return {t.name: np.array(t.data, dtype=np.float64)
            for t in reader.tensors}


# Where the last digits of a measured difference may vary with the compiler.
NOISE = re.compile(r"\b\d\.\d+e[-+]\d\d\b(?!\))")


@pytest.mark.parametrize("chapter", FOLDERS)
def test_transcript(chapter):
    """What the text quotes is what the program prints."""
    path = ROOT / "chapters" / FOLDERS[chapter] / "expected/run.txt"
    lines = [line for line in path.read_text().splitlines()
             if not line.startswith("# @")]
    assert lines.pop(0) == f"$ ./chapter-{chapter}/run"
    printed = run(chapter)
    assert (NOISE.sub("#", "\n".join(lines).strip())
            == NOISE.sub("#", printed.strip()))
    assert max(map(len, printed.splitlines())) <= 78
    assert "\x1b" not in printed


# --- chapter 05 ------------------------------------------------------------


def test_norm_and_angles(recorded):
    data = json.loads(run("05", "--json", "--layer", 5, "--token", 3,
                          "--stride", 7))
    x = recorded["blk.5.input"][3]
    weight = recorded["blk.5.attn_norm.weight"]
    assert np.array_equal(np.float32(data["norm"]["before"]), np.float32(x))
    expected = x / math.sqrt(np.mean(x * x) + 1e-5) * weight
    largest = np.abs(expected).max()
    assert np.abs(data["norm"]["after"] - expected).max() < 1e-5 * largest

    frequencies = 100000.0 ** (-np.arange(0, 64, 2) / 64)
    assert np.allclose(data["frequencies"], frequencies, rtol=1e-12)
    cosines = np.cos(np.outer(frequencies, 7 * np.arange(30)))
    assert np.abs(data["cosines"] - cosines).max() < 1e-9


def rotate(x, position, pairs):
    """Turn one head; pairs lists which two numbers belong together."""
    out = np.array(x)
    for i, (a, b) in enumerate(pairs):
        angle = position * 100000.0 ** (-2 * i / len(x))
        c, s = math.cos(angle), math.sin(angle)
        out[a], out[b] = x[a] * c - x[b] * s, x[a] * s + x[b] * c
    return out


def test_scores(recorded):
    data = json.loads(run("05", "--json", "--layer", 13, "--head", 4,
                          "--query", 15, "--key", 6, "--positions", 6))
    q = recorded["blk.13.q"][15, 4 * 64:5 * 64]
    k = recorded["blk.13.k"][6, 64:128]
    adjacent = [(i, i + 1) for i in range(0, 64, 2)]
    halves = [(i, i + 32) for i in range(32)]
    for name, for_q, for_k in (("adjacent", adjacent, adjacent),
                               ("halves", halves, halves),
                               ("mixed", adjacent, halves)):
        expected = [[rotate(q, m, for_q) @ rotate(k, n, for_k) / 8
                     for n in range(6)] for m in range(6)]
        got = np.array(data["scores"][name])
        assert np.abs(got - expected).max() < 1e-5, name
        diagonal = np.ptp(np.diagonal(got))
        assert (diagonal < 1e-5) == (name != "mixed")


@pytest.mark.parametrize("stretch,context", [(4, 0), (8, 2048), (1, 0)])
def test_scaling(stretch, context):
    """Every method, written as its paper has it: as new frequencies."""
    data = json.loads(run("05", "--json", "--stretch", stretch,
                          "--context", context))
    old = 100000.0 ** (-np.arange(0, 64, 2) / 64)
    base = 100000.0 * stretch ** (64 / 62)
    length = 2 * np.pi / old                    # of one turn, in positions
    trained = context or 8192

    gamma = np.clip((trained / length - 1) / (32 - 1), 0, 1)
    smooth = (trained / length - 1) / (4 - 1)
    new = {
        "linear": old / stretch,
        "NTK": base ** (-np.arange(0, 64, 2) / 64),
        "YaRN": (1 - gamma) * old / stretch + gamma * old,
        "Llama 3": np.where(length < trained / 4, old, np.where(
            length > trained, old / stretch,
            (1 - smooth) * old / stretch + smooth * old)),
    }
    assert list(data["scaling"]) == list(new)
    for name, frequencies in new.items():
        got = old / np.array(data["scaling"][name]["factors"])
        assert np.allclose(got, frequencies, rtol=1e-6), name
    assert data["scaling"]["YaRN"]["score_factor"] == pytest.approx(
        (0.1 * math.log(stretch) + 1) ** 2)
    assert data["scaling"]["linear"]["score_factor"] == 1


def test_values_of_the_text(tmp_path):
    """What 05_values.py computes is what stands in expected/."""
    path = tmp_path / "values.json"
    subprocess.run([sys.executable, "reference/05_values.py", path],
                   cwd=ROOT, check=True)
    then = (ROOT / "chapters" / FOLDERS["05"]
            / "expected/values.json").read_text()
    for old, new in zip(numbers(json.loads(then)),
                        numbers(json.loads(path.read_text())), strict=True):
        assert old == pytest.approx(new, rel=1e-9)


def numbers(tree):
    """All of a tree, in order, without the names."""
    if isinstance(tree, dict):
        return [n for key in sorted(tree) for n in numbers(tree[key])]
    return [tree]


def test_pictures_are_current(tmp_path):
    """The figures of the text are what the program's data gives."""
    folder = ROOT / "chapters" / FOLDERS["05"] / "figures"
    subprocess.run([sys.executable, folder / "draw.py", tmp_path],
                   check=True)
    drawn = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert drawn == sorted(path.name for path in folder.glob("*.svg"))
    for name in drawn:
        # Colours and the last digit of a point may vary with the compiler.
        then, now = ([float(n) for n in re.findall(
            r"(?<=[\" ,-])\d+\.?\d*(?=[\" ,])", path.read_text())]
            for path in (folder / name, tmp_path / name))
        assert len(then) > 20 and now == pytest.approx(then, abs=0.02), name


def test_the_check_notices():
    """What was recorded is only got back with what it was recorded with."""
    run("05")
    assert "RoPE" in run("05", "--pairing", "halves", code=1)
    assert "base 10000" in run("05", "--theta", 10000, code=1)


def test_the_check_sees_what_is_small(tmp_path):
    """A giant channel, or a loud pair, hides no wrong number beside it."""
    def changed(name, change):
        path = tmp_path / "changed.gguf"
        path.write_bytes((ROOT / "data/trace.gguf").read_bytes())
        reader = gguf.GGUFReader(path, "r+")
        rows = next(t for t in reader.tensors if t.name == name).data
        change(rows[18])
        rows.flush()
        return run("05", "--trace", path, code=1)

    def quietest(row):
        row[np.argsort(np.abs(row))[:80]] = 0

    def louder(row):
        row[np.argsort(np.abs(row))[:265]] *= 1.25

    def quiet_pair(row):
        pairs = row.reshape(-1, 2)
        pairs[np.argmin(np.abs(pairs).max(1))] *= 1.25

    assert "RMSNorm" in changed("blk.13.attn_norm", quietest)
    assert "RMSNorm" in changed("blk.13.attn_norm", louder)
    assert "RoPE" in changed("blk.13.q_rope", quiet_pair)
    assert "RoPE" in changed("blk.13.k_rope", quiet_pair)


# --- chapter 06 ------------------------------------------------------------


def softmax(scores):
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


@pytest.mark.parametrize("layer,head", [(1, 2), (5, 6), (13, 8), (13, 0)])
def test_weights(recorded, layer, head):
    data = json.loads(run("06", "--json", "--layer", layer, "--head", head,
                          "--token", 12))
    q = recorded[f"blk.{layer}.q_rope"].reshape(-1, 9, 64)
    k = recorded[f"blk.{layer}.k_rope"].reshape(-1, 3, 64)
    n = len(q)
    expected = np.zeros((n, n))
    for i in range(n):
        scores = k[:i + 1, head // 3] @ q[i, head] / 8
        expected[i, :i + 1] = softmax(scores)
    assert np.abs(data["weights"] - expected).max() < 1e-5
    for h in range(9):
        weights = softmax(k[:13, h // 3] @ q[12, h] / 8)
        assert np.abs(np.array(data["token_weights"][h][:13])
                      - weights).max() < 1e-5
        assert not any(data["token_weights"][h][13:])


def test_what_the_heads_do():
    """The three things that the text points at are there to be seen."""
    before = np.array(json.loads(run("06", "--json", "--layer", 1, "--head",
                                     2))["weights"])
    assert np.mean([before[i, i - 1] for i in range(1, 20)]) > 0.5
    again = json.loads(run("06", "--json", "--layer", 5, "--head", 6))
    assert again["tokens"][15] == again["tokens"][6] == " street"
    assert again["weights"][15][6] > 0.6
    it = json.loads(run("06", "--json"))
    assert 0 <= it["difference"] <= 1e-5
    assert (it["tokens"][8], it["tokens"][1]) == (" it", " animal")
    assert it["weights"][8][1] > 0.6


def test_cost():
    """With and without a cache: the same result, and other work."""
    rows = json.loads(run("06", "--cost", "--json"))
    assert [row["positions"] for row in rows] == [16, 32, 64, 128, 256, 512]
    for row in rows:
        n = row["positions"]
        assert row["difference"] <= 1e-5
        assert row["cached_products"] == 128 * 64 + n * 2 * 64
        assert row["naive_products"] == n * 128 * 64 + n * (n + 1) * 64
    # 285 times the work at 512; the clock may be as rough as it likes.
    assert rows[-1]["naive_seconds"] > 10 * rows[-1]["cached_seconds"]
    assert "times" in run("06", "--cost")


# --- traces of our own -----------------------------------------------------


def test_a_trace_of_chapter_08(tmp_path):
    """What the engine records is what the chapters compute, to the bit."""
    subprocess.run(["make", "-s", "chapter-08"], cwd=ROOT, check=True)
    path = tmp_path / "trace.gguf"
    run("08", "-m", "data/tiny.gguf", "-p", "A model reads.", "--trace", path)
    for layer in (0, 1):
        options = ["--trace", path, "--layer", layer, "--head", 3]
        printed = run("05", *options)
        for step in ("attn_norm", "q_rope in neighbours",
                     "k_rope in neighbours"):
            assert re.search(step + r" +0\.00e\+00 .* ok", printed), printed
        run("06", *options)


# --- what does not fit -----------------------------------------------------


@pytest.mark.parametrize("chapter", FOLDERS)
@pytest.mark.parametrize("options,sentence", [
    (["--trace", "data/tiny.gguf"], "general.type"),
    (["--trace", "data/nothing.gguf"], "data/nothing.gguf"),
    (["--trace", "data"], "data"),
    (["--layer", "3"], "layer 3 was not recorded, only 1, 5, 13"),
    (["--head", "9"], "expected 0 to 8"),
    (["--token", "20"], "expected 0 to 19"),
])
def test_bad_input(chapter, options, sentence):
    message = run(chapter, *options, code=1)
    assert message.startswith("error: ") and message.count("\n") == 1
    assert sentence in message


@pytest.mark.parametrize("chapter", FOLDERS)
@pytest.mark.parametrize("options", [["--layer", "-2"], ["extra"],
                                     ["--head", "x"]])
def test_wrong_usage(chapter, options):
    assert "--help" in run(chapter, *options, code=2)


def test_unknown_pairing():
    assert "adjacent or halves" in run("05", "--pairing", "both", code=2)
