"""Many prompts at once: each gets the text that it gets alone, whoever is
beside it, in the order of the file; and texts as vectors, beside numpy."""

import json
import signal
import subprocess
import time

import numpy as np
import pytest

import engine
import make_test_models
from engine import ROOT
from llama import Llama

TINY = ROOT / "data/tiny.gguf"
# One token, a few, more than a batch of 16, and some that end at once.
LINES = ["A", "A language model", "words " * 40, "A token", "Each number of",
         "The model reads the words of a text and", "x", "A token is a",
         "No", "Each token that you are", "It is a", "and it"]


@pytest.fixture(autouse=True)
def built(llama_program):
    pass


def write(path, lines):
    path.write_text("".join(line + "\n" for line in lines))
    return path


def together(path, *options):
    """The answers to a file's lines, each an object."""
    text = engine.run("--batch-file", path, "--json", "-q", *options)
    return [json.loads(line) for line in text.splitlines()]


def alone(line, *options):
    return json.loads(engine.run("-p", line, "--json", "-q", *options))


FIELDS = ("text", "finish_reason", "prompt_tokens", "completion_tokens",
          "seed")


def same(answers, lines, *options):
    assert [a["line"] for a in answers] == list(range(1, len(lines) + 1))
    for line, answer in zip(lines, answers):
        want = alone(line, *options)
        assert {k: answer[k] for k in FIELDS} == {k: want[k] for k in FIELDS}


@pytest.mark.parametrize("n", [1, 3, 8])
def test_each_as_alone(n, tmp_path):
    options = ["--temp", 1, "-s", 7, "-n", 40, "-c", 128, "-r", "that",
               "--repeat-penalty", 1.1]
    answers = together(write(tmp_path / "lines.txt", LINES), "-np", n,
                       "-b", 16, "-t", 2, *options)
    same(answers, LINES, *options)
    reasons = {a["finish_reason"] for a in answers}
    assert reasons == {"stop", "length", "stop string"}
    assert len({a["completion_tokens"] for a in answers}) > 3


def test_each_as_alone_where_batches_are_smaller(tmp_path):
    """Fewer tokens than texts go through together, and the context ends."""
    options = ["--temp", 1, "-s", 3, "-n", -1, "-c", 64, "--ignore-eos"]
    lines = LINES[:2] + LINES[3:7]
    same(together(write(tmp_path / "lines.txt", lines), "-np", 5, "-b", 3,
                  *options), lines, *options)
    shifted = [*options[:5], 90, *options[6:], "--context-shift"]
    same(together(write(tmp_path / "lines.txt", lines), "-np", 3, *shifted),
         lines, *shifted)


def test_what_people_read(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes(b"A language model\r\n\n\n\\tA token\\nis\n")
    done = subprocess.run(["./chapter-08/run", "--batch-file", path, "-n",
                           "5", "--temp", "0"], cwd=ROOT, check=True,
                          capture_output=True, text=True)
    first, other = (alone(p, "-n", 5, "--temp", 0)["text"]
                    for p in ("A language model", "\tA token\nis"))
    assert done.stdout == f"1:\n{first}\n4:\n{other}\n"
    assert done.stderr.startswith("[2 prompts; ")


def test_a_bad_line_harms_no_other(tmp_path):
    lines = ["A token", "a \\q", "word " * 200, "x" * 5000, "A token"]
    done = subprocess.run(
        ["./chapter-08/run", "--batch-file", write(tmp_path / "b", lines),
         "--json", "-c", "64", "-n", "4", "--temp", "0", "-np", "2"],
        cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [a["line"] for a in answers] == [1, 2, 3, 4, 5]
    assert answers[0]["text"] == answers[4]["text"] != ""
    for answer, said in zip(answers[1:4], ("backslash", "does not fit",
                                           "5000 bytes")):
        assert answer["finish_reason"] == "error" and said in answer["error"]
        assert f"line {answer['line']}: {answer['error']}" in done.stderr
    assert "3 of 5 prompts were not answered" in done.stderr


def test_files_without_prompts(tmp_path):
    assert "no line has a prompt" in engine.run(
        "--batch-file", write(tmp_path / "none", ["", ""]), code=1)
    assert "nowhere" in engine.run("--batch-file", "nowhere", code=1)
    for more in (["-p", "a"], ["--chat"], ["--report"], ["--show-prompt"],
                 ["--pooling", "mean"]):
        engine.run("--batch-file", tmp_path / "none", *more, code=2)
    assert "--parallel is for --batch-file" in engine.run("-np", 3, code=2)


@pytest.fixture(scope="module")
def long_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "long.gguf"
    make_test_models.make(path, 3, n_layers=1, n_context=6000, d_model=32,
                          d_ff=32, head_dim=16, n_heads=1, n_kv_heads=1)
    return path


def test_more_than_can_wait(long_model, tmp_path):
    """The first goes on while the others end, more of them than have a
    place; then two that are both too long to wait whole."""
    options = ["-m", long_model, "--temp", 1, "-s", 1, "--ignore-eos"]
    lines = ["the rain " * 200] + ["in", "plain"] * 150
    answers = together(write(tmp_path / "short", lines), "-np", 8, "-n", 2,
                       "-b", 8, *options)
    assert [a["line"] for a in answers] == list(range(1, len(lines) + 1))
    ends = {line: alone(line, "-n", 2, *options)["text"] for line in
            {*lines}}
    assert [a["text"] for a in answers] == [ends[line] for line in lines]

    lines = ["the rain", "in the plain"]
    answers = together(write(tmp_path / "long", lines), "-np", 2, "-n",
                       4000, *options)
    assert len(answers[1]["text"].encode()) > 4096
    same(answers, lines, "-n", 4000, *options)


def test_interrupted(long_model, tmp_path):
    """Three that would never end."""
    run = subprocess.Popen(
        ["./chapter-08/run", "-m", long_model, "--batch-file",
         write(tmp_path / "lines", ["the rain", "plain", "in"] * 5), "-n",
         "-1", "--ignore-eos", "--json", "-np", "3", "-c", "200",
         "--context-shift"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    assert run.stdout.read(10)          # the first is on its way
    time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    rest, said = run.communicate(timeout=30)
    assert run.returncode == 0 and b", interrupted; " in said
    answers = [json.loads(line) for line in rest.splitlines()[1:]]
    assert len(answers) == 2
    assert {a["finish_reason"] for a in answers} == {"interrupted"}
    assert all(a["completion_tokens"] > 0 for a in answers)


# Vectors. Floats against doubles, through three layers: 1e-5 as for logits.
LIMIT = 1e-5
FLOATS = ["--activations", "f32", "-ctk", "f32"]
TEXT = "You read the words of a model, and it is not the number"


def hidden(text):
    """The last norms of a text, from the papers' formulas, in double."""
    ids = json.loads(engine.run("-p", text, "--logits", "--json"))["prompt"]
    seen = {}
    Llama(TINY).forward(ids, seen.__setitem__)
    return seen["final_norm"]


def scaled(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def vectors(*options):
    lines = engine.run("--embed", *options).splitlines()
    return np.array([[float(x) for x in line.split()] for line in lines])


@pytest.mark.parametrize("name, pool", [
    ("mean", lambda x: x.mean(axis=0, keepdims=True)),
    ("last", lambda x: x[-1:]), ("none", lambda x: x)])
def test_vectors_are_those_of_numpy(name, pool):
    want = pool(hidden(TEXT))
    for more, expected in (([], scaled(want)), (["--unscaled"], want)):
        got = vectors("-p", TEXT, "--pooling", name, *FLOATS, *more)
        assert got.shape == expected.shape
        off = engine.difference(got, expected)
        print(f"{name}: {off:.1e} of {LIMIT:.0e}")
        assert 0 < off < LIMIT
    data = json.loads(engine.run("--embed", "--json", "-p", TEXT, *FLOATS,
                                 "--pooling", name))
    got = data["embeddings" if name == "none" else "embedding"]
    assert data["text"] == TEXT
    assert engine.difference(np.atleast_2d(got), scaled(want)) < LIMIT


def test_vectors_in_any_batch(tmp_path):
    want = engine.run("--embed", "-p", TEXT)
    for more in (["-b", 1], ["-b", 7, "-t", 3], ["--isa", "scalar"]):
        assert engine.run("--embed", "-p", TEXT, *more) == want, more
    assert np.linalg.norm(vectors("-p", TEXT)) == pytest.approx(1, abs=1e-6)
    path = write(tmp_path / "lines", ["A token", "", TEXT])
    lines = engine.run("--embed", "-f", path).splitlines()
    assert lines == [engine.run("--embed", "-p", "A token").strip(),
                     want.strip()]


def test_vectors_that_cannot_be(tmp_path):
    path = write(tmp_path / "lines", ["A token", "word " * 200])
    said = engine.run("--embed", "-f", path, "-c", 64, code=1)
    assert "line 2" in said and "does not fit" in said
    assert "mean, last" in engine.run("--embed", "--pooling", "max", code=2)
    engine.run("--embed", "--stop", "a", code=2)
    nan = engine.rewrite(TINY, tmp_path / "nan.gguf", tensors={
        "output_norm.weight": np.full(64, np.nan, np.float32)})
    said = engine.run("-m", nan, "--embed", "-p", "a", code=1)
    assert "nan.gguf" in said and "NaN" in said
