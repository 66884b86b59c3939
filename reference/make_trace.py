"""Makes data/trace.gguf: what some layers of SmolLM2 compute around the norm
and the rotation, for one sentence.

    python3 reference/make_trace.py [MODEL [OUTPUT]]
"""

import os
import sys
from pathlib import Path

import gguf

import models
from llama import Llama

ROOT = Path(__file__).resolve().parent.parent
MODEL = "data/models/SmolLM2-135M-Instruct.Q4_1.gguf"
# Layers with something to see: in layer 1 head 2 looks at the token before,
# in layer 5 head 6 at the same word earlier on, and in layer 13 head 8 goes
# from "it" to "animal".
LAYERS = [1, 5, 13]
# It repeats "the street was too", and its "it" has to be the street or the
# animal. Each word is one token of the model.
SENTENCE = ("The animal did not cross the street because it was too tired,"
            " and the street was too wide.")
PARTS = ["attn_norm", "q", "k", "v", "q_rope", "k_rope"]


def words(tokens, sentence):
    """Ids and texts of a sentence in which each word is one token."""
    number = {token: i for i, token in enumerate(tokens)}
    spaced = sentence.replace(",", " ,").replace(".", " .").split(" ")
    texts = [spaced[0]] + [w if w in ",." else f" {w}" for w in spaced[1:]]
    return [number[t.replace(" ", "Ġ")] for t in texts], texts


def main():
    model = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / MODEL)
    path = sys.argv[2] if len(sys.argv) > 2 else ROOT / "data/trace.gguf"
    llama = Llama(model)
    ids, texts = words(llama.key("tokenizer.ggml.tokens"), SENTENCE)
    seen = {}
    llama.forward(ids, observe=seen.__setitem__)

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("trace")
    writer.add_name("SmolLM2-135M-Instruct, one sentence")
    writer.add_license("apache-2.0")
    writer.add_string("trace.model", model.name)
    writer.add_array("trace.tokens", texts)
    writer.add_array("trace.ids", ids)
    writer.add_array("trace.layers", LAYERS)
    models.add_shape(writer, dict(
        n_layers=llama.n_layers, n_context=llama.n_context,
        d_model=llama.d_model, d_ff=llama.key("llama.feed_forward_length"),
        n_heads=llama.n_heads, n_kv_heads=llama.n_kv_heads,
        head_dim=llama.head_dim, rope_theta=llama.rope_theta,
        norm_eps=llama.norm_eps,
        n_vocab=len(llama.key("tokenizer.ggml.tokens"))))
    for n in LAYERS:
        source = f"blk.{n - 1}.ffn_residual" if n else "embedding"
        models.add_tensor(writer, f"blk.{n}.input", seen[source], "F16")
        models.add_tensor(writer, f"blk.{n}.attn_norm.weight",
                          llama.weight(f"blk.{n}.attn_norm.weight"), "F32")
        for part in PARTS:
            name = f"blk.{n}.{part}"
            models.add_tensor(writer, name, seen[name], "F16")
    models.finish(writer, path)
    print(f"{path}: {os.path.getsize(path):,} bytes, {len(ids)} tokens",
          file=sys.stderr)


if __name__ == "__main__":
    main()
