"""Our tokenizer and the one of llama.cpp on vocabularies made at random, for
every pre-tokenizer that we know by name and for SentencePiece.

    .venv/bin/python -m pip install llama-cpp-python
    python3 tools/compare_tokenizers.py [--texts 1000]

Exit status 1 when any text gives other ids. Left out of the texts is what
common/tokenizer.h and common/pretokenize.h say is different on purpose.
"""

import argparse
import ctypes
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import words                                                    # noqa: E402
try:
    import llama_cpp
except ImportError:
    sys.exit("This compares with llama.cpp, please: "
             f"{sys.executable} -m pip install llama-cpp-python")

WIDE_SPACES = set("\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000"
                  + "".join(map(chr, range(0x2000, 0x200B))))
MARKS = ["<s>", "</s>", "<|tool|>", " <|tool|> ", "\n\n", "   "]


class Peer:
    def __init__(self, path):
        parameters = llama_cpp.llama_model_default_params()
        parameters.vocab_only = True
        self.model = llama_cpp.llama_model_load_from_file(
            str(path).encode(), parameters)
        if not self.model:
            raise ValueError(f"llama.cpp refuses {path.name}")
        self.vocabulary = llama_cpp.llama_model_get_vocab(self.model)

    def encode(self, data, special):
        room = (llama_cpp.llama_token * (2 * len(data) + 8))()
        n = llama_cpp.llama_tokenize(self.vocabulary, data, len(data), room,
                                     len(room), False, special)
        return list(room[:n])

    def close(self):
        llama_cpp.llama_model_free(self.model)


def texts(draw, n, kind):
    # No random code points: llama.cpp does not know those of Unicode 16.
    out = set("ſ▁") | (WIDE_SPACES if kind.startswith("deepseek") else set())
    known = [c for c in words.TRAPS if c not in out]
    for path in words.CORPUS:
        text = path.read_bytes().decode()
        for i in range(0, len(text), 300):
            yield "".join(c for c in text[i:i + 300] if c not in out)
    for _ in range(n):
        parts = [draw.choice(known) * draw.choice([1, 1, 1, 2, 3, 7])
                 for _ in range(draw.randrange(1, 30))]
        if draw.random() < 0.3:
            parts.insert(draw.randrange(len(parts) + 1), draw.choice(MARKS))
        yield "".join(parts)


def compare(lib, path, n, kind, special):
    ours, theirs = words.Words(lib, path), Peer(path)
    draw, different, count = random.Random(kind), 0, 0
    for text in texts(draw, n, kind):
        data, count = text.encode(), count + 1
        mine = ours.encode(data, words.SPECIAL if special else 0)
        others = theirs.encode(data, special)
        if mine != others:
            different += 1
            if different == 1:
                print(f"  {ascii(text)}\n  ours   {mine}\n  theirs {others}")
    theirs.close()
    print(f"{kind:21}{count:6} texts, {different} different", flush=True)
    return different


def scored(draw):
    """Characters with scores, some of them equal."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
        prepend_scheme="always")
    found, _ = words.trained(
        tokenizer, [line.replace("\0", "") for line in
                    words.training_lines(draw)], 1200, limit_alphabet=500)
    tokens = ["<unk>", "<s>", "</s>"] \
        + [f"<0x{i:02X}>" for i in range(256)] + found + ["  ", "<|tool|>"]
    types = [words.UNKNOWN, words.CONTROL, words.CONTROL] \
        + [words.BYTE] * 256 + [words.NORMAL] * len(found) \
        + [words.USER_DEFINED] * 2
    return tokens, types, [-float(i // 5) for i in range(len(tokens))]


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--texts", type=int, default=1000)
    n = options.parse_args().texts
    quiet = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    draw, different = random.Random(1), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lib = words.library(folder)
        tokens, merges = words.byte_level(draw)
        marks = ["<s>", "</s>", "<|tool|>"]
        types = [words.NORMAL] * len(tokens) \
            + [words.CONTROL, words.CONTROL, words.USER_DEFINED]
        for pre in sum(words.names(lib), []):
            path = words.write_vocabulary(
                folder / "bytes.gguf", "gpt2", tokens + marks, types,
                merges=merges, pre=pre, bos_token_id=len(tokens),
                eos_token_id=len(tokens) + 1,
                seperator_token_id=len(tokens) + 1)
            different += compare(lib, path, n, pre, True)
        tokens, types, scores = scored(draw)
        for prefix in (True, False):
            for special in (True, False):
                path = words.write_vocabulary(
                    folder / "scores.gguf", "llama", tokens, types,
                    scores=scores, bos_token_id=1, eos_token_id=2,
                    unknown_token_id=0, add_space_prefix=prefix)
                kind = f"llama{' prefix' * prefix}{' special' * special}"
                different += compare(lib, path, n, kind, special)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
