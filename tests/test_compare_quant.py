"""Files of one model in a table, beside numpy."""
import json
import re
import signal
import subprocess
import time

import numpy as np
import pytest
from engine import ROOT, rewrite, run
from llama import Llama

TINY = ROOT / "data/tiny.gguf"
WINDOW = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory, llama_program):
    folder = tmp_path_factory.mktemp("quant")
    subprocess.run(["make", "-s", "chapter-07"], cwd=ROOT, check=True)
    for kind in ("q8_0", "q4_0"):
        subprocess.run(["./chapter-07/run", "convert", TINY,
                        folder / f"{kind}.gguf", "--type", kind], cwd=ROOT,
                       check=True, capture_output=True)
    text = (ROOT / "data/tiny.txt").read_text()[:400]
    (folder / "text.txt").write_text(text)
    return folder


def files(folder):
    return [TINY, folder / "q8_0.gguf", folder / "q4_0.gguf"]


def compare(folder, *options):
    return run("--compare-quant", *files(folder), "-f", folder / "text.txt",
               "-c", WINDOW, "--activations", "f32", *options)


def log_softmax(rows):
    rows = rows - rows.max(axis=1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))


def expected(path, ids):
    """Log-probabilities of all tokens behind each but the last of a window,
    and the tokens that came."""
    model, rows, came = Llama(path), [], []
    for i in range(0, len(ids), WINDOW):
        window = ids[i:i + WINDOW]
        rows.append(log_softmax(model.forward(window)[:-1]))
        came += window[1:]
    return np.concatenate(rows), np.array(came)


def test_against_numpy(folder):
    """Perplexity, divergence, equal best tokens and the error of weights,
    from the papers' formulas in float64. The limits are what floats and a
    cache of floats cost in three layers: some 1e-6 of a logit."""
    got = json.loads(compare(folder, "--json"))
    ids = json.loads(run("--logits", "--json", "-c", 512, "-f",
                         folder / "text.txt"))["prompt"]
    first, came = expected(TINY, ids)
    base = Llama(TINY)
    assert got["tokens"] == len(came) and got["window"] == WINDOW
    assert not got["interrupted"]
    for path, row in zip(files(folder), got["files"], strict=True):
        other = expected(path, ids)[0]
        kl = (np.exp(first) * (first - other)).sum(axis=1).mean()
        ppl = np.exp(-other[np.arange(len(came)), came].mean())
        same = (first.argmax(axis=1) == other.argmax(axis=1)).mean()
        assert row["file"] == str(path)
        assert abs(row["perplexity"] / ppl - 1) < 1e-5
        assert abs(row["kl_divergence"] - kl) < 1e-5
        assert abs(row["same_top"] - same) < 1.5 / len(came)  # a near tie
        model, moved, size, n, stored = Llama(path), 0.0, 0.0, 0, 0
        for name, tensor in model.tensors.items():
            was = base.weight(name)
            moved += ((model.weight(name) - was) ** 2).sum()
            size += (was ** 2).sum()
            n += was.size
            stored += tensor.n_bytes
        assert row["bytes"] == stored
        assert abs(row["bits_per_weight"] - 8 * stored / n) < 1e-9
        assert abs(row["relative_rms"] - (moved / size) ** 0.5) < 1e-9
        assert row["prefill_seconds"] > 0 and row["decode_seconds"] > 0
    assert got["files"][0]["kl_divergence"] == 0
    assert got["files"][2]["kl_divergence"] > 1e-3


def test_perplexity_is_that_of_the_verb(folder):
    rows = json.loads(compare(folder, "--json"))["files"]
    for path, row in zip(files(folder), rows, strict=True):
        alone = json.loads(run(
            "-m", path, "--perplexity", folder / "text.txt", "-c", WINDOW,
            "--activations", "f32", "--json"))
        assert row["perplexity"] == alone["perplexity"]


def test_table(folder):
    lines = compare(folder).splitlines()
    assert [len(line) for line in lines if len(line) > 80] == []
    assert [line.split()[0] for line in lines] == [
        "file", "tiny.gguf", "q8_0.gguf", "q4_0.gguf"]
    assert len({len(line) for line in lines}) == 1
    assert re.search(r" 0\.00% .* 0\.00000 100\.0%", lines[1])


def test_a_table_of_one_that_fell_apart(folder, tmp_path):
    """Numbers that are far too long for their columns keep them."""
    norm = np.array(Llama(TINY).weight("output_norm.weight"), np.float32)
    for factor, ppl in ((30, r"\d\.?\d*e\+\d+"), (3e4, "inf")):
        bad = rewrite(TINY, tmp_path / "bad.gguf",
                      tensors={"output_norm.weight": factor * norm})
        lines = run("--compare-quant", TINY, bad, "-f",
                    folder / "text.txt").splitlines()
        assert len({len(line) for line in lines}) == 1 and len(lines[0]) <= 80
        assert re.search(rf" {ppl} ", lines[2]), lines[2]


def test_the_shortest_context_is_everybodys(folder, tmp_path):
    short = rewrite(TINY, tmp_path / "short.gguf",
                    {"llama.context_length": 48})
    got = json.loads(run("--compare-quant", TINY, short, "--json", "-f",
                         folder / "text.txt"))
    assert got["window"] == 48
    assert "use -c 48 or less" in run("--compare-quant", TINY, short, "-c",
                                      64, code=1)


def test_refused_before_anything_is_read(folder, tmp_path):
    other = rewrite(TINY, tmp_path / "other.gguf", {
        "tokenizer.ggml.tokens": words_but_one()})
    said = run("--compare-quant", TINY, other, code=1)
    assert "token 100 is another; expected files of one model" in said
    assert "wants 2 to 64" in run("--compare-quant", TINY, code=2)
    for options in (["--plan"], ["--fit"], ["--requantize", "q8_0"]):
        assert "want one, with -m" in run("--compare-quant", TINY, TINY,
                                          *options, code=2)
    assert "each do another thing" in run("--compare-quant", TINY, TINY,
                                          "--chat", code=2)
    assert "-p is for" in run("--compare-quant", TINY, TINY, "-p", "x",
                              code=2)
    assert "-m is for work on one model" in run(
        "--compare-quant", TINY, TINY, "-m", TINY, code=2)
    assert "standard input comes once" in run("--compare-quant", TINY, TINY,
                                              "-f", "-", code=2)
    assert "nope.txt" in run("--compare-quant", TINY, TINY, "-f", "nope.txt",
                             code=1)
    (tmp_path / "one.txt").write_text("a")
    for more in (["-c", 1], ["-f", tmp_path / "one.txt"]):
        assert "at least 2" in run("--compare-quant", TINY, TINY, *more,
                                   code=1)


def words_but_one():
    words = list(Llama(TINY).key("tokenizer.ggml.tokens"))
    words[100] += "x"
    return words


def test_text_that_is_not_there(tmp_path, llama_program):
    """From a folder without data/, as once it is installed."""
    done = subprocess.run([llama_program, "--compare-quant", TINY, TINY],
                          cwd=tmp_path, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1
    assert "data/tiny.txt" in done.stderr
    assert done.stderr.rstrip().endswith("give a text with -f")


def test_broken_file_keeps_the_rows_before_it(folder, tmp_path):
    """The last file has a weight that is no number: what two files came to
    is shown, and the sentence names the third."""
    nan = np.array(Llama(TINY).weight("output_norm.weight"), np.float32)
    nan[3] = np.nan
    bad = rewrite(TINY, tmp_path / "nan.gguf",
                  tensors={"output_norm.weight": nan})
    done = subprocess.run(
        ["./chapter-08/run", "--compare-quant", TINY, folder / "q8_0.gguf",
         bad, "-f", folder / "text.txt"], cwd=ROOT, capture_output=True,
        text=True, check=False)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 3
    assert f"error: {bad}: " in done.stderr and "NaN" in done.stderr


def test_interrupted(folder, tmp_path):
    """Ctrl-C in the middle: whole rows are shown, no half of one."""
    (tmp_path / "long.txt").write_text((ROOT / "data/tiny.txt").read_text()
                                       * 60)
    child = subprocess.Popen(
        ["./chapter-08/run", "--compare-quant", TINY, TINY, "-f",
         tmp_path / "long.txt", "-t", "1"], cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    out, said = child.communicate(timeout=60)
    assert child.returncode == 1 and out == ""
    assert "interrupted before two files were compared" in said
