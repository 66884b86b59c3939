"""Chapter 8's program at its edges: a reader that does not read, Ctrl-C in
each verb, texts that a terminal would obey, prompts from a pipe, and options
that would do nothing."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import gguf
import numpy as np
import pytest

import engine
import make_test_models
from engine import ROOT

PROGRAM = "./chapter-08/run"
ENDLESS = ["-p", "A token", "-n", "-1", "--ignore-eos", "--context-shift"]


@pytest.fixture(autouse=True)
def built(llama_program):
    pass


def full_pipe():
    """A pipe that takes nothing more before somebody reads."""
    ours, theirs = os.pipe()
    flags = fcntl.fcntl(theirs, fcntl.F_GETFL)
    fcntl.fcntl(theirs, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    n = 0
    try:
        while True:
            n += os.write(theirs, b"\0" * 512)
    except BlockingIOError:
        pass
    fcntl.fcntl(theirs, fcntl.F_SETFL, flags)
    return ours, theirs, n


@pytest.mark.parametrize("as_json", [False, True])
def test_an_interrupt_loses_no_text_that_waits(as_json):
    """Ctrl-C while `less` shows the first page."""
    ours, theirs, filled = full_pipe()
    run = subprocess.Popen([PROGRAM, *ENDLESS, *["--json"] * as_json],
                           cwd=ROOT, stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    time.sleep(0.2)
    with os.fdopen(ours, "rb") as pipe:
        text = pipe.read()[filled:].decode()
    said = run.communicate(timeout=20)[1].decode()
    assert run.returncode == 0, said
    if as_json:
        assert json.loads(text)["finish_reason"] == "interrupted"
    else:
        assert text.endswith("\n") and "[interrupted; " in said


def test_an_interrupt_while_a_talk_waits_ends_it(tmp_path):
    saved = tmp_path / "a.talk"
    run = subprocess.Popen([PROGRAM, "--chat", "-n", "2", "--save", saved],
                           cwd=ROOT, stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdin.write(b"hi\n")
    run.stdin.flush()
    run.stdout.read(2)
    time.sleep(0.5)                     # it waits for the next line
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=20) == 0
    run.communicate()
    assert saved.exists()


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    make_test_models.make(folder / "slow.gguf", 1, n_layers=8, d_model=256,
                          d_ff=1024, n_context=256)
    (folder / "text.txt").write_text("the rain in the plain " * 20000)
    return folder


@pytest.mark.parametrize("note", [False, True])
def test_an_interrupt_shows_the_score_so_far(note, slow):
    values = slow / "values.gguf"
    options = ["-m", slow / "slow.gguf", "--perplexity", slow / "text.txt",
               "--isa", "scalar", "--json", "-t", "1",
               *(["--importance", values] if note else [])]
    run = subprocess.Popen([PROGRAM, *options], cwd=ROOT,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1.5)
    run.send_signal(signal.SIGINT)
    out, said = run.communicate(timeout=20)
    assert run.returncode == 0, said
    score = json.loads(out)
    assert score["interrupted"] and 0 < score["tokens"] < 60000
    assert score["perplexity"] > 1
    assert not values.exists()
    assert note == ("not written" in said.decode())


def test_a_whole_score_says_so():
    score = json.loads(engine.run("--perplexity", "data/tiny.txt", "--json",
                                  "-q"))
    assert score["interrupted"] is False


def on_terminal(*options):
    """What the program writes when all three streams are a terminal."""
    ours, theirs = pty.openpty()
    run = subprocess.Popen([PROGRAM, *map(str, options)], cwd=ROOT,
                           stdin=theirs, stdout=theirs, stderr=theirs,
                           env={**os.environ, "TERM": "dumb"})
    os.close(theirs)
    out = b""
    while select.select([ours], [], [], 20)[0]:
        try:
            part = os.read(ours, 4096)
        except OSError:                 # how Linux says that it is closed
            break
        if not part:
            break
        out += part
    os.close(ours)
    assert run.wait(timeout=20) == 0
    return out


def test_a_terminal_obeys_no_model():
    wild = ["-n", 150, "--temp", 100, "--top-k", 0, "--top-p", 1, "--min-p",
            0, "-s", 4, "--ignore-eos", "-p", "\x1b[31mred\tor\nnot"]
    text = json.loads(engine.run(*wild, "--json"))["text"]
    control = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
    assert control.search(text)         # or this tests nothing
    assert engine.run(*wild, "-q") == text + "\n"
    shown = on_terminal(*wild).replace(b"\r\n", b"\n").decode()
    assert not control.search(shown)
    assert shown.startswith("\\x1b[31mred\tor\nnot")


def test_a_prompt_from_a_pipe():
    prompt = "A language model, in a pipe"
    want = engine.run("-p", prompt, "--temp", 0, "-n", 9, "--json", "-s", 1)
    got = engine.run("-f", "-", "--temp", 0, "-n", 9, "--json", "-s", 1,
                     input=prompt.encode())
    assert json.loads(got)["text"] == json.loads(want)["text"]
    talk = ["--chat", "--show-prompt", "-n", 0]
    assert engine.run(*talk, "-f", "-", input=b"hi") \
        == engine.run(*talk, "-p", "hi")
    assert engine.run("--plan", "-f", "-")
    assert "standard input" in engine.run("-f", "-", input=b"a " * 5000,
                                          code=1)
    assert "empty" in engine.run("-f", "-", input=b"", code=1)


@pytest.mark.parametrize("verb", [["-n", 3], ["--logits"],
                                  ["--trace", "x.gguf"]])
def test_an_empty_prompt_is_told_in_one_way(verb):
    assert "the prompt is empty" in engine.run("-p", "", *verb, code=1)


def test_hints_that_help():
    """A larger context helps when the model has one, and only then."""
    said = engine.run("-p", "a " * 30, "-c", 16, code=1)
    assert "context of 16; use a larger -c or a shorter prompt" in said
    said = engine.run("-p", "a b c d e f g " * 200, code=1)
    assert "use a shorter prompt, the model has no more" in said
    said = engine.run("-c", 4, "--context-shift", "-p", "a", code=1)
    assert "use a smaller --keep or a larger -c" in said


@pytest.mark.parametrize("options", [
    ["-q", "--report"], ["-q", "--probe"], ["--plan", "--probe"],
    ["--plan", "--requantize", "Q4_K_M"],
    ["--logits", "--report"], ["--logits", "--probe"],
    ["--logits", "--show-prompt"], ["--logits", "--stop", "x"],
    ["--logits", "--context-shift"], ["--version", "--json"],
    ["--trace", "x.gguf", "--json"], ["--trace", "x.gguf", "--stop", "x"],
    ["--perplexity", "data/tiny.txt", "-p", "x"],
    ["--perplexity", "data/tiny.txt", "-f", "x"],
    ["--perplexity", "data/tiny.txt", "--report"],
])
def test_what_would_be_ignored_is_refused(options):
    said = engine.run(*options, code=2)
    assert len(said.splitlines()) == 1
    assert options[-1] in said or options[-2] in said
    assert not (ROOT / "x.gguf").exists()


def test_json_is_whole_when_generating_fails(tmp_path):
    """The model is broken for one token, which is not the first."""
    whole, path = tmp_path / "whole.gguf", tmp_path / "row.gguf"
    make_test_models.make(whole, 3, n_layers=1, tied=False)
    run = ["--temp", 0, "-n", 3, "--ignore-eos", "-p", "the rain"]
    ids = json.loads(engine.run("-m", whole, "--logits", "--json", "-p",
                                "the rain"))
    first = ids["top"][0]["id"]
    assert first not in ids["prompt"]
    tensors = {t.name: t for t in gguf.GGUFReader(whole).tensors}
    rows = np.array(tensors["token_embd.weight"].data, np.float32)
    rows[first] = np.nan
    engine.rewrite(whole, path, tensors={"token_embd.weight": rows})
    for how in ["--json"], []:
        done = subprocess.run([PROGRAM, "-m", path, *map(str, run), *how],
                              cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 1 and b"not numbers" in done.stderr
        if how:
            got = json.loads(done.stdout)
            assert got.keys() == {"text", "finish_reason"} and got["text"]
            assert got["finish_reason"] == "error"
        else:
            assert done.stdout == got["text"].encode() + b"\n"


def test_the_block_of_a_probe_is_not_the_peak():
    """It is known before it is read, and not afterwards."""
    out = engine.run("--chat", "--probe", "-n", 2, "--json", "-t", 1,
                     input=b"hi\nhi\n")
    first, second = map(json.loads, out.splitlines())
    assert 1 << 20 < first["peak_bytes"] < 100 << 20
    assert "peak_bytes" not in second
    assert first["memory_bytes_per_second"] \
        == second["memory_bytes_per_second"]


def test_a_model_in_a_cache_has_no_share_of_memory():
    done = subprocess.run([PROGRAM, "-n", "30", "--ignore-eos", "--probe"],
                          cwd=ROOT, capture_output=True, check=True,
                          text=True)
    last = done.stderr.splitlines()[-1]
    assert "from a cache; memory delivers" in last and "%" not in last
    assert len(last) <= 80


def test_a_reader_that_is_gone_did_not_interrupt():
    with open("/dev/full", "wb") if os.path.exists("/dev/full") \
            else open(os.devnull, "rb") as nowhere:
        done = subprocess.run([PROGRAM, "-n", "20"], cwd=ROOT,
                              stdout=nowhere, stderr=subprocess.PIPE,
                              check=False)
    assert done.returncode == 1
    assert b"interrupted" not in done.stderr
    assert b"standard output" in done.stderr
