"""Where the fuzzers of tests/fuzz begin: small files that are right.

    python reference/make_fuzz_seeds.py FOLDER

writes FOLDER/fuzz_gguf/ (the unusual files of make_bad_files.py) and
FOLDER/fuzz_tokenizer/ (vocabularies of a few tokens, and a model's whole
description), and FOLDER/dictionary, words that no fuzzer would guess.
"""
import pathlib
import sys

from make_bad_files import (ARRAY, BOOL, F32, I32, PLAIN, STRING, U16, U32,
                            array, bad, gguf, good, number, tensor, text,
                            value)

GPT2 = ("a b c d e Ġ ab abc Ġa ' s 's 0 1 2 Ċ ĊĊ Ã ¤ <|im_end|> <|end|> "
        "<|im_start|>").split()
MERGES = ["a b", "ab c", "Ġ a", "' s", "Ċ Ċ"]
LLAMA = (["<unk>", "<s>", "</s>"] + [f"<0x{n:02X}>" for n in range(256)]
         + "▁ a b ab ▁a ▁ab ä ▁▁ <x>".split())
PRE = ("gpt-2 smollm llama-bpe qwen2 deepseek-llm deepseek-coder falcon "
       "dbrx default deepseek-v3").split()
WORDS = """GGUF general.alignment general.architecture llama
tokenizer.ggml.model tokenizer.ggml.pre tokenizer.ggml.tokens gpt2
tokenizer.ggml.token_type tokenizer.ggml.scores tokenizer.ggml.merges
tokenizer.ggml.bos_token_id tokenizer.ggml.eos_token_id
tokenizer.ggml.eot_token_id tokenizer.ggml.eom_token_id
tokenizer.ggml.unknown_token_id tokenizer.ggml.add_bos_token
tokenizer.ggml.add_eos_token tokenizer.ggml.add_space_prefix
llama.block_count llama.rope.scaling.type llama.rope.scaling.factor
llama.expert_count llama.attention.sliding_window split.no split.count
split.tensors.count <|im_end|> <0x00> token_embd.weight""".split()


def texts(key, items):
    return value(key, ARRAY, array(STRING, [text(t) for t in items]))


def numbers(key, kind, items):
    return value(key, ARRAY, array(kind, [number(kind, n) for n in items]))


def spelling():
    """A printable character for each byte, as in tokenizer.ggml.tokens."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [n for n in range(256) if n not in plain]
    spelled = {n: chr(n) for n in plain}
    spelled.update({n: chr(256 + i) for i, n in enumerate(rest)})
    return [spelled[n] for n in range(256)]


def byte_level(pre, tokens, more=()):
    kinds = [3 if t.startswith("<|") else 1 for t in tokens]
    return gguf([value("tokenizer.ggml.model", STRING, "gpt2"),
                 value("tokenizer.ggml.pre", STRING, pre),
                 texts("tokenizer.ggml.tokens", tokens),
                 numbers("tokenizer.ggml.token_type", I32, kinds),
                 texts("tokenizer.ggml.merges", MERGES), *more])


def sentencepiece(tokens):
    kinds = [2 if n == 0 else 3 if n < 3 else 6 if n < 259 else 1
             for n in range(len(tokens))]
    kinds[-1] = 4
    return gguf([value("tokenizer.ggml.model", STRING, "llama"),
                 texts("tokenizer.ggml.tokens", tokens),
                 numbers("tokenizer.ggml.token_type", I32, kinds),
                 numbers("tokenizer.ggml.scores", F32,
                         [-float(n) for n in range(len(tokens))]),
                 value("tokenizer.ggml.add_space_prefix", BOOL, 1)])


def description():
    counts = {"block_count": 2, "embedding_length": 64,
              "attention.head_count": 4, "attention.head_count_kv": 2,
              "feed_forward_length": 128, "context_length": 256,
              "rope.dimension_count": 16, "vocab_size": 22}
    return [value("general.architecture", STRING, "llama"),
            value("general.name", STRING, "seed"),
            *[value("llama." + k, U32, n) for k, n in counts.items()],
            value("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
            value("llama.rope.freq_base", F32, 1e4),
            value("llama.rope.scaling.type", STRING, "linear"),
            value("llama.rope.scaling.factor", F32, 2.0),
            value("tokenizer.ggml.bos_token_id", U32, 19),
            value("tokenizer.ggml.eos_token_id", U32, 20),
            value("tokenizer.ggml.add_bos_token", BOOL, 1)]


def vocabularies():
    for pre in PRE:
        yield pre, byte_level(pre, GPT2)
    yield "all-bytes", byte_level("gpt-2", spelling() + GPT2[6:9])
    yield "described", byte_level("gpt-2", GPT2, description())
    yield "llama", sentencepiece(LLAMA)
    yield "llama-few", sentencepiece(LLAMA[:3] + LLAMA[259:])
    yield "with-table", gguf(
        description() + [texts("tokenizer.ggml.tokens", GPT2)],
        [tensor("token_embd.weight", [1, 22], 0)], PLAIN)


def split():
    """Two parts of a model, one behind the other."""
    parts = [gguf([value("split.no", U16, i), value("split.count", U16, 2),
                   value("split.tensors.count", U32, 2)],
                  [tensor("ab"[i], [4])], PLAIN[:16]) for i in range(2)]
    return parts[0] + parts[1]


def main(folder):
    few = {name: raw for name, raw, _ in bad() if len(raw) <= 1024}
    few.update({name: raw for name, raw in good() if len(raw) <= 20000})
    few["two-parts"] = split()
    for name, seeds in (("fuzz_gguf", few),
                        ("fuzz_tokenizer", dict(vocabularies()))):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for seed, raw in seeds.items():
            (folder / name / seed).write_bytes(raw)
    (folder / "dictionary").write_text("".join(
        '"%s"\n' % "".join(f"\\x{b:02x}" for b in word.encode())
        for word in WORDS))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
