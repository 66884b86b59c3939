"""Write a model of a given shape with random weights, for measuring speed.

    python3 tools/random_model.py OUT.gguf --type q4_k_m [--vocab MODEL.gguf]

The default shape is TinyLlama's, 1.1 billion numbers. The blocks are drawn,
not computed: random codes under small scales, so that a gigabyte takes
seconds. The same arguments give the same bytes. Tokens are the first of
SmolLM2's: its merges come in the order of their tokens, so that a beginning
of the list is a vocabulary, too.
"""

import argparse
from pathlib import Path

import gguf
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
VOCAB = ROOT / "data/models/SmolLM2-135M-Instruct.Q4_1.gguf"
SHAPE = {"layers": 22, "width": 2048, "heads": 32, "kv_heads": 4,
         "ff": 5632, "vocab_size": 32000, "context": 4096}
TYPE = gguf.GGMLQuantizationType
SPREAD = 0.02               # of the weights, about
FILE_TYPES = {"q4_0": 2, "q8_0": 7, "q4_k_m": 15}


def half(values):
    return np.asarray(values, dtype=np.float16).view(np.uint8)


def q8_0(dice, n):
    blocks = dice.integers(0, 256, (n // 32, 34), dtype=np.uint8)
    blocks[:, :2] = half([SPREAD / 74])         # codes spread by 74
    return blocks


def q4_0(dice, n):
    blocks = dice.integers(0, 256, (n // 32, 18), dtype=np.uint8)
    blocks[:, :2] = half([SPREAD / 4.6])
    return blocks


def q4_k(dice, n):
    """A scale for 32 is a random one of 0..63; the minimum is 7.5 of it."""
    blocks = dice.integers(0, 256, (n // 256, 144), dtype=np.uint8)
    blocks[:, :2] = half([SPREAD / 4.6 / 36])
    blocks[:, 2:4] = half([SPREAD / 4.6 / 36 * 7.5])
    # Bytes 4..7 are scales, 8..11 minimums, each with two high bits of the
    # later ones; 12..15 hold the low bits of both. Equal, so that the codes'
    # middle is 0.
    blocks[:, 8:12] = blocks[:, 4:8]
    low = blocks[:, 12:16] & 15
    blocks[:, 12:16] = low | low << 4
    return blocks


def q6_k(dice, n):
    blocks = dice.integers(0, 256, (n // 256, 210), dtype=np.uint8)
    blocks[:, 208:] = half([SPREAD / 18 / 74])
    return blocks


BLOCKS = {"q8_0": (TYPE.Q8_0, q8_0), "q4_0": (TYPE.Q4_0, q4_0),
          "q4_k": (TYPE.Q4_K, q4_k), "q6_k": (TYPE.Q6_K, q6_k)}


def type_of(recipe, name):
    """As llama-quantize would: the head, and in Q4_K_M some more, in Q6_K."""
    if name == "output.weight" and recipe != "q8_0":
        return "q6_k"
    if recipe != "q4_k_m":
        return recipe
    layer = int(name.split(".")[1]) if name.startswith("blk.") else 1
    more = "attn_v" in name or "ffn_down" in name
    n, eighth = SHAPE["layers"], SHAPE["layers"] // 8
    some = layer < eighth or layer >= n - eighth or (layer - eighth) % 3 == 2
    return "q6_k" if more and some else "q4_k"


def matrices(shape):
    """Name, rows, columns of every matrix."""
    kv = shape["width"] // shape["heads"] * shape["kv_heads"]
    yield "token_embd.weight", shape["vocab_size"], shape["width"]
    yield "output.weight", shape["vocab_size"], shape["width"]
    for i in range(shape["layers"]):
        for name, rows, columns in (
                ("attn_q", shape["width"], shape["width"]),
                ("attn_k", kv, shape["width"]),
                ("attn_v", kv, shape["width"]),
                ("attn_output", shape["width"], shape["width"]),
                ("ffn_gate", shape["ff"], shape["width"]),
                ("ffn_up", shape["ff"], shape["width"]),
                ("ffn_down", shape["width"], shape["ff"])):
            yield f"blk.{i}.{name}.weight", rows, columns


def add_words(writer, source, n):
    fields = gguf.GGUFReader(source).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()[:n]
    known = set(tokens)
    merges = [m for m in fields["tokenizer.ggml.merges"].contents()
              if m.replace(" ", "", 1) in known]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(
        fields["tokenizer.ggml.token_type"].contents()[:n])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def add_shape(writer, shape, recipe):
    writer.add_block_count(shape["layers"])
    writer.add_context_length(shape["context"])
    writer.add_embedding_length(shape["width"])
    writer.add_feed_forward_length(shape["ff"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["kv_heads"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape["width"] // shape["heads"])
    writer.add_vocab_size(shape["vocab_size"])
    writer.add_file_type(FILE_TYPES[recipe])


def write(path, recipe, shape, vocab):
    dice = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama", use_temp_file=False)
    add_shape(writer, shape, recipe)
    add_words(writer, vocab, shape["vocab_size"])
    for name, rows, columns in matrices(shape):
        kind, draw = BLOCKS[type_of(recipe, name)]
        data = draw(dice, rows * columns).reshape(rows, -1)
        writer.add_tensor(name, data, raw_dtype=kind)
    ones = np.ones(shape["width"], dtype=np.float32)
    writer.add_tensor("output_norm.weight", ones)
    for i in range(shape["layers"]):
        writer.add_tensor(f"blk.{i}.attn_norm.weight", ones)
        writer.add_tensor(f"blk.{i}.ffn_norm.weight", ones)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--type", default="q4_0", choices=list(FILE_TYPES))
    parser.add_argument("--vocab", type=Path, default=VOCAB)
    for name, value in SHAPE.items():
        parser.add_argument("--" + name.replace("_", "-"), type=int,
                            default=value)
    options = parser.parse_args()
    shape = {name: getattr(options, name) for name in SHAPE}
    part = options.out.with_suffix(".part")
    write(part, options.type, shape, options.vocab)
    part.rename(options.out)


if __name__ == "__main__":
    main()
