"""Makes small models of unusual shapes for the tests, all random.

    python3 reference/make_test_models.py [FOLDER]      (build/models)

Each is a Llama that somebody could have made, and that catches an engine
which takes the usual shapes for granted. What a model has that others have
not is in its name.
"""

import sys
from pathlib import Path

import gguf
import numpy as np

import models

ROOT = Path(__file__).resolve().parent.parent
USUAL = dict(n_layers=2, n_context=256, d_model=64, d_ff=96, n_heads=4,
             n_kv_heads=2, head_dim=16, rope_theta=10000.0, norm_eps=1e-5)
WIDE = dict(d_model=256, d_ff=512, head_dim=64)     # rows of super-blocks
# Where the scale and the minimum of a super-block stand in its bytes.
SUPER = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2),
         "Q6_K": (208,)}
# Name: what differs from the usual configuration. `kind` is the type of all
# matrices; `spm` makes a SentencePiece-style vocabulary.
MODELS = {
    "tied": dict(tied=True),
    "untied": dict(),
    "head_dim_wider": dict(head_dim=32),
    "head_dim_narrower": dict(head_dim=8),
    "head_dim_odd_multiple": dict(head_dim=24, n_heads=3, n_kv_heads=1),
    "groups_of_one": dict(n_kv_heads=4),
    "groups_of_three": dict(n_heads=6, n_kv_heads=2),
    "one_key_head": dict(n_kv_heads=1),
    "biases": dict(biases=True, kind="Q8_0"),
    "rope_factors": dict(factors=True, head_dim=32, rope_theta=500000.0),
    "rope_linear": dict(linear=4.0),
    "rope_partial": dict(rope_dim=8),
    "ragged_f32": dict(d_model=60, d_ff=77, head_dim=10),
    "ragged_f16": dict(d_model=36, d_ff=50, head_dim=6, kind="F16",
                       tied=True),
    "ragged_mixed": dict(d_ff=77, kind="Q8_0"),     # ffn_down stays F32
    "type_f32": dict(kind="F32"),
    "type_f16": dict(kind="F16"),
    "type_bf16": dict(kind="BF16"),
    "type_q8_0": dict(kind="Q8_0", tied=True),
    "type_q4_0": dict(kind="Q4_0"),
    "type_q4_1": dict(kind="Q4_1"),
    "type_q5_0": dict(kind="Q5_0"),
    "type_q5_1": dict(kind="Q5_1"),
    "type_q2_k": dict(kind="Q2_K", **WIDE),
    "type_q3_k": dict(kind="Q3_K", **WIDE),
    "type_q4_k": dict(kind="Q4_K", **WIDE),
    "type_q5_k": dict(kind="Q5_K", **WIDE),
    "type_q6_k": dict(kind="Q6_K", **WIDE, tied=True),
    "one_layer": dict(n_layers=1, n_heads=1, n_kv_heads=1, head_dim=64),
    "spm": dict(spm=True),
}


def stored(kind, columns):
    """The type itself, or F32 where a row is no whole number of blocks."""
    size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]][0]
    return "F32" if columns % size else kind


def super_blocks(kind, values, random):
    """Random blocks of a type that the gguf package decodes and can not
    encode. They mean no `values`, but have their size."""
    kind_at, kind = SUPER[kind], gguf.GGMLQuantizationType[kind]
    numbers, size = gguf.GGML_QUANT_SIZES[kind]
    draws = random.uniform(values.size // numbers, size)
    blocks = np.floor((draws + 1) * 128).astype(np.uint8)

    def decoded(*halves):
        for at, half in zip(kind_at, halves):
            blocks[:, at:at + 2] = np.array([half], "<f2").view(np.uint8)
        return gguf.quants.dequantize(blocks, kind)

    scale = (1.0, 0.0)
    if len(kind_at) == 2:           # minimums in the middle of the codes
        scale = (1.0, decoded(1, 0).mean() / -decoded(0, 1).mean())
    factor = values.std() / decoded(*scale).std()
    decoded(*(factor * part for part in scale))
    return blocks.reshape(values.shape[0], -1)


def add_spm_vocabulary(writer):
    """SentencePiece-style: scores, <0x00> to <0xFF>, and spaces as U+2581."""
    pieces = [("<unk>", 0.0, gguf.TokenType.UNKNOWN),
              ("<s>", 0.0, gguf.TokenType.CONTROL),
              ("</s>", 0.0, gguf.TokenType.CONTROL)]
    pieces += [(f"<0x{b:02X}>", 0.0, gguf.TokenType.BYTE) for b in range(256)]
    words = ["▁t", "he", "▁the", "in", "er", "an", "▁a", "re", "on", "▁s",
             "at", "en", "nd", "▁w", "or", "▁c", "is", "it", "ou", "▁o",
             "▁", "e", "t", "a", "o", "n", "i", "s", "r", "h", "l", "d", "u",
             "c", "m", "f", "w", "g", "y", "p", "b", "v", "k", "."]
    pieces += [(word, -float(i + 1), gguf.TokenType.NORMAL)
               for i, word in enumerate(words)]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([p[0] for p in pieces])
    writer.add_token_scores([p[1] for p in pieces])
    writer.add_token_types([p[2] for p in pieces])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    return len(pieces)


def add_layer(add, random, n, c):
    d, q = c["d_model"], c["n_heads"] * c["head_dim"]
    kv, f = c["n_kv_heads"] * c["head_dim"], c["d_ff"]
    name = f"blk.{n}"
    add(f"{name}.attn_norm.weight", random.norm(d), "F32")
    for part, rows in (("q", q), ("k", kv), ("v", kv)):
        add(f"{name}.attn_{part}.weight", random.matrix(rows, d, 1.2))
        if c["biases"]:
            add(f"{name}.attn_{part}.bias", random.uniform(rows), "F32")
    add(f"{name}.attn_output.weight", random.matrix(d, q, 0.8))
    add(f"{name}.ffn_norm.weight", random.norm(d), "F32")
    add(f"{name}.ffn_gate.weight", random.matrix(f, d, 1.0))
    add(f"{name}.ffn_up.weight", random.matrix(f, d, 1.0))
    add(f"{name}.ffn_down.weight", random.matrix(d, f, 0.8))


def make(path, seed, **changes):
    c = {**USUAL, "kind": "F32", "tied": False, "biases": False,
         "factors": False, "linear": None, "spm": False, **changes}
    random = models.Random(1000 + seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(Path(path).stem)
    if c["spm"]:
        c["n_vocab"] = add_spm_vocabulary(writer)
    else:
        merges = models.learn_merges("the rain in the plain and the train", 9)
        models.add_byte_vocabulary(writer, merges)
        c["n_vocab"] = len(models.byte_vocabulary(merges))
    models.add_shape(writer, c, c.get("rope_dim"))
    if c["linear"]:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(c["linear"])

    def add(name, values, kind=None):
        kind = kind or stored(c["kind"], values.shape[-1])
        if kind in SUPER:
            writer.add_tensor(name, super_blocks(kind, values, random),
                              raw_dtype=gguf.GGMLQuantizationType[kind])
        else:
            models.add_tensor(writer, name, values, kind)

    add("token_embd.weight", random.uniform(c["n_vocab"], c["d_model"]))
    if c["factors"]:
        add("rope_freqs.weight",
            4.5 + 3.5 * random.uniform(c["head_dim"] // 2), "F32")
    for n in range(c["n_layers"]):
        add_layer(add, random, n, c)
    add("output_norm.weight", random.norm(c["d_model"]), "F32")
    if not c["tied"]:
        add("output.weight", random.matrix(c["n_vocab"], c["d_model"], 3.0))
    models.finish(writer, path)


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/models")
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, changes) in enumerate(MODELS.items()):
        make(folder / f"{name}.gguf", seed, **changes)
    print(f"{len(MODELS)} models in {folder}", file=sys.stderr)


if __name__ == "__main__":
    main()
