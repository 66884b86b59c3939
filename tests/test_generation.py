"""Chapter 8's program while it generates: what ends a text, what is reported,
and a context that is longer than it is."""

import ctypes
import json
import re
import signal
import subprocess
import time

import gguf
import numpy as np
import pytest

import engine
import make_test_models
import words
from engine import ROOT
from llama import Llama

TINY = ROOT / "data/tiny.gguf"
REPORT = re.compile(
    r"\[(?P<reason>stop|length|stop string|interrupted); "
    r"(?P<prompt>\d+ tokens?) read, [\d.]+/s; "
    r"(?P<answer>\d+) written, [\d.]+/s; seed (?P<seed>\d+)\]\n")


@pytest.fixture(autouse=True)
def built(llama_program):
    pass


def both(*options):
    """Text and report of a run, and the same run's JSON."""
    done = subprocess.run(["./chapter-08/run", *map(str, options)], cwd=ROOT,
                          capture_output=True, check=True, timeout=60)
    report = REPORT.fullmatch(done.stderr.decode())
    assert report, done.stderr
    data = json.loads(engine.run(*options, "--json"))
    assert data["text"] + "\n" == done.stdout.decode()
    assert report["reason"] == data["finish_reason"]
    n = data["prompt_tokens"]
    assert report["prompt"] == f"{n} token{'s' * (n > 1)}"
    assert len(report[0]) <= 81
    assert int(report["answer"]) == data["completion_tokens"]
    return report, data


@pytest.mark.parametrize("options, reason", [
    (["-p", "A language model", "--temp", 0], "stop"),
    (["-p", "A language model", "--temp", 0, "-n", 5], "length"),
    (["-p", "A token", "--temp", 0, "-c", 32, "-n", -1, "--ignore-eos"],
     "length"),
    (["-p", "A language model", "--temp", 0, "-r", "e"], "stop string"),
])
def test_reasons(options, reason):
    report, data = both(*options, "-s", 1)
    assert data["finish_reason"] == reason
    assert data["seed"] == int(report["seed"]) == 1
    if reason == "stop string":
        assert "e" not in data["text"]


ENDS = ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>",
        "<|end_of_text|>", "<end_of_turn>", "<|end_of_turn|>", "<|end|>",
        "</s>", "<|return|>", "<|eot|>", "<EOT>",
        "<\uff5cend\u2581of\u2581sentence\uff5c>"]


@pytest.mark.parametrize("kind", ["control", "user-defined", "normal"])
def test_tokens_that_end_by_name(kind, library, tmp_path):
    """Files name one end or none, and use several. Letters alone are none."""
    number = {"normal": 1, "control": 3, "user-defined": 4}[kind]
    reader = gguf.GGUFReader(TINY)
    tokens = reader.get_field("tokenizer.ggml.tokens").contents()
    types = reader.get_field("tokenizer.ggml.token_type").contents()
    new = [name for name in ENDS if name not in tokens]
    first = len(tokens)
    tokens, types = tokens + new, types + [number] * len(new)
    assert len(new) > 10
    none = {f"tokenizer.ggml.{name}_token_id": None
            for name in ("bos", "eos", "padding", "unknown")}
    path = engine.rewrite(TINY, tmp_path / "ends.gguf", keys={
        "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": types,
        **{k: v for k, v in none.items() if reader.get_field(k)}})
    vocabulary = words.Words(library, path)
    is_end = vocabulary.lib.tokenizer_is_end
    is_end.restype = ctypes.c_bool
    for i, name in enumerate(tokens):
        want = name in ENDS and (kind != "normal" or i < first)
        assert is_end(vocabulary.words, i) == want, name


@pytest.mark.parametrize("threads, said", [(1, "1 thread"), (2, "2 threads")])
def test_one_is_no_plural(threads, said):
    done = subprocess.run(["./chapter-08/run", "-t", str(threads), "-n", "1",
                           "--report"], cwd=ROOT, capture_output=True,
                          check=True, text=True)
    assert done.stderr.splitlines()[1].endswith(f", {said}")


def test_one_is_no_plural_in_other_places(tmp_path):
    assert ", 1 thread, " in engine.run("--plan", "-t", 1)
    done = subprocess.run(["./chapter-08/run", "-p", "a", "--trace",
                           tmp_path / "trace.gguf"], cwd=ROOT,
                          capture_output=True, check=True, text=True)
    assert done.stderr.endswith(": 1 token traced\n")


def test_the_seed_from_the_clock_can_be_given_again():
    first = json.loads(engine.run("--json", "-n", 40))
    again = json.loads(engine.run("--json", "-n", 40, "-s", first["seed"]))
    assert again["text"] == first["text"] and first["text"]


def test_times_and_bytes():
    n = 200
    data = json.loads(engine.run("--json", "-n", n, "--ignore-eos", "-t", 1))
    half, most, nearly_all = (data[f"token_seconds_p{p}"]
                              for p in (50, 95, 99))
    assert 0 < half <= most <= nearly_all < 1
    # The sum of all times lies where the percentiles say.
    mean = 1 / data["decode_tokens_per_second"]
    assert mean < nearly_all * 1.05 or mean < 10 * half
    assert 0 < data["time_to_first_token_seconds"] < 5
    assert data["load_seconds"] > 0
    # Keys and values of half of the positions in between, 2 bytes each.
    width = 2 * 3 * 2 * 16 * 2          # keys and values, layers, heads, dim
    positions = data["prompt_tokens"] + n / 2
    assert data["cache_bytes_per_token"] == pytest.approx(
        width * positions, rel=0.02)
    per_token = (data["weight_bytes_per_token"]
                 + data["cache_bytes_per_token"])
    assert data["bytes_read_per_second"] == pytest.approx(
        per_token * data["decode_tokens_per_second"], rel=1e-3)
    assert "memory_bytes_per_second" not in data


def test_the_share_of_what_memory_delivers():
    data = json.loads(engine.run("--json", "-n", 20, "--probe"))
    assert 1e8 < data["memory_bytes_per_second"] < 1e13
    assert data["bandwidth_share"] == pytest.approx(
        data["bytes_read_per_second"] / data["memory_bytes_per_second"])
    assert 1e8 < data["peak_multiply_adds_per_second"] < 1e14
    assert data["peak_share"] == pytest.approx(
        data["multiply_adds_per_second"]
        / data["peak_multiply_adds_per_second"])


def test_what_a_prompt_is_multiplied_with():
    """The layers for each token, and the output head for the last."""
    data = json.loads(engine.run("--json", "-n", 1))
    tensors = {t.name: int(np.prod(t.shape)) for t in
               gguf.GGUFReader(ROOT / "data/tiny.gguf").tensors}
    head = tensors["token_embd.weight"]
    layers = sum(n for name, n in tensors.items()
                 if name.startswith("blk.") and "norm" not in name)
    seconds = data["prompt_tokens"] / data["prefill_tokens_per_second"]
    assert data["multiply_adds_per_second"] * seconds == pytest.approx(
        layers * data["prompt_tokens"] + head)


def test_the_page_of_a_report():
    done = subprocess.run(["./chapter-08/run", "-n", "5", "--report"],
                          cwd=ROOT, capture_output=True, check=True)
    lines = done.stderr.decode().splitlines()
    assert REPORT.fullmatch(lines[0] + "\n") and len(lines) == 8
    assert all(len(line) <= 80 for line in lines)
    for word in ("opened", "first token", "p50", "p95", "p99", "memory",
                 "weights", "a second"):
        assert any(word in line for line in lines), word


def interrupted(*options, times=1):
    process = subprocess.Popen(
        ["./chapter-08/run", "-p", "A token", "-n", "-1", "--ignore-eos",
         "--context-shift", *options], cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    process.stdout.read(20)             # it has begun to write
    for _ in range(times):
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    return process.returncode, out.decode(), err.decode()


def test_an_interrupt_ends_the_answer_and_not_the_work():
    code, _, err = interrupted()
    assert code == 0 and "[interrupted; " in err
    code, out, _ = interrupted("--json")
    assert code == 0 and '"finish_reason": "interrupted"' in out


def test_a_second_interrupt_ends_the_program(tmp_path):
    """The first falls into a prompt that takes long, whose batch is finished
    before anybody looks."""
    path = tmp_path / "slow.gguf"
    make_test_models.make(path, 1, n_layers=8, d_model=256, d_ff=1024,
                          n_context=4000)
    process = subprocess.Popen(
        ["./chapter-08/run", "-m", path, "-p", "a b " * 900, "-n", "1",
         "-b", "4000", "--isa", "scalar", "-t", "1"], cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT


def test_prompts_as_long_as_the_context():
    ids = json.loads(engine.run("-p", "a b c d e f g h", "--logits",
                                "--json"))["prompt"]
    n = len(ids)
    run = ["-p", "a b c d e f g h", "--temp", 0, "-n", -1, "--ignore-eos"]
    data = json.loads(engine.run(*run, "-c", n, "--json"))
    assert data["finish_reason"] == "length"
    assert data["completion_tokens"] == 1
    said = engine.run(*run, "-c", n - 1, code=1)
    assert len(said.splitlines()) == 1
    assert f"a prompt of {n} tokens does not fit in a context of {n - 1}" \
        in said


@pytest.mark.parametrize("way", [["--logits"], ["-n", 3], ["--perplexity",
                                                           "data/tiny.txt"]])
def test_no_numbers_name_the_file(way, tmp_path):
    path = tmp_path / "nan.gguf"
    norm = np.full(64, np.nan, np.float32)
    engine.rewrite(TINY, path, tensors={"output_norm.weight": norm})
    said = engine.run("-m", path, *way, code=1)
    assert str(path) in said and "not numbers" in said


@pytest.mark.parametrize("way", [["--logits"], ["-n", 3], ["--perplexity",
                                                           "data/tiny.txt"]])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_row_without_numbers_is_enough(value, way, tmp_path):
    """The others would go on as if nothing was wrong."""
    whole, path = tmp_path / "whole.gguf", tmp_path / "row.gguf"
    make_test_models.make(whole, 3, n_layers=1, tied=False)
    tensors = {t.name: t for t in gguf.GGUFReader(whole).tensors}
    head = np.array(tensors["output.weight"].data, np.float32)
    head[99] = value
    engine.rewrite(whole, path, tensors={"output.weight": head})
    said = engine.run("-m", path, "--activations", "f32", *way, code=1)
    assert str(path) in said and "not numbers" in said


def shifted(reference, ids, n_ctx, keep, n):
    """Greedy, with a window that drops the older half behind `keep`. In a
    model of one layer that is what moving keys comes to: what a token gives
    to those behind it depends on nothing but itself and the distance."""
    window, answer = list(ids), []
    while True:
        answer.append(int(reference.forward(window)[-1].argmax()))
        if len(answer) == n:
            return answer
        if len(window) == n_ctx:
            drop = (len(window) - keep + 1) // 2
            del window[keep:keep + drop]
        window.append(answer[-1])


@pytest.mark.parametrize("keep", [0, 4, 20])
@pytest.mark.parametrize("cache", ["f32", "f16", "q8_0"])
def test_a_shifted_context_against_numpy(keep, cache, library, tmp_path):
    path = tmp_path / "one.gguf"
    make_test_models.make(path, 3, n_layers=1, n_heads=2, n_kv_heads=1,
                          head_dim=32)
    prompt = "the rain in the plain"
    vocabulary = words.Words(library, path)
    ids = vocabulary.encode(prompt.encode())
    want = shifted(Llama(path), ids, 32, keep, 100)
    data = json.loads(engine.run(
        "-m", path, "-p", prompt, "-c", 32, "--context-shift", "--keep",
        keep, "-n", 100, "--ignore-eos", "--temp", 0, "--special", "--json",
        "--activations", "f32", "-ctk", cache))
    assert data["completion_tokens"] == 100
    text = vocabulary.decode(want).decode("utf-8", errors="replace")
    assert data["text"] == text


def test_keeping_everything_is_refused():
    said = engine.run("-c", 16, "--context-shift", "--keep", 16, code=1)
    assert "16 tokens are to be kept, expected 0 to 15" in said
