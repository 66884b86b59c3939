"""The real model: against numpy, against itself, and what it answers."""

import json

import numpy as np
import pytest

import engine
from llama import Llama

# A page that the model has not been tuned on, in chunks of a few kB.
TEXT = (engine.ROOT / "data/tiny.txt").read_text()
PROMPTS = [
    "The capital of France is",
    "<|im_start|>user\nName three colours.<|im_end|>\n"
    "<|im_start|>assistant\n",
    "def add(a, b):\n    return",
    "In 1969 two people walked on",
    "Ünïcödé, 日本語 and 🦙:",
]
# float32 sums of 1536 products through 30 layers, whose residual stream has
# values of 20,000: measured 1e-4.
LOGIT_LIMIT = 2e-3
# Activations of 8 bits in blocks of 32 give 93.5 % in a simulation in numpy.
SAME_TOP = 0.92
PERPLEXITY_LIMIT = 0.01


@pytest.fixture(scope="module")
def reference(smollm2):
    return Llama(smollm2, np.float32)


@pytest.fixture(scope="module")
def long_text(smollm2, reference, tmp_path_factory, llama_program):
    """400 tokens of a text: ids, the reference's logits, and the engine's
    with int8 activations."""
    path = tmp_path_factory.mktemp("long") / "trace.gguf"
    n = 1600
    prompt = TEXT[:n]
    ids, got = engine.trace(path, "-m", smollm2, "-p", prompt, "-c", 512)
    q8 = np.array(got["logits"])
    del got
    path.unlink()               # half a gigabyte
    return ids, reference.forward(ids), q8


@pytest.mark.parametrize("prompt", PROMPTS)
def test_logits_against_numpy(prompt, smollm2, reference, tmp_path,
                              llama_program):
    ids, got = engine.trace(tmp_path / "trace.gguf", "-m", smollm2, "-p",
                            prompt, "--activations", "f32", "-ctk", "f32")
    worst = np.abs(got["logits"] - reference.forward(ids)).max()
    print(f"largest difference of a logit: {worst:.1e}")
    assert worst <= LOGIT_LIMIT


def test_int8_activations_choose_the_same_token(long_text):
    ids, want, got = long_text
    assert 350 <= len(ids) <= 450
    share = np.mean(want.argmax(axis=1) == got.argmax(axis=1))
    print(f"the same first choice at {share:.1%} of {len(ids)} tokens")
    assert share >= SAME_TOP


def nll(logits, ids):
    """-log p of each next token, summed."""
    logits = logits[:-1].astype(np.float64)
    top = logits.max(axis=1)
    log_sum = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return float((log_sum - logits[np.arange(len(top)), ids[1:]]).sum())


def perplexity(model, text, path, *options):
    path.write_text(text)
    return json.loads(engine.run("-m", model, "--perplexity", path, "--json",
                                 *options))


def test_perplexity_against_numpy(smollm2, long_text, tmp_path):
    """One window, so that the definition is the plain one."""
    ids, want, _ = long_text
    expected = nll(want, ids) / (len(ids) - 1)
    exact, fast = (perplexity(smollm2, TEXT[:1600], tmp_path / "text", "-c",
                              512, "--activations", kind)
                   for kind in ("f32", "q8"))
    assert exact["tokens"] == fast["tokens"] == len(ids) - 1
    assert exact["perplexity"] == pytest.approx(np.exp(expected), rel=1e-3)
    assert fast["perplexity"] == pytest.approx(exact["perplexity"],
                                               rel=PERPLEXITY_LIMIT)


def test_perplexity_in_windows(smollm2, reference, long_text, tmp_path):
    """Windows do not overlap, and the first token of each is not scored."""
    ids, total, scored = long_text[0], 0.0, 0
    for i in range(0, len(ids), 100):
        window = ids[i:i + 100]
        if len(window) > 1:
            total += nll(reference.forward(window), window)
            scored += len(window) - 1
    got = perplexity(smollm2, TEXT[:1600], tmp_path / "text", "-c", 100,
                     "--activations", "f32")
    assert got["tokens"] == scored
    assert got["nll"] == pytest.approx(total / scored, rel=1e-3)
    assert got["perplexity"] == pytest.approx(np.exp(got["nll"]), rel=1e-6)


def generate(smollm2, *options):
    return engine.run("-m", smollm2, "-p", TEXT[:700], "-n", 12, "--temp",
                      0.9, "-s", 42, "-q", *options)


@pytest.fixture(scope="module")
def generated(smollm2, llama_program):
    return generate(smollm2)


@pytest.mark.parametrize("threads", [1, 2, 3, 5, 17])
def test_same_text_for_any_threads(threads, smollm2, generated):
    assert generate(smollm2, "-t", threads) == generated


@pytest.mark.parametrize("batch", [1, 63, 64, 65, 511])
def test_same_text_for_any_batch(batch, smollm2, generated):
    assert generate(smollm2, "-b", batch) == generated


def test_same_seed_same_text(smollm2, generated):
    assert generate(smollm2) == generated
    assert generate(smollm2, "-s", 43) != generated


# With no system text: the one that the file's template brings along makes
# this small model answer the first two in Romance languages, and wrongly, as
# it does in other engines.
@pytest.mark.parametrize("question, answer", [
    ("What is the capital of France?", "Paris"),
    ("What is the capital of Italy?", "Rome"),
    ("Which planet is known as the red planet?", "Mars"),
    ("What colour is the sky on a clear day?", "blue"),
    ("Which animal says meow?", "cat"),
])
def test_answers(question, answer, smollm2, llama_program):
    said = engine.run("-m", smollm2, "--chat", "-sys", "", "-p", question,
                      "--temp", 0, "-n", 40, "-q")
    assert answer.lower() in said.lower()


def test_generation_as_json(smollm2, llama_program):
    got = json.loads(engine.run("-m", smollm2, "-p", "Once upon a time",
                                "-n", 8, "--temp", 0, "--json",
                                "--ignore-eos", "-s", 5))
    assert {"text", "finish_reason", "prompt_tokens", "completion_tokens",
            "load_seconds", "time_to_first_token_seconds",
            "prefill_tokens_per_second", "decode_tokens_per_second",
            "peak_bytes", "isa", "threads", "seed"} <= got.keys()
    assert got["prompt_tokens"] == 4 and got["completion_tokens"] == 8
    assert got["finish_reason"] == "length" and got["seed"] == 5
    assert got["text"].strip() and got["peak_bytes"] > 0


def test_best_tokens_as_json(smollm2, reference, llama_program):
    got = json.loads(engine.run("-m", smollm2, "-p", PROMPTS[0], "--logits",
                                "--json", "--activations", "f32"))
    logits = reference.forward(got["prompt"])[-1]
    best = np.argsort(-logits)[:10]
    assert [t["id"] for t in got["top"]] == best.tolist()
    np.testing.assert_allclose([t["logit"] for t in got["top"]],
                               logits[best], atol=LOGIT_LIMIT)
