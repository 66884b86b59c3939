"""What a model costs, from the papers' shapes: weights, cache, operations,
and what training keeps.

Written without looking at the C code: a layer is a list of steps, each names
the values that its way back needs, and a value that two steps need is kept
once. (Vaswani et al. 2017; Korthikanti et al. 2022, section 4, without
dropout; Chen et al. 2016 for checkpoints; Hu et al. 2021 for adapters; Kaplan
et al. 2020 for operations.) A model is a dictionary with the keys of
config.h.
"""

from fractions import Fraction
from math import prod

# Bytes and numbers of a block.
TYPES = {"F32": (4, 1), "F16": (2, 1), "Q8_0": (34, 32), "Q4_0": (18, 32)}


def widths(m):
    return (m["d_model"], m["n_heads"] * m["head_dim"],
            m["n_kv_heads"] * m["head_dim"], m["d_ff"])


def layer_matrices(m):
    """Name to [rows, columns]."""
    d, q, kv, ff = widths(m)
    matrices = {"q": (q, d), "k": (kv, d), "v": (kv, d), "o": (d, q),
                "up": (ff, d), "down": (d, ff)}
    if m["gated"]:
        matrices["gate"] = (ff, d)
    return matrices


def layer_vectors(m):
    """Numbers in norms and biases of a layer."""
    d, q, kv, ff = widths(m)
    n_norms = 1 if m["shared_norm"] else 2
    n = n_norms * d * (2 if m["norm_bias"] else 1)
    n += (q + kv + kv) * m["qkv_bias"] + d * m["attn_out_bias"]
    return n + ((2 if m["gated"] else 1) * ff + d) * m["ffn_bias"]


def table(m):
    return m["vocab_size"] * m["d_model"]


def learned(m):
    return m["context_length"] * m["d_model"] * m["learned_positions"]


def multiplied(m):
    """Numbers in matrices that a token meets: the head, tied or not."""
    return m["n_layers"] * sum(map(prod, layer_matrices(m).values())) \
        + table(m)


def vectors(m):
    return m["n_layers"] * layer_vectors(m) \
        + m["d_model"] * (2 if m["norm_bias"] else 1)


def parameters(m):
    return multiplied(m) + (0 if m["tied"] else table(m)) + vectors(m) \
        + learned(m)


def row_bytes(n, kind):
    """Of n numbers side by side: whole blocks, or else half precision."""
    n_bytes, block = TYPES[kind]
    return 2 * n if n % block else n // block * n_bytes


def matrix_bytes(m, kind, n_tables):
    layer = sum(rows * row_bytes(columns, kind)
                for rows, columns in layer_matrices(m).values())
    return m["n_layers"] * layer \
        + n_tables * m["vocab_size"] * row_bytes(m["d_model"], kind)


def weight_bytes(m, kind):
    return matrix_bytes(m, kind, 1 if m["tied"] else 2) \
        + 4 * (vectors(m) + learned(m))


def cache_bytes(m, kind):
    """Of one position, in all layers."""
    n_bytes, block = TYPES[kind]
    return 2 * m["n_layers"] * m["n_kv_heads"] \
        * (-(-m["head_dim"] // block) * n_bytes)


def token_bytes(m, kind, cache, n_seen):
    return matrix_bytes(m, kind, 1) + 4 * vectors(m) \
        + n_seen * cache_bytes(m, cache)


def adapters(m, rank, names):
    matrices = layer_matrices(m)
    return m["n_layers"] * sum(rank * columns + rows * rank
                               for name, (rows, columns) in matrices.items()
                               if name in names)


# --- training ------------------------------------------------------------

def layer_kept(m, trained=("q", "k", "v", "o", "gate", "up", "down")):
    """Numbers for a token that the way back through a layer needs, by name;
    "probabilities" for a token and each token of its text. What a matrix
    takes in is needed if something at that matrix is trained."""
    d, q, kv, ff = widths(m)
    scale = 2 if m["layer_norm"] else 1     # mean and deviation, or scale
    kept = {}
    trained = set(trained) & set(layer_matrices(m))

    def step(**values):
        for name, n in values.items():
            assert kept.setdefault(name, n) == n

    def norm(source, name):
        step(**{source: d, "scale of " + source: scale})
        return name

    def times(names, source, n):
        if trained & set(names):
            step(**{source: n})

    # An operation that multiplies needs both factors; a norm its input; a
    # sum nothing; a softmax its result; a curve its input.
    first = norm("input", "normed")
    times("qkv", first, d)
    step(rotated_q=q, rotated_k=kv)                 # q times k
    step(probabilities=m["n_heads"])                # softmax
    step(probabilities=m["n_heads"], v=kv)          # times v
    times("o", "gathered", q)
    source = "input" if m["parallel"] else "middle"
    second = first if m["shared_norm"] else norm(source, "normed again")
    times(["gate", "up"], second, d)
    if m["gated"]:
        step(gate=ff, up=ff)                        # curve(gate) * up
    else:
        step(up=ff)                                 # curve(up)
    times(["down"], "product", ff)
    return kept


def training(m, n_batch, n_block, half=False, checkpoint=False, rank=0,
             names=(), frozen="Q4_0"):
    """Bytes of the parts."""
    number = 2 if half else 4
    tokens = n_batch * n_block
    matrices = layer_matrices(m)
    inside = sum(rank for name in names if name in matrices)

    def of_layer(**which):
        kept = layer_kept(m, **which)
        square = number * kept.pop("probabilities") * tokens * n_block
        wide = sum(n for name, n in kept.items() if name.startswith("scale"))
        return sum(kept.values()) - wide + inside, wide, square

    # All values have gradients; those that feed frozen matrices are not kept.
    all_values, _, _ = of_layer()
    values, wide, square = of_layer(trained=names) if rank else of_layer()
    layer = tokens * (number * values + 4 * wide)
    scale = 2 if m["layer_norm"] else 1
    n_rows = 1 if rank else 2       # the last norm's input, and the head's
    once = tokens * (number * n_rows * m["d_model"] + 4 * scale
                     + 4 * m["vocab_size"])
    if checkpoint:
        linear = layer + (m["n_layers"] - 1) * tokens * number * m["d_model"]
        squares = square
    else:
        linear, squares = m["n_layers"] * layer, m["n_layers"] * square
    trained = adapters(m, rank, names) if rank else parameters(m)
    return {
        "trained": trained,
        "frozen weights": weight_bytes(m, frozen) if rank else 0,
        "trained weights": number * trained,
        "their copy as floats": 4 * trained if half else 0,
        "gradients": number * trained,
        "optimizer moments": 2 * 4 * trained,
        "activations, linear": linear + once,
        "activations, square": squares,
        "passing gradients": tokens * number * all_values + square,
        "layer_linear": layer,
        "layer_square": square,
    }


# --- operations ----------------------------------------------------------

def forward(m, n_seen):
    """Of one token: with weights, with keys and values."""
    return 2 * multiplied(m), \
        m["n_layers"] * n_seen * (2 + 2) * m["n_heads"] * m["head_dim"]


def forward_backward(m, n_block, checkpoint=False, rank=0, names=()):
    """Of one token of a block, on average."""
    _, attention = forward(m, Fraction(n_block + 1, 2))
    frozen = rank > 0
    once = 2 * multiplied(m)
    own = 2 * adapters(m, rank, names) if frozen else 0
    to_input, to_weights = once + own, own if frozen else once
    # The head is not in a layer, so no checkpoint makes it go again.
    again = once - 2 * table(m) + own if checkpoint else 0
    return once + own + again + to_input + to_weights, \
        float((4 if checkpoint else 3) * attention)
