"""Makes model files that load, or nearly, and have one fault each.

    python3 tests/sick_models.py FAULT SOURCE OUTPUT

Everything else in them is as in the source. Faults of the description are
written into a copy, whose sizes stay; what changes sizes is written anew.
"""

import shutil
import sys

import gguf
import numpy as np

import engine

EPSILON = "llama.attention.layer_norm_rms_epsilon"
BASE = "llama.rope.freq_base"
BOS = "tokenizer.ggml.add_bos_token"
MISTRAL = (
    "{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ message['content'] + eos_token }}{% endif %}"
    "{% endfor %}")


def patched(source, path, change):
    """A copy in which change(keys, tensors) has written: one place for each
    number of the metadata, one array of bytes for each tensor."""
    shutil.copy(source, path)
    reader = gguf.GGUFReader(path, "r+")
    keys = {name: field.parts[field.data[0]]
            for name, field in reader.fields.items() if field.data}
    change(keys, {t.name: t.data for t in reader.tensors})
    reader.data.flush()
    return path


def number(key, value):
    def change(keys, tensors):
        keys[key][0] = value
    return lambda source, path: patched(source, path, change)


def pairs(source, path):
    """Rows of queries and keys as Hugging Face has them: halves as pairs."""
    def change(keys, tensors):
        n = int(keys["llama.rope.dimension_count"][0])
        for name, rows in tensors.items():
            if name.endswith(("attn_q.weight", "attn_k.weight")):
                heads = rows.reshape(-1, n // 2, 2, rows.shape[-1])
                rows[:] = heads.swapaxes(1, 2).reshape(rows.shape)
    return patched(source, path, change)


def gate(source, path):
    def change(keys, tensors):
        for name, rows in tensors.items():
            if name.endswith("ffn_gate.weight"):
                other = tensors[name.replace("gate", "up")]
                rows[:], other[:] = other.copy(), rows.copy()
    return patched(source, path, change)


def nan(source, path):
    """One scale of a block that is no number."""
    def change(keys, tensors):
        tensors["blk.1.ffn_up.weight"][7, 0:2] = [0x00, 0x7e]
    return patched(source, path, change)


def other_words(source, path):
    """The vocabulary of another model, of as many tokens: each text at
    another number."""
    def change(keys, tensors):
        rows = tensors["token_embd.weight"]
        rows[:] = np.roll(rows, 20000 % len(rows), axis=0)
    return patched(source, path, change)


def fewer_words(source, path):
    tokens = gguf.GGUFReader(source).get_field("tokenizer.ggml.tokens")
    kinds = gguf.GGUFReader(source).get_field("tokenizer.ggml.token_type")
    return engine.rewrite(source, path, {
        "tokenizer.ggml.tokens": tokens.contents()[:-8],
        "tokenizer.ggml.token_type": kinds.contents()[:-8],
        "tokenizer.ggml.merges": gguf.GGUFReader(source).get_field(
            "tokenizer.ggml.merges").contents()[:-8]})


def template(source, path):
    return engine.rewrite(source, path, {"tokenizer.chat_template": MISTRAL})


# Fault: the check that finds it, and who makes the file.
FAULTS = {
    "double-bos": ("beginning", number(BOS, True)),
    "wrong-template": ("chat template", template),
    "nan": ("numbers", nan),
    "wrong-pairs": ("RoPE pairs", pairs),
    "wrong-base": ("RoPE base", number(BASE, 1e4)),
    "wrong-epsilon": ("norm epsilon", number(EPSILON, 1e-6)),
    "gross-epsilon": ("norm epsilon", number(EPSILON, 1e-2)),
    "fewer-words": ("vocabulary", fewer_words),
    "other-words": ("vocabulary", other_words),
    "swapped-gate": ("gate and up", gate),
}


def make(fault, source, path):
    return FAULTS[fault][1](source, path)


if __name__ == "__main__":
    make(*sys.argv[1:4])
