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

import bench                                # noqa: E402
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
    subprocess.run(["make", "-s", "chapter-04", "chapter-07", "chapter-08",
                    "chapter-13"], cwd=ROOT, check=True)


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
    assert stored["prompt"] == 40 and stored["rounds"] == 1
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
    for what in stored["whats"]:
        assert ours[what]["text"][:7] in printed


def changed(result, **rows):
    """A result in which our runs of tiny.gguf say something else."""
    copy = json.loads(json.dumps(result))
    ours = copy["models"]["tiny.gguf"]["engines"]["ours"]
    for what, values in rows.items():
        ours[what.replace("_", "@")].update(values)
    return copy


def test_a_share_above_the_limit(result):
    stored = changed(result[0], tg={"share": 1.18}, pp={"share": 0.2})
    table = bench_table.table(stored)
    assert "118 %!" in table and "20 %!" not in table
    assert "measure again" in table
    assert max(map(len, table.splitlines())) <= 80
    assert "!" not in bench_table.table(changed(
        result[0], **{what.replace("@", "_"): {"share": 0.9}
                      for what in result[0]["whats"]}))


def test_a_text_that_differs(result, tmp_path):
    stored = changed(result[0], tg_30={"text": "differs"})
    assert "DIFFERS" in bench_table.table(stored)
    assert bench_table.complaint(result[0]) is None
    path = tmp_path / "differs.json"
    path.write_text(json.dumps(stored))
    done = show(path)
    assert done.returncode == 1
    assert "our text differs between rounds: tiny tg@30" in done.stderr


def show(*paths):
    return subprocess.run([sys.executable, "tools/bench_table.py", *paths],
                          cwd=ROOT, capture_output=True, text=True,
                          check=False)


def test_a_difference(result):
    rounds = [{"median": 11, "all": all_, "text": "a", "share": 0.5}
              for all_ in ([10, 11, 12], [12, 13, 15], [13, 14, 15])]
    a = changed(result[0], tg=rounds[0], pp=rounds[2], tg_30=rounds[0])
    b = changed(result[0], tg=rounds[2] | {"median": 14}, pp=rounds[0],
                tg_30=rounds[1] | {"text": "b", "share": 1.5})
    lines = bench_table.difference(a, b).splitlines()
    said = {line.split(" ours ")[1].split()[0]: line for line in lines
            if " ours " in line}
    assert said["tg"].split()[2:5] == ["11.0", "14.0", "1.27"]
    assert said["tg"].endswith("  faster")
    assert said["pp"].endswith("  slower")
    # The rounds overlap, so nothing is clear.
    assert said["tg@30"].endswith("1.00    50 % 150 %!  other text")
    assert [line.split()[0] for line in lines[3:6]] \
        == ["memory", "start", "anonymous"]
    assert all(len(line) <= 80 for line in lines)
    b["threads"] = 9
    assert "not the same threads: 1, 9" in bench_table.difference(a, b)


@pytest.mark.parametrize("text, said", [
    (None, "cannot be read (No such file or directory)"),
    ("{", "found no JSON"),
])
def test_a_file_that_is_none(tmp_path, text, said):
    path = tmp_path / "r.json"
    if text:
        path.write_text(text)
    done = show(path, path)
    assert done.returncode == 1 and said in done.stderr
    assert "Traceback" not in done.stderr and str(path) in done.stderr


@pytest.mark.parametrize("options, said", [
    (["--tokens", "3"], "expected --tokens 4 or more"),
    (["--rounds", "0"], "--rounds 1 or more"),
    (["--peer-rounds", "6"], "--peer-rounds up to --rounds"),
    (["--models", "data/tiny.gguf", "./data/tiny.gguf"], "one file name"),
])
def test_what_it_refuses(options, said):
    done = subprocess.run([sys.executable, "tools/bench.py", *options],
                          cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.returncode != 0 and said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_what_is_kept(tmp_path, result):
    """Models of an earlier run, if everything was the same."""
    new, path = result[0], tmp_path / "r.json"
    path.write_text(json.dumps(new))
    assert bench.kept(path, new) == new["models"]
    assert bench.kept(tmp_path / "none", new) == {}
    for key in bench.ALIKE:
        assert bench.kept(path, new | {key: "other"}) == {}, key
        path.write_text(json.dumps({k: v for k, v in new.items()
                                    if k != key}))
        assert bench.kept(path, new) == {}, key
        path.write_text(json.dumps(new))


def test_which_arithmetic(programs, tmp_path):
    """What a file holds decides, whatever it is called."""
    paths = [tmp_path / name for name in ("F32-BF16.gguf", "q8.gguf")]
    paths[0].write_bytes((ROOT / "data/tiny.gguf").read_bytes())
    subprocess.run([ROOT / "chapter-07/run", "convert", "data/tiny.gguf",
                    paths[1], "--type", "f16"], cwd=ROOT, check=True,
                   capture_output=True)
    assert [bench.kind_of(path) for path in paths] == ["q8", "f32"]


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
