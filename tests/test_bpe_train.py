"""Vocabularies that chapter 04's program learns, beside those of the
`tokenizers` package from the same texts, and as other readers see them."""

import json
import random
import resource
import subprocess
import time
from collections import Counter
from pathlib import Path

import llama_cpp
import pytest
from gguf import GGUFReader
from hypothesis import given, settings, strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

ROOT = Path(__file__).resolve().parent.parent
TINY_TEXT = ROOT / "data/tiny.txt"
CORPUS = sorted((ROOT / "tests/corpus").glob("*.txt"))
END = "<|endoftext|>"
PIECES = {
    "gpt-2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": lambda: pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)]),
}


@pytest.fixture(scope="session", autouse=True)
def program():
    subprocess.run(["make", "-s", "chapter-04"], cwd=ROOT, check=True)


def run(*options, stdin=b"", code=0, **more):
    done = subprocess.run(["./chapter-04/run", *map(str, options)], cwd=ROOT,
                          input=stdin, capture_output=True, check=False,
                          **more)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr.decode()


def merges_of(data, size, *options):
    """(left, right, token, count) of each merge."""
    answer = json.loads(run("--train", "-", "--json", "--vocab-size", size,
                            *options, stdin=data))
    return [(m["left"], m["right"], m["token"], m["count"])
            for m in answer["merges"]]


def package(texts, size, least, pre="gpt-2", special=(END,)):
    """What the package learns from the same texts."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = PIECES[pre]()
    t.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, min_frequency=least, show_progress=False,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    found = json.loads(t.to_str())["model"]
    vocabulary = found["vocab"]
    merges = [m.split(" ") if isinstance(m, str) else m
              for m in found["merges"]]
    return t, vocabulary, [
        (vocabulary[a], vocabulary[b], vocabulary[a + b]) for a, b in merges]


def counted_again(words, n_special, size, least):
    """The definition, word by word: count all pairs, join the best, count
    again. `words` are lists of token numbers with how often they are there;
    returns merges with counts."""
    words = [(list(w), n) for w, n in words.items()]
    texts, made = {}, []

    def text(i):
        return texts.get(i, (i,))

    by_text, n_tokens = {}, n_special + 256
    while n_tokens < size:
        counts = Counter()
        for word, n in words:
            for pair in zip(word, word[1:]):
                counts[pair] += n
        if not counts:
            break
        best, count = min(counts.items(), key=lambda c: (-c[1], c[0]))
        if count < least:
            break
        joined = text(best[0]) + text(best[1])
        if joined not in by_text:
            by_text[joined] = n_tokens
            texts[n_tokens] = joined
            n_tokens += 1
        new = by_text[joined]
        made.append((*best, new, count))
        for word, _ in words:
            i = 0
            while i + 1 < len(word):
                if (word[i], word[i + 1]) == best:
                    word[i:i + 2] = [new]
                i += 1
    return made


LETTERS = [b for b in range(0x21, 0x7f)] + \
    [b for b in range(0xa1, 0x100) if b != 0xad]
ORDER = LETTERS + [b for b in range(256) if b not in LETTERS]


@pytest.mark.parametrize("pre", PIECES)
@pytest.mark.parametrize("least", [1, 2])
@pytest.mark.parametrize("name", ["tiny", "corpus"])
def test_same_as_the_package(tmp_path, name, least, pre):
    paths = [TINY_TEXT] if name == "tiny" else CORPUS
    texts = [path.read_bytes().decode() for path in paths]
    size = 900
    other, vocabulary, merges = package(
        [piece for text in texts for piece in text.split(END)], size, least,
        pre)
    path = tmp_path / "words.gguf"
    run("--train", *paths, "--vocab-size", size, "--min-frequency", least,
        "--pre", pre, "-o", path)
    read = GGUFReader(path).fields
    tokens = read["tokenizer.ggml.tokens"].contents()
    assert tokens == sorted(vocabulary, key=vocabulary.get)
    number = {t: i for i, t in enumerate(tokens)}
    lines = [line.split(" ")
             for line in read["tokenizer.ggml.merges"].contents()]
    assert [(number[a], number[b], number[a + b]) for a, b in lines] == merges
    for text in [p.read_bytes().decode() for p in [TINY_TEXT, *CORPUS]]:
        ids = run("-m", path, "--ids", "-", stdin=text.encode())
        assert [int(i) for i in ids.split()] == other.encode(text).ids


def random_text(draw):
    alphabet = "ab" if draw.random() < 0.5 else "abcde 1"
    return "".join(draw.choices(alphabet, k=draw.randrange(1, 120)))


def test_same_as_counting_again():
    """Random texts that repeat themselves: ties, and runs of one letter.
    No two pairs make the same text, which the trainer counts upon."""
    draw = random.Random(7)
    for _ in range(150):
        text = random_text(draw)
        size, least = draw.randrange(257, 330), draw.randrange(1, 4)
        words = Counter(
            tuple(ORDER.index(b) + 1 for b in
                  text[begin:end].encode())
            for _, (begin, end) in PIECES["gpt-2"]().pre_tokenize_str(text))
        expected = counted_again(words, 1, size, least)
        assert len(expected) == len({m[2] for m in expected})
        assert merges_of(text.encode(), size, "--min-frequency", least) == \
            expected, text
