"""Models of unusual shapes and of each type against the reference."""

import json

import numpy as np
import pytest

import engine
import make_test_models
from llama import Llama

PROMPT = "the train in the rain"
# As in tests/test_llama.c: a few units of 6e-8 in sums of at most 100.
LIMIT = 1e-5


@pytest.fixture(scope="module", params=make_test_models.MODELS)
def model(request, tmp_path_factory, llama_program):
    path = tmp_path_factory.mktemp("models") / f"{request.param}.gguf"
    names = list(make_test_models.MODELS)
    make_test_models.make(path, names.index(request.param),
                          **make_test_models.MODELS[request.param])
    return path


def test_every_step_against_numpy(model, tmp_path):
    ids, got = engine.trace(tmp_path / "trace.gguf", "-m", model, "-p",
                            PROMPT, "--activations", "f32", "-ctk", "f32")
    want = {}
    Llama(model).forward(ids, observe=want.__setitem__)
    assert len(ids) >= 5 and want.keys() <= got.keys()
    for name, values in want.items():
        assert engine.difference(got[name], values) <= LIMIT, name


def test_int8_activations_are_close(model, tmp_path):
    ids, got = engine.trace(tmp_path / "trace.gguf", "-m", model, "-p",
                            PROMPT, "--activations", "q8")
    logits = Llama(model).forward(ids)
    # One part in 254 for each product; these models are random, so errors
    # neither cancel nor are they corrected by later layers.
    assert engine.difference(got["logits"], logits) <= 0.1


@pytest.mark.parametrize("activations", ["q8", "f32"])
def test_every_instruction_set_gives_the_same(model, activations):
    outputs = {engine.run("-m", model, "-p", PROMPT, "--logits", "--json",
                          "--activations", activations, "--isa", isa, "-t",
                          threads)
               for isa in ("scalar", "auto") for threads in (1, 3)}
    assert len(outputs) == 1
    top = json.loads(outputs.pop())["top"]
    assert len(top) == 10 and np.isfinite([t["logit"] for t in top]).all()
