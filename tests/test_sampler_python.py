"""The sampler against numpy: which tokens can follow, and how likely each is,
for logits, texts and settings made at random.

tools/compare_samplers.py makes the same comparison with llama.cpp's chain.
"""

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
N_CASES = 1500
# Our probabilities are floats.
LIMIT = 1e-6


class Params(ctypes.Structure):
    _fields_ = [("temperature", ctypes.c_double), ("top_k", ctypes.c_int),
                ("typical", ctypes.c_double), ("top_p", ctypes.c_double),
                ("min_p", ctypes.c_double),
                ("repeat_penalty", ctypes.c_double),
                ("presence_penalty", ctypes.c_double),
                ("frequency_penalty", ctypes.c_double),
                ("repeat_last_n", ctypes.c_int), ("seed", ctypes.c_uint64)]


class Candidate(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int32), ("logit", ctypes.c_float)]


class Sampler(ctypes.Structure):
    _fields_ = [("params", Params), ("random", ctypes.c_uint64),
                ("candidates", ctypes.c_void_p), ("vocab_size", ctypes.c_int)]


def build(folder):
    target = folder / "sampler.so"
    subprocess.run(["cc", "-std=c11", "-I.", "-O2", "-ffp-contract=off",
                    "-fPIC", "-shared", "-o", target, "common/sampler.c",
                    "-lm"], cwd=ROOT, check=True)
    return ctypes.CDLL(str(target))


def ours(library, params, logits, recent):
    """Ids and probabilities, most likely first."""
    n = len(logits)
    room, out = (Candidate * n)(), ctypes.POINTER(Candidate)()
    sampler = Sampler()
    library.sampler_init(ctypes.byref(sampler), ctypes.byref(params), room, n)
    count = library.sampler_distribution(
        ctypes.byref(sampler), logits.ctypes.data_as(ctypes.c_void_p),
        recent.ctypes.data_as(ctypes.c_void_p), len(recent),
        ctypes.byref(out))
    return ([out[i].id for i in range(count)],
            np.array([out[i].logit for i in range(count)]))


def case(dice):
    """Logits, a text and settings, each of which is often off."""
    n = int(dice.integers(1, 400))
    logits = (dice.normal(size=n) * dice.choice([0.5, 2, 6])).astype("f4")
    recent = dice.integers(0, min(n, 30), dice.integers(0, 90)).astype("i4")

    def often(value, otherwise):
        return value if dice.random() < 0.6 else otherwise

    return logits, recent, Params(
        temperature=often(float(dice.uniform(0.1, 3)), 1.0),
        top_k=often(int(dice.integers(1, 80)), 0),
        typical=often(float(dice.uniform(0.01, 1)), 1.0),
        top_p=often(float(dice.uniform(0.01, 1)), 1.0),
        min_p=often(float(dice.uniform(0, 0.3)), 0.0),
        repeat_penalty=often(float(dice.uniform(0.5, 2)), 1.0),
        presence_penalty=often(float(dice.normal()), 0.0),
        frequency_penalty=often(float(dice.normal() / 3), 0.0),
        repeat_last_n=int(dice.choice([-1, 0, 1, 5, 64])))


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def theirs(p, logits, recent):
    """The chain from the papers, in double precision."""
    x = logits.astype("f8")
    last = p.repeat_last_n
    window = recent[-last:] if last > 0 else recent[:0] if last == 0 \
        else recent
    counts = np.bincount(window, minlength=len(x))
    there = counts > 0
    penalised = np.where(x > 0, x / p.repeat_penalty, x * p.repeat_penalty)
    x = np.where(there, penalised - counts * p.frequency_penalty
                 - p.presence_penalty, x)
    ids = np.argsort(-x, kind="stable")
    if p.top_k > 0:
        ids = ids[:p.top_k]
    if p.typical < 1:
        q = softmax(x[ids])
        off = np.abs(-np.log(q) - -(q * np.log(q)).sum())
        order = np.argsort(off, kind="stable")
        n = int((np.cumsum(q[order]) <= p.typical).sum()) + 1
        ids = ids[np.sort(order[:n])]
    if p.top_p < 1:
        q = softmax(x[ids])
        ids = ids[:max(1, int((np.cumsum(q) - q < p.top_p).sum()))]
    q = softmax(x[ids])
    ids = ids[(q >= p.min_p * q[0]) | (np.arange(len(q)) == 0)]
    return list(ids), softmax(x[ids] / p.temperature)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return build(tmp_path_factory.mktemp("sampler"))


def test_the_chain_against_numpy(library):
    dice = np.random.default_rng(8)
    largest, cut, off_best = 0.0, 0, 0
    for _ in range(N_CASES):
        logits, recent, params = case(dice)
        ids, shares = ours(library, params, logits, recent)
        want, probabilities = theirs(params, logits, recent)
        assert ids == want
        largest = max(largest, float(np.abs(shares - probabilities).max()))
        cut += len(ids) < len(logits)
        off_best += ids[0] != int(np.argmax(logits))
    print(f"{N_CASES} cases, largest difference {largest:.1e}")
    assert largest <= LIMIT
    # The settings did something, or this has tested nothing.
    assert cut > N_CASES / 2 and off_best > N_CASES / 10
