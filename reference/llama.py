"""The forward pass of a Llama, written once more from the papers, in numpy.

    model = Llama("data/tiny.gguf")                 # float64
    logits = model.forward([1, 2, 3])               # [n_tokens, n_vocab]
    logits = model.forward([1, 2, 3], observe=seen.__setitem__)

It is written to be compared with: whole matrices, no cache, no quantized
arithmetic. Weights are decoded by the `gguf` package, not by us.

    embedding, residuals    Touvron et al. 2023, Vaswani et al. 2017
    norm                    Zhang and Sennrich 2019, equation 4
    rotation                Su et al. 2021, equation 34
    attention               Vaswani et al. 2017, equation 1;
                            Ainslie et al. 2023 for the groups
    feed-forward            Shazeer 2020, equation 6 (SwiGLU)
"""

import gguf
import numpy as np


def rmsnorm(x, weight, eps):
    """x[..., n] divided by the root of its mean square, then scaled."""
    mean = np.mean(x * x, axis=-1, keepdims=True)
    return x / np.sqrt(mean + eps) * weight


def rope_angles(positions, rope_dim, theta, scale=1.0, factors=None):
    """[n_tokens, rope_dim / 2], in radians, always in float64."""
    i = np.arange(rope_dim // 2, dtype=np.float64)
    frequency = theta ** (-2.0 * i / rope_dim) / scale
    if factors is not None:
        frequency = frequency / factors.astype(np.float64)
    return np.outer(np.asarray(positions, dtype=np.float64), frequency)


def rope(x, angles):
    """Turn neighbouring pairs of x[n_tokens, n_heads, head_dim]; what lies
    behind the pairs that have an angle stays."""
    n = 2 * angles.shape[1]
    cos = np.cos(angles).astype(x.dtype)[:, None, :]
    sin = np.sin(angles).astype(x.dtype)[:, None, :]
    even, odd = x[..., 0:n:2], x[..., 1:n:2]
    out = x.copy()
    out[..., 0:n:2] = even * cos - odd * sin
    out[..., 1:n:2] = even * sin + odd * cos
    return out


def softmax(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention(q, k, v, n_past=0):
    """q[n, n_heads, head_dim] over k, v[n_past + n, n_kv_heads, head_dim]:
    query head h reads key-value head h / (n_heads / n_kv_heads), and row i
    sees positions up to n_past + i. Returns the result and the chances
    [n_heads, n, n_past + n]."""
    n, n_heads, head_dim = q.shape
    group = n_heads // k.shape[1]
    k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
    scores = np.einsum("ihd,jhd->hij", q, k) / np.sqrt(head_dim).astype(
        q.dtype)
    i, j = np.arange(n)[:, None], np.arange(k.shape[0])[None, :]
    chances = softmax(np.where(j <= n_past + i, scores, -np.inf))
    return np.einsum("hij,jhd->ihd", chances, v), chances


def silu(x):
    with np.errstate(over="ignore"):
        return x / (1.0 + np.exp(-x))


class Llama:
    def __init__(self, path, dtype=np.float64):
        self.reader = gguf.GGUFReader(path)
        self.dtype = np.dtype(dtype)
        self.tensors = {t.name: t for t in self.reader.tensors}
        self.decoded = {}
        self.store = lambda rows: rows      # what a cache makes of keys and
                                            # values
        key = lambda name, default=None: self.key(f"llama.{name}", default)
        self.d_model = key("embedding_length")
        self.n_layers = key("block_count")
        self.n_heads = key("attention.head_count")
        self.n_kv_heads = key("attention.head_count_kv", self.n_heads)
        self.head_dim = key("attention.key_length",
                            self.d_model // self.n_heads)
        self.rope_dim = key("rope.dimension_count", self.head_dim)
        self.rope_theta = key("rope.freq_base", 10000.0)
        self.rope_scale = 1.0
        if key("rope.scaling.type") == "linear":
            self.rope_scale = key("rope.scaling.factor", 1.0)
        self.norm_eps = key("attention.layer_norm_rms_epsilon")
        self.n_context = key("context_length")

    def key(self, name, default=None):
        field = self.reader.get_field(name)
        return default if field is None else field.contents()

    def weight(self, name, optional=False):
        """A tensor as numbers, [rows, columns]; decoded once."""
        if name not in self.tensors:
            if optional:
                return None
            raise KeyError(name)
        if name not in self.decoded:
            t = self.tensors[name]
            values = gguf.quants.dequantize(t.data, t.tensor_type)
            shape = [int(n) for n in reversed(t.shape)]
            self.decoded[name] = values.reshape(shape).astype(self.dtype)
        return self.decoded[name]

    def linear(self, x, name):
        y = x @ self.weight(f"{name}.weight").T
        bias = self.weight(f"{name}.bias", optional=True)
        return y if bias is None else y + bias

    def forward(self, ids, observe=None):
        """Logits [n_tokens, n_vocab] of a text that begins at position 0.
        observe(name, values[n_tokens, width]) is called with each step."""
        see = observe or (lambda name, values: None)
        factors = self.weight("rope_freqs.weight", optional=True)
        angles = rope_angles(range(len(ids)), self.rope_dim, self.rope_theta,
                             self.rope_scale, factors)
        x = self.weight("token_embd.weight")[np.asarray(ids)]
        see("embedding", x)
        for n in range(self.n_layers):
            x = self.block(n, x, angles,
                           lambda name, y: see(f"blk.{n}.{name}", y))
        x = rmsnorm(x, self.weight("output_norm.weight"), self.norm_eps)
        see("final_norm", x)
        tied = "output.weight" not in self.tensors
        logits = self.linear(x, "token_embd" if tied else "output")
        see("logits", logits)
        return logits

    def block(self, n, x, angles, see):
        x = x + self.attend(n, x, angles, see)
        see("attn_residual", x)
        x = x + self.feed_forward(n, x, see)
        see("ffn_residual", x)
        return x

    def attend(self, n, x, angles, see):
        heads = lambda y: y.reshape(len(y), -1, self.head_dim)
        flat = lambda y: y.reshape(len(y), -1)
        name = f"blk.{n}.attn"
        x = rmsnorm(x, self.weight(f"{name}_norm.weight"), self.norm_eps)
        see("attn_norm", x)
        q, k, v = (self.linear(x, f"{name}_{part}") for part in "qkv")
        see("q", q), see("k", k), see("v", v)
        q, k = rope(heads(q), angles), rope(heads(k), angles)
        see("q_rope", flat(q)), see("k_rope", flat(k))
        mixed = flat(attention(q, self.store(k), self.store(heads(v)))[0])
        see("attention", mixed)
        out = self.linear(mixed, f"{name}_output")
        see("attn_output", out)
        return out

    def feed_forward(self, n, x, see):
        name = f"blk.{n}.ffn"
        x = rmsnorm(x, self.weight(f"{name}_norm.weight"), self.norm_eps)
        see("ffn_norm", x)
        gate = self.linear(x, f"{name}_gate")
        up = self.linear(x, f"{name}_up")
        see("ffn_gate", gate), see("ffn_up", up)
        act = silu(gate) * up
        see("ffn_act", act)
        down = self.linear(act, f"{name}_down")
        see("ffn_down", down)
        return down
