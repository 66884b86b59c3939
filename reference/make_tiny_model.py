"""Makes data/tiny.gguf: a Llama of 200 kB with every part that a real one
has, and nothing in it that is zero or one by accident.

    python3 reference/make_tiny_model.py [OUTPUT]

It is not trained as a whole. The embedding and the output matrix are fitted,
so that alone they are a bigram model of data/tiny.txt: from one token to the
next. Attention and the feed-forward networks are random and small: they
disturb the bigrams a little, as each number of them must when it is read
wrongly. Every run on every machine gives the same bytes: the random numbers
are made of integers, and the fit is a smooth one whose last digits, which
differ between machines, are far below what the types of the file keep.
"""

import sys
from pathlib import Path

import gguf
import numpy as np

import models

ROOT = Path(__file__).resolve().parent.parent
CONFIG = dict(n_layers=3, n_context=512, d_model=64, d_ff=160, n_heads=4,
              n_kv_heads=2, head_dim=16, rope_theta=10000.0, norm_eps=1e-5,
              n_vocab=512)
# A different mixture in each layer, so that every product is used.
TYPES = [
    dict(attn_q="Q4_0", attn_k="Q4_1", attn_v="F16", attn_output="Q4_1",
         ffn_gate="Q4_0", ffn_up="Q4_1", ffn_down="Q8_0"),
    dict(attn_q="Q4_1", attn_k="Q8_0", attn_v="Q4_1", attn_output="F16",
         ffn_gate="Q4_1", ffn_up="Q4_1", ffn_down="Q4_1"),
    dict(attn_q="F16", attn_k="Q4_0", attn_v="Q8_0", attn_output="Q4_0",
         ffn_gate="F16", ffn_up="Q8_0", ffn_down="Q4_0"),
]


def bigrams(text, merges, tokens):
    """How often token b follows token a, [n_vocab, n_vocab]. A paragraph is
    a message: it begins after a line end and ends with <|im_end|>."""
    counts = np.zeros((len(tokens), len(tokens)))
    start, stop = tokens.index("Ċ"), tokens.index("<|im_end|>")
    for paragraph in text.split("\n\n"):
        words = " ".join(paragraph.split())
        ids = [start, *models.encode(words, merges, tokens), stop]
        for a, b in zip(ids, ids[1:]):
            counts[a, b] += 1
    return counts


def fit(counts, d_model, random, n_steps=1500, rate=2.0):
    """Rows E and V for which softmax(V e_a) is close to the chances of the
    token after a. Plain gradient descent with momentum; the rows of E are
    kept at size one, because RMSNorm will do the same to them."""
    seen = counts.sum(axis=1, keepdims=True)
    after = (counts + 0.05 * counts.sum(axis=0) / counts.sum()
             + 0.02 / len(counts))
    after /= after.sum(axis=1, keepdims=True)
    weight = np.sqrt(seen + 0.01)
    weight /= weight.sum()
    e = random.uniform(len(counts), d_model) * np.sqrt(3.0)
    v = random.uniform(len(counts), d_model) * 0.1
    speed_e, speed_v = np.zeros_like(e), np.zeros_like(v)
    for _ in range(n_steps):
        size = np.sqrt((e * e).mean(axis=1, keepdims=True))
        unit = e / size
        logits = unit @ v.T
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        error = (p - after) * weight
        slope_e = error @ v / weight / len(counts) * 4
        slope_e -= unit * (slope_e * unit).mean(axis=1, keepdims=True)
        slope_v = error.T @ unit
        speed_e = 0.9 * speed_e - rate * slope_e / size
        speed_v = 0.9 * speed_v - rate * slope_v
        e, v = e + speed_e, v + speed_v
    return e / np.sqrt((e * e).mean(axis=1, keepdims=True)), v


def weights(random, embedding, output):
    """Names, values and types, in the order of the file."""
    c = CONFIG
    d, kv = c["d_model"], c["n_kv_heads"] * c["head_dim"]
    yield "token_embd.weight", embedding, "Q8_0"
    for n, kinds in enumerate(TYPES):
        parts = dict(
            attn_q=random.matrix(d, d, 1.5), attn_k=random.matrix(kv, d, 1.5),
            attn_v=random.matrix(kv, d, 1.0),
            attn_output=random.matrix(d, d, 0.12),
            ffn_gate=random.matrix(c["d_ff"], d, 1.0),
            ffn_up=random.matrix(c["d_ff"], d, 1.0),
            ffn_down=random.matrix(d, c["d_ff"], 0.25))
        yield f"blk.{n}.attn_norm.weight", random.norm(d), "F32"
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{n}.{name}.weight", parts[name], kinds[name]
        yield f"blk.{n}.ffn_norm.weight", random.norm(d), "F32"
        for name in ("ffn_gate", "ffn_up", "ffn_down"):
            yield f"blk.{n}.{name}.weight", parts[name], kinds[name]
    # The output rows take back what the last norm's weights do.
    norm = random.norm(d)
    yield "output_norm.weight", norm, "F32"
    yield "output.weight", output / norm, "F16"


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else ROOT / "data/tiny.gguf"
    text = (ROOT / "data/tiny.txt").read_text(encoding="ascii")
    text = "\n\n".join(" ".join(p.split()) for p in text.split("\n\n"))
    n_merges = CONFIG["n_vocab"] - 256 - len(models.SPECIAL)
    merges = models.learn_merges(text, n_merges)
    tokens = models.byte_vocabulary(merges)
    random = models.Random(8)
    embedding, output = fit(bigrams(text, merges, tokens),
                            CONFIG["d_model"], random)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("model")
    writer.add_name("tiny")
    writer.add_description("A bigram model of one page, with random layers")
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    models.add_shape(writer, CONFIG)
    models.add_byte_vocabulary(writer, merges)
    for name, values, kind in weights(random, embedding, output):
        models.add_tensor(writer, name, values, kind)
    models.finish(writer, path)
    print(f"{path}: {Path(path).stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
