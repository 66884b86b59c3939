"""What the scripts that make small models share: numbers that are random in
the same way everywhere, a byte-level vocabulary, and a writer."""

import os
import re

import gguf
import numpy as np

CHATML = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content']"
    " + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% endif %}")

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


class Random:
    """splitmix64 (Steele, Lea and Flood 2014): integers only, so that every
    version of numpy on every machine gives the same numbers."""

    def __init__(self, seed):
        self.state = np.uint64(seed)

    def uniform(self, *shape):
        """float64 in [-1, 1), multiples of 2^-31."""
        n = int(np.prod(shape))
        with np.errstate(over="ignore"):
            z = self.state + (np.arange(1, n + 1, dtype=np.uint64)
                              * np.uint64(0x9E3779B97F4A7C15))
            self.state = z[-1]
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z = z ^ (z >> np.uint64(31))
        small = (z >> np.uint64(32)).astype(np.float64)
        return (small / 2.0**31 - 1.0).reshape(shape)

    def matrix(self, rows, columns, gain):
        """[rows, columns]; an input of size 1 gives an output of size
        `gain`, size meaning the root of the mean square."""
        return self.uniform(rows, columns) * gain * np.sqrt(3.0 / columns)

    def norm(self, n):
        """Norm weights around one, exact in any type."""
        return 1.0 + np.round(self.uniform(n) * 16) / 64


def byte_letters():
    """GPT-2's visible letter for each byte: itself where it can be printed,
    the next free code point from 256 on where not."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, free = {}, 256
    for byte in range(256):
        if byte in plain:
            letters[byte] = chr(byte)
        else:
            letters[byte] = chr(free)
            free += 1
    return letters


# The pre-tokenizer of SmolLM for ASCII text: digits one by one, then the
# pieces of GPT-2.
PIECES = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[^\sA-Za-z0-9]+"
                    r"|[0-9]|\s+(?!\S)|\s+")


def learn_merges(text, n_merges):
    """Byte pair encoding (Sennrich, Haddow and Birch 2016): again and again
    join the pair that occurs most often; among equals, the first in
    alphabetical order."""
    letters = byte_letters()
    words = {}
    for piece in PIECES.findall(text):
        word = tuple(letters[b] for b in piece.encode())
        words[word] = words.get(word, 0) + 1
    merges = []
    while len(merges) < n_merges:
        counts = {}
        for word, n in words.items():
            for pair in zip(word, word[1:]):
                counts[pair] = counts.get(pair, 0) + n
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        joined = {}
        for word, n in words.items():
            word = merge(word, best)
            joined[word] = joined.get(word, 0) + n
        words = joined
    return merges


def merge(word, pair):
    out, i = [], 0
    while i < len(word):
        if word[i:i + 2] == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


def encode(text, merges, tokens):
    """Text to ids: in each piece, apply the merges in the order learnt."""
    letters = byte_letters()
    rank = {pair: i for i, pair in enumerate(merges)}
    number = {token: i for i, token in enumerate(tokens)}
    ids = []
    for piece in PIECES.findall(text):
        word = tuple(letters[b] for b in piece.encode())
        while True:
            pairs = [p for p in zip(word, word[1:]) if p in rank]
            if not pairs:
                break
            word = merge(word, min(pairs, key=rank.__getitem__))
        ids += [number[part] for part in word]
    return ids


def byte_vocabulary(merges):
    """Special tokens, 256 bytes, one token for each merge."""
    letters = byte_letters()
    plain = sorted(letters.values())
    return SPECIAL + plain + ["".join(pair) for pair in merges]


def add_byte_vocabulary(writer, merges):
    tokens = byte_vocabulary(merges)
    kinds = [gguf.TokenType.CONTROL] * len(SPECIAL)
    kinds += [gguf.TokenType.NORMAL] * (len(tokens) - len(SPECIAL))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHATML)


def add_shape(writer, c, rope_dim=None):
    """c: the keys of a configuration in the words of the book."""
    writer.add_block_count(c["n_layers"])
    writer.add_context_length(c["n_context"])
    writer.add_embedding_length(c["d_model"])
    writer.add_feed_forward_length(c["d_ff"])
    writer.add_head_count(c["n_heads"])
    writer.add_head_count_kv(c["n_kv_heads"])
    writer.add_key_length(c["head_dim"])
    writer.add_value_length(c["head_dim"])
    writer.add_rope_dimension_count(rope_dim or c["head_dim"])
    writer.add_rope_freq_base(c["rope_theta"])
    writer.add_layer_norm_rms_eps(c["norm_eps"])
    writer.add_vocab_size(c["n_vocab"])


def add_tensor(writer, name, values, kind):
    kind = gguf.GGMLQuantizationType[kind]
    values = np.ascontiguousarray(values, dtype=np.float32)
    writer.add_tensor(name, gguf.quants.quantize(values, kind),
                      raw_dtype=kind)


def finish(writer, path):
    """Write beside `path`, then rename: never half a file."""
    partial = f"{path}.partial"
    writer.write_header_to_file(partial)
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(partial, path)
