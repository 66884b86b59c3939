"""Keys and values stored as F32, F16 and Q8_0: what a type costs in memory
and in exactness, and that nothing else depends on it."""

import json
import re
import subprocess

import gguf
import numpy as np
import pytest

import engine
import make_test_models
from llama import Llama

TYPES = ["f32", "f16", "q8_0"]
PROMPT = "the train in the rain"
TEXT = engine.ROOT / "data/tiny.txt"
# Of heads of 32 and of 64 numbers, in groups of two and of one.
MODELS = ["head_dim_wider", "one_layer"]
# Relative to the largest logit. The engine stores in float32 what the
# reference stores in float64, so now and then a number is rounded to another
# half. Measured: 4e-7 (F32), 2e-5 (F16), 3e-7 (Q8_0, no code differs).
LIMIT = 1e-4


def make(folder, name):
    path = folder / f"{name}.gguf"
    make_test_models.make(path, list(make_test_models.MODELS).index(name),
                          **make_test_models.MODELS[name], n_context=400)
    return path


@pytest.fixture(scope="module", params=MODELS)
def model(request, tmp_path_factory, llama_program):
    return make(tmp_path_factory.mktemp("models"), request.param)


def stored(kind):
    """What comes back from a cache, as the gguf package rounds."""
    kind = gguf.GGMLQuantizationType[kind.upper()]

    def rows(x):
        blocks = gguf.quants.quantize(x.astype(np.float32), kind)
        return gguf.quants.dequantize(blocks, kind).astype(x.dtype)
    return rows


def logits(model, path, kind, prompt=PROMPT):
    ids, got = engine.trace(path, "-m", model, "-p", prompt,
                            "--activations", "f32", "-ctk", kind)
    return ids, got["logits"]


def test_each_type_against_numpy(model, tmp_path):
    reference = Llama(model)
    away = {}
    for kind in TYPES:
        ids, got = logits(model, tmp_path / "trace.gguf", kind)
        if kind == "f32":
            exact = reference.forward(ids)
        reference.store = stored(kind)
        want = reference.forward(ids)
        error = engine.difference(got, want)
        away[kind] = engine.difference(got, exact)
        print(f"{kind}: {error:.1e} from its own reference, "
              f"{away[kind]:.1e} from exact keys and values")
        assert error <= LIMIT
    # Measured 3e-4 and 8e-3: half a unit of 2^-11, and half of 1 / 127.
    assert away["f32"] < 1e-5 < away["f16"] < 1e-3 < away["q8_0"] < 3e-2


def last_logits(model, *options, code=0):
    return engine.run("-m", model, "-p", PROMPT * 32, "-c", 400, "--logits",
                      "--json", "-ctk", "q8_0", *options, code=code)


def test_same_bits_however_it_is_computed(model):
    """More than two spans of 128 positions, whoever takes them."""
    want = last_logits(model)
    assert len(json.loads(want)["prompt"]) > 256
    for isa in ("scalar", "auto"):
        for batch in (1, 63, 64, 65, 129):
            assert last_logits(model, "--isa", isa, "-b", batch) == want
    for threads in (1, 2, 3, 5, 17):
        for batch in (1, 400):
            assert last_logits(model, "-t", threads, "-b", batch) == want


def test_same_bits_of_every_kernel_set(model):
    names = re.search("kernels: (.*)", engine.run("--version")).group(1)
    want = last_logits(model, "--isa", "scalar")
    same = [isa for isa in names.split() if runs_here(model, isa)
            and last_logits(model, "--isa", isa) == want]
    assert same == [isa for isa in names.split() if runs_here(model, isa)]


def runs_here(model, isa):
    done = subprocess.run(["./chapter-08/run", "-m", model, "-p", "a", "-n",
                           "1", "--isa", isa], cwd=engine.ROOT, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0 or "cannot run" in done.stderr
    return done.returncode == 0


@pytest.fixture(scope="module")
def perplexities(smollm2, llama_program, tmp_path_factory):
    """Of the first half of a page."""
    path = tmp_path_factory.mktemp("text") / "text"
    path.write_text(TEXT.read_text()[:3000])
    return {kind: json.loads(engine.run(
        "-m", smollm2, "--perplexity", path, "-c", 512, "--json", "-ctk",
        kind))["perplexity"] for kind in TYPES}


@pytest.mark.parametrize("kind", ["f16", "q8_0"])
def test_perplexity_of_the_real_model(kind, perplexities):
    """Measured: 0.28 % less as F16, 0.06 % less as Q8_0; on the whole page
    0.15 % less and 0.02 % more. Chance, either way."""
    change = perplexities[kind] / perplexities["f32"] - 1
    print(f"{kind}: perplexity {perplexities[kind]:.4f}, {change:+.2%}")
    assert abs(change) <= 0.005
    assert change != 0


@pytest.mark.parametrize("name, head_dim", [
    ("head_dim_narrower", 8), ("head_dim_odd_multiple", 24),
    ("ragged_f32", 10)])
def test_heads_that_are_no_whole_blocks(name, head_dim, tmp_path,
                                        llama_program):
    path = make(tmp_path, name)
    said = engine.run("-m", path, "-p", "a", "-ctk", "q8_0", code=1)
    assert said == (
        f"error: {path}: a cache of Q8_0 stores blocks of 32 numbers, and "
        f"the heads of this model have {head_dim}; use a cache of F16 or "
        "F32\n")


@pytest.mark.parametrize("kind, sentence", [
    ("q4_0", "data/tiny.gguf: a cache of Q4_0 is not possible, expected F32, "
     "F16 or Q8_0"),
    ("i32", "data/tiny.gguf: a cache of I32 is not possible, expected F32, "
     "F16 or Q8_0"),
    ("q9", 'unknown cache type "q9", expected f32, f16 or q8_0')])
def test_types_that_no_cache_has(kind, sentence, llama_program):
    assert engine.run("-ctk", kind, code=1) == f"error: {sentence}\n"
