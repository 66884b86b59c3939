"""tools/bench.py with a tiny model, one round and no peer but a pretended
one: that it runs, what it stores, what it says of two results. No test looks
at a speed."""

import json
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import bench_table                          # noqa: E402
import random_model                         # noqa: E402

PEER = """#!/bin/sh
echo '[{"avg_ts": 10.0}]'
echo "$@" >> "$0.calls"
"""
SHAPE = {"layers": 3, "width": 256, "heads": 4, "kv_heads": 2, "ff": 512,
         "vocab_size": 300, "context": 128}


@pytest.fixture(scope="module")
def programs():
    subprocess.run(["make", "-s", "chapter-04", "chapter-08", "chapter-13"],
                   cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def result(programs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    peer = folder / "other" / "bench"
    peer.parent.mkdir()
    peer.write_text(PEER)
    peer.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "tools/bench.py", "--models", "data/tiny.gguf",
         "--rounds", "1", "--prompt", "40", "--depths", "30", "--tokens",
         "8", "--threads", "1", "--isa", "scalar", "--peer", peer, "--out",
         folder / "a.json"], cwd=ROOT, capture_output=True, text=True,
        check=False)
    assert done.returncode == 0, done.stderr
    calls = Path(f"{peer}.calls").read_text().splitlines()
    return json.loads((folder / "a.json").read_text()), done.stdout, calls


def test_what_is_stored(result):
    stored, _, _ = result
    assert stored["isa"] == "scalar" and stored["threads"] == 1
    assert stored["whats"] == ["tg", "pp", "tg@30"]
    found = stored["models"]["tiny.gguf"]
    for what in stored["whats"]:
        ours, other = (found["engines"][e][what] for e in ("ours", "other"))
        assert ours["median"] > 0 and len(ours["all"]) == 1
        assert len(ours["text"]) == 12 and other["text"] is None
        assert other["median"] == 10
        assert found["ratios"]["other"][what] == pytest.approx(
            ours["median"] / 10, rel=1e-3)
        # The same work at another speed.
        assert other["share"] / ours["share"] == pytest.approx(
            10 / ours["median"], rel=1e-3)
    assert found["start_ms"] > 0
    if sys.platform == "linux":
        assert found["anonymous_bytes"] == found["planned_bytes"]


def test_the_shares(result):
    """Of bytes and multiply-adds that are counted here once more."""
    stored, _, _ = result
    found = stored["models"]["tiny.gguf"]
    limits, ours = found["limits"], found["engines"]["ours"]
    tensors = gguf.GGUFReader(ROOT / "data/tiny.gguf").tensors
    layers = sum(int(np.prod(t.shape)) for t in tensors
                 if t.name.startswith("blk.") and "norm" not in t.name)
    head = next(int(np.prod(t.shape)) for t in tensors
                if t.name == "output.weight")
    n = 40                          # tokens, or some more or less
    low, high = ((layers + head / k) * ours["pp"]["median"]
                 / limits["q8_multiply_adds_per_second"]
                 for k in (n + 4, n - 6))
    assert 0.99 * low < ours["pp"]["share"] < 1.01 * high
    weights = sum(t.n_bytes for t in tensors
                  if "norm" not in t.name and t.name != "token_embd.weight")
    least = weights * ours["tg"]["median"] \
        / limits["memory_bytes_per_second"]
    assert 0.99 * least < ours["tg"]["share"] < 1.5 * least


def test_how_a_peer_is_called(result):
    _, _, calls = result
    assert len(calls) == 3
    assert "-p 0 -n 7 " in calls[0] + " " and "-d" not in calls[0].split()
    assert calls[1].endswith("-p 40 -n 0")
    assert calls[2].endswith("-p 0 -n 3 -d 30")


def test_the_table_fits(result):
    stored, printed, _ = result
    assert bench_table.table(stored) + "\n" == printed
    assert max(map(len, printed.splitlines())) <= 80
    assert "commit " + stored["commit"] in printed
    ours = stored["models"]["tiny.gguf"]["engines"]["ours"]
    assert ours["tg"]["text"][:7] in printed


def test_a_difference(result):
    a, _, _ = result
    b = json.loads(json.dumps(a))
    rows = b["models"]["tiny.gguf"]["engines"]["ours"]
    rows["tg"]["median"] *= 1.3
    rows["pp"]["median"] *= 0.7
    rows["tg@30"]["text"] = "0123456789ab"
    lines = bench_table.difference(a, b).splitlines()
    said = {line.split(" ours ")[1].split()[0]: line for line in lines
            if " ours " in line}
    assert said["tg"].endswith("1.30  faster")
    assert said["pp"].endswith("0.70  slower")
    assert said["tg@30"].endswith("1.00  another text")
    assert all(len(line) <= 80 for line in lines)
    b["threads"] = 9
    assert "not the same threads: 1, 9" in bench_table.difference(a, b)


@pytest.mark.parametrize("kind", sorted(random_model.FILE_TYPES))
def test_random_models(kind, tmp_path, programs, smollm2):
    """Twice the same bytes; numbers of the spread that was asked for; and
    our engine runs it."""
    paths = [tmp_path / f"{i}.gguf" for i in (1, 2)]
    for path in paths:
        random_model.write(path, kind, SHAPE, smollm2)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    for t in gguf.GGUFReader(paths[0]).tensors:
        if "norm" not in t.name:
            w = gguf.quants.dequantize(t.data, t.tensor_type)
            assert 0.3 < w.std() / random_model.SPREAD < 2, t.name
            assert abs(w.mean()) < 0.15 * w.std(), t.name
    done = subprocess.run(["./chapter-08/run", "-m", paths[0], "-p", "the",
                           "-n", "4", "-q"], cwd=ROOT, check=False,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
