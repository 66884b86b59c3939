"""Importance from chapter 8 to chapter 7: the sums beside those of a trace,
what it asks of memory, and what it is worth."""

import resource
import signal
import subprocess
import sys

import gguf
import numpy as np
import pytest

import engine
from test_memory import counted, counter, plan      # noqa: F401 (a fixture)

ROOT = engine.ROOT
TINY = ROOT / "data/tiny.gguf"
TEXT = ROOT / "data/tiny.txt"
STEPS = {"attn_q": "attn_norm", "attn_k": "attn_norm", "attn_v": "attn_norm",
         "attn_output": "attention", "ffn_gate": "ffn_norm",
         "ffn_up": "ffn_norm", "ffn_down": "ffn_act"}


@pytest.mark.parametrize("options", [[], ["-b", 1], ["-b", 7, "-t", 3]])
def test_sums_of_a_trace(tmp_path, llama_program, options):
    """The trace has every number; the text is one window of the context."""
    text = "The rain in Spain stays mainly in the plain. " * 2
    (tmp_path / "text.txt").write_text(text)
    _, steps = engine.trace(tmp_path / "trace.gguf", "-m", TINY, "-p", text)
    out = tmp_path / "importance.gguf"
    said = engine.run("-m", TINY, "--perplexity", tmp_path / "text.txt",
                      "--importance", out, *options)
    assert said.startswith("perplexity ")
    found = {t.name: t.data for t in gguf.GGUFReader(out).tensors}
    n_tokens = steps["blk.0.attn_norm"].shape[0]
    for name, data in found.items():
        matrix, what = name.rsplit(".", 1)
        parts = matrix.split(".")
        if parts[0] == "output":        # the last token foresees nothing
            values, n = steps["final_norm"][:n_tokens - 1], n_tokens - 1
        else:
            values = steps[f"blk.{parts[1]}.{STEPS[parts[2]]}"]
            n = n_tokens
        if what == "counts":
            assert data.ravel().tolist() == [n]
            continue
        want = (values.astype(np.float64) ** 2).sum(axis=0)
        # Both are sums of the same floats; F32 rounds the last digit.
        assert np.allclose(data.ravel(), want, rtol=1e-6)
    model = {t.name for t in gguf.GGUFReader(TINY).tensors
             if len(t.shape) == 2 and t.name != "token_embd.weight"}
    assert {n.rsplit(".", 1)[0] for n in found} == model


@pytest.mark.skipif(sys.platform != "linux", reason="counts with LD_PRELOAD")
def test_memory_is_planned(tmp_path, llama_program, counter):  # noqa: F811
    options = ["-m", TINY, "-c", 64, "--perplexity", TEXT, "--importance",
               tmp_path / "out.gguf", "-q"]
    _, got = counted(counter, tmp_path, [llama_program, *options])
    assert got["program"] == plan(*options)["memory"]["total"]
    assert got["left"] == 0


def test_refusals(tmp_path, llama_program):
    said = engine.run("--importance", tmp_path / "x.gguf", code=2)
    assert "--importance is for --perplexity" in said
    copy = tmp_path / "model.gguf"
    copy.write_bytes(TINY.read_bytes())
    said = engine.run("-m", copy, "--perplexity", TEXT, "--importance", copy,
                      code=1)
    assert "would replace a file that is read" in said
    assert copy.read_bytes() == TINY.read_bytes()
    # Before anything is scored: the text is not even read.
    (tmp_path / "none.txt").write_text("a")
    for text in (TEXT, tmp_path / "none.txt"):
        said = engine.run("--perplexity", text, "--importance",
                          tmp_path / "no" / "x.gguf", code=1)
        assert "cannot create it" in said and "perplexity" not in said
    (tmp_path / "short.txt").write_text("a")
    engine.run("--perplexity", tmp_path / "short.txt", "--importance",
               tmp_path / "x.gguf", code=1)
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".gguf"] \
        == ["model.gguf"]


def test_the_score_is_shown_whatever_becomes_of_the_file(tmp_path,
                                                         llama_program):
    """A disk that is full when the text has been scored."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    words = [llama_program, "-m", TINY, "-c", "64", "-q", "--perplexity",
             TEXT]
    done = subprocess.run(
        [*words, "--importance", tmp_path / "x.gguf"], text=True,
        capture_output=True, check=False, preexec_fn=limit)
    assert done.returncode == 1
    assert "x.gguf: cannot write after" in done.stderr
    plain = subprocess.run(words, text=True, capture_output=True, check=True)
    assert done.stdout == plain.stdout != ""
    assert not list(tmp_path.iterdir())
