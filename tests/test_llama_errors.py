"""What chapter 8's program says about bad files and wrong flags: one line
that names the file, the place, what was found and what was expected."""

import json
import resource
import subprocess

import numpy as np
import pytest

import engine
import make_test_models
from engine import ROOT

TINY = ROOT / "data/tiny.gguf"


def refuse(*options, code=1, **more):
    """The one line on standard error."""
    said = engine.run(*options, "-n", 1, code=code, **more)
    lines = said.strip().split("\n")
    assert lines[0].startswith("error: "), said
    if code == 1:
        assert len(lines) == 1, said
    return said


@pytest.fixture(autouse=True)
def built(llama_program):
    pass


def test_no_such_file():
    assert "nowhere.gguf" in refuse("-m", "nowhere.gguf")


def test_directory(tmp_path):
    assert "directory" in refuse("-m", tmp_path)


@pytest.mark.parametrize("text, word", [
    ("<!DOCTYPE html>\n<html><body>404</body></html>\n", "web page"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7\n"
     "size 98362432\n", "LFS"),
    ("hello, this is no model at all, only a text\n", "GGUF"),
])
def test_other_files(text, word, tmp_path):
    path = tmp_path / "model.gguf"
    path.write_text(text)
    said = refuse("-m", path)
    assert word in said and str(path) in said


@pytest.mark.parametrize("share", [0.0001, 0.02, 0.3, 0.9, 0.99999])
def test_truncated(share, tmp_path):
    path = tmp_path / "model.gguf"
    data = TINY.read_bytes()
    path.write_bytes(data[:int(len(data) * share)])
    assert str(path) in refuse("-m", path)


CHANGES = {
    "architecture": (dict(keys={"general.architecture": "mamba"}),
                     ["mamba", "llama"]),
    "missing tensor": (dict(drop=["blk.1.ffn_up.weight"]),
                       ["blk.1.ffn_up.weight"]),
    "missing key": (dict(keys={"llama.block_count": None}),
                    ["llama.block_count"]),
    "heads do not divide": (dict(keys={
        "llama.attention.head_count_kv": 3}), ["4", "3"]),
    "no heads": (dict(keys={"llama.attention.head_count": 0}),
                 ["llama.attention.head_count"]),
    "no width": (dict(keys={"llama.embedding_length": 0}),
                 ["llama.embedding_length"]),
    "a bias that is not applied": (dict(tensors={
        "blk.0.attn_output.bias": np.ones(64, np.float32)}),
        ["found a bias at the attention output"]),
    "a norm that is not applied": (dict(tensors={
        "blk.1.attn_q_norm.weight": np.ones(16, np.float32)}),
        ["blk.1.attn_q_norm.weight"]),
    "biases of keys alone": (dict(tensors={
        "blk.0.attn_k.bias": np.ones(32, np.float32)}),
        ["blk.0.attn_q.bias"]),
    "fewer layers than tensors": (dict(keys={"llama.block_count": 2}),
                                  ["blk.2."]),
    "a factor that is no number": (dict(tensors={
        "rope_freqs.weight": np.zeros(8, np.float32)}),
        ["rope_freqs.weight"]),
    "more layers than tensors": (dict(keys={"llama.block_count": 4}),
                                 ["blk.3."]),
    "wrong width": (dict(keys={"llama.feed_forward_length": 192}),
                    ["ffn_gate", "192", "160"]),
    "wrong shape": (dict(tensors={
        "blk.0.attn_k.weight": np.zeros((48, 64), np.float32)}),
        ["blk.0.attn_k.weight", "48", "32"]),
    "one dimension too many": (dict(tensors={
        "blk.0.attn_norm.weight": np.zeros((64, 64), np.float32)}),
        ["blk.0.attn_norm.weight"]),
    "type": (dict(tensors={
        "blk.0.attn_q.weight": np.zeros((64, 64), np.int8)}),
        ["blk.0.attn_q.weight", "I8"]),
    "no vocabulary": (dict(keys={"tokenizer.ggml.tokens": None}),
                      ["tokenizer.ggml.tokens"]),
    "tokenizer": (dict(keys={"tokenizer.ggml.model": "bert"}), ["bert"]),
    "odd rotation": (dict(keys={"llama.rope.dimension_count": 7}),
                     ["RoPE", "7", "16"]),
}


@pytest.mark.parametrize("what", CHANGES)
def test_models_that_do_not_fit(what, tmp_path):
    changes, words = CHANGES[what]
    path = engine.rewrite(TINY, tmp_path / "model.gguf", **changes)
    said = refuse("-m", path)
    assert str(path) in said
    for word in words:
        assert word in said, said


def test_the_unchanged_copy_is_good(tmp_path):
    path = engine.rewrite(TINY, tmp_path / "model.gguf")
    options = ["-p", "The model", "-n", 5, "--temp", 0, "-q"]
    assert engine.run("-m", path, *options) == engine.run("-m", TINY,
                                                          *options)


def test_context_longer_than_the_model():
    said = refuse("-c", 100000)
    assert "512" in said and "100000" in said.replace(",", "")


def test_prompt_longer_than_the_context():
    said = refuse("-c", 64, "-f", ROOT / "data/tiny.txt")
    assert "64" in said


def little_memory():
    limit = 250 << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def test_memory_does_not_suffice(smollm2):
    options = ["-m", smollm2, "-c", 8192, "-ctk", "f32", "-t", 1, "-p", "Hi"]
    assert "memory" in refuse(*options, preexec_fn=little_memory)


@pytest.fixture
def endless(tmp_path):
    """A model whose cache would take half a terabyte."""
    path = tmp_path / "endless.gguf"
    make_test_models.make(path, 99, n_layers=8, n_kv_heads=4, head_dim=256,
                          n_context=1 << 24)
    return path


def test_more_memory_than_there_is(endless):
    said = refuse("-m", endless, "-c", 1 << 24)
    assert "GiB" in said and "--fit" in said and str(endless) in said


def test_fit_takes_smaller_steps(endless):
    """Context first, a line for each step, and then it runs."""
    done = subprocess.run(
        ["./chapter-08/run", "-m", endless, "-c", str(1 << 24), "-n", "2",
         "-p", "The model", "--temp", "0", "--fit"], cwd=ROOT, text=True,
        capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    steps = [s for s in done.stderr.splitlines() if s.startswith("fit: ")]
    assert len(steps) >= 2 and all("context" in s for s in steps)
    assert done.stdout.strip()


@pytest.mark.parametrize("options, hint", [
    (["--thread", "2"], "--threads"), (["--no-such-thing"], "--help"),
    (["-n"], "-n"), (["-t", "many"], "many"), (["-t", "-4"], "-4"),
    (["--temp", "-1"], "--temp"), (["--activations", "q9"], "q8"),
    (["--top-p", "1.5"], "1.5"),
])
def test_wrong_flags(options, hint):
    assert hint in engine.run(*options, code=2)


def test_isa_that_is_not_there():
    said = engine.run("--isa", "sse9", code=1)
    assert "sse9" in said and "scalar" in said


@pytest.mark.parametrize("options", [
    ["-n", 5, "--temp", 0], ["--logits"], ["--logits", "--json"],
    ["-n", 3, "--json"], ["--help"], ["--version"],
])
def test_output_that_cannot_be_written(options):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            ["./chapter-08/run", *map(str, options)], cwd=ROOT, stdout=full,
            stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "error: " in done.stderr


def test_a_weight_that_is_no_number(tmp_path):
    path = engine.rewrite(TINY, tmp_path / "model.gguf", tensors={
        "output_norm.weight": np.full(64, np.nan, np.float32)})
    assert "not numbers" in refuse("-m", path)


def test_extra_tensors_load(tmp_path):
    path = tmp_path / "extra.gguf"
    engine.rewrite(TINY, path, tensors={
        "something.else": np.ones(3, np.float32)})
    assert engine.run("-m", path, "-q", "-n", 3)


def test_context_ends_where_the_window_does(tmp_path):
    path = tmp_path / "window.gguf"
    engine.rewrite(TINY, path, keys={"llama.attention.sliding_window": 100})
    assert "100" in refuse("-m", path, "-c", 101)


def test_nothing_generated_has_no_speed():
    report = json.loads(engine.run("-n", 0, "--json"))
    assert report["completion_tokens"] == 0
    for name in ("decode_tokens_per_second", "token_seconds_p50",
                 "time_to_first_token_seconds", "bytes_read_per_second"):
        assert report[name] is None, name
    for n, words in [(0, ["opened", "memory"]), (1, ["first token"])]:
        page = subprocess.run(["./chapter-08/run", "-n", str(n), "--report"],
                              cwd=engine.ROOT, capture_output=True,
                              check=True, text=True).stderr
        assert all(word in page for word in words)
        assert "p50" not in page and " a second" not in page
        assert ("first token" in page) == (n > 0)
