"""Expected values of chapter 6: the softmax, and causal grouped-query
attention (Vaswani et al. 2017, equation 1; Ainslie et al. 2023)."""

import numpy as np

import expected
import models
from llama import attention, softmax

# name, heads, key-value heads, head_dim, rows in the cache before, rows now,
# size of the queries, cache in half precision
CASES = [
    ("every_head_its_own", 4, 4, 16, 0, 6, 2.0, False),
    ("groups_of_three", 9, 3, 64, 17, 2, 2.0, False),
    ("one_for_all", 4, 1, 32, 0, 5, 2.0, False),
    ("odd_head_dim", 6, 2, 24, 3, 3, 2.0, False),
    ("many_spans", 2, 1, 16, 297, 3, 3.0, False),
    ("span_border", 2, 1, 16, 126, 4, 3.0, False),
    ("large_scores", 2, 2, 16, 20, 3, 300.0, False),
    ("half_precision", 4, 2, 32, 140, 2, 2.0, True),
]


def make_case(ref, seed, case):
    name, n_heads, n_kv_heads, head_dim, n_past, n, size, half = case
    draw = lambda part, *shape: models.Random(10 * seed + part).uniform(
        *shape).astype(np.float32)
    total = n_past + n
    q = draw(0, n, n_heads, head_dim) * np.float32(size)
    k = draw(1, total, n_kv_heads, head_dim)
    v = draw(2, total, n_kv_heads, head_dim)
    if half:
        k, v = k.astype(np.float16), v.astype(np.float16)
    out, _ = attention(*(x.astype(np.float64) for x in (q, k, v)), n_past)
    ref.add(f"{name}.shape",
            [n_heads, n_kv_heads, head_dim, n_past, n, size, int(half)])
    ref.add(f"{name}.seed", seed)
    ref.add(f"{name}.out", out)


def attention_ref():
    ref = expected.Ref(__file__, """\
NAME.shape = n_heads, n_kv_heads, head_dim, positions before, rows, size of
the queries, 1 for a cache in half precision
Queries, keys and values are [rows, heads, head_dim] numbers of Random(seed)
with the seeds 10 NAME.seed, + 1 and + 2; queries are multiplied by the size.
NAME.out = attention, before the output projection""")
    for seed, case in enumerate(CASES, start=1):
        make_case(ref, seed, case)
    return ref


def softmax_ref():
    ref = expected.Ref(__file__, "NAME.out = softmax of NAME.x")
    cases = [
        ("pencil", [1.0, 2.0, 3.0]), ("one", [-7.0]),
        ("equal", np.zeros(5)), ("far_apart", [0.0, -100.0, -30.0, -1.0]),
        # exp(1000) is infinite: only differences may be exponentiated.
        ("large", [1000.0, 999.0, 990.0, 1000.5]),
        ("many", models.Random(6).uniform(200) * 10),
    ]
    for name, x in cases:
        x = np.asarray(x, dtype=np.float32).astype(np.float64)
        ref.add(f"{name}.x", x)
        ref.add(f"{name}.out", softmax(x))
    return ref


def make():
    folder = "06-attention/expected"
    yield f"{folder}/softmax.ref", softmax_ref()
    yield f"{folder}/attention.ref", attention_ref()


if __name__ == "__main__":
    expected.main(__doc__, make)
