"""Vocabularies that chapter 04's program learns, beside those of the
`tokenizers` package from the same texts, and as other readers see them."""

import json
import random
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

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
    spelt = {}
    for m in answer["merges"]:
        spelt[m["token"]] = bytes(m["bytes"])
        assert all(spelt.get(m[side], b"?") in spelt[m["token"]]
                   for side in ("left", "right") if m[side] in spelt)
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


def test_special_tokens_are_not_learnt_from(tmp_path):
    """Texts are cut at them, and what is encoded is so too."""
    text = "the<|x|>the the<|x|><|xy|>they<|x|".encode()
    special = ["--special", "<|x|>", "--special", "<|xy|>"]
    pieces = ["the", "the the", "they<|x|"]
    _, vocabulary, merges = package(pieces, 300, 1,
                                    special=("<|x|>", "<|xy|>"))
    assert [m[:3] for m in merges_of(text, 300, "--min-frequency", 1,
                                     *special)] == merges
    path = tmp_path / "words.gguf"
    run("--train", "-", "--vocab-size", 300, "--min-frequency", 1, *special,
        "-o", path, stdin=text)
    ids = [int(i) for i in run("-m", path, "--ids", "-", stdin=text).split()]
    assert ids[:2] == [vocabulary["the"], 0] and ids.count(1) == 1
    assert run("-m", path, "--decode", "-",
               stdin=" ".join(map(str, ids)).encode()) == text


def test_the_file_is_as_others_expect_it(tmp_path):
    """What readers want to know of a vocabulary; tools/check_vocabulary.py
    asks llama.cpp itself, where it is installed."""
    path = tmp_path / "words.gguf"
    run("--train", TINY_TEXT, "--vocab-size", 300, "--pre", "qwen2",
        "--special", "<|a|>", "--special", "</中>", "-o", path)
    read = GGUFReader(path)
    keys = {f.name.replace("tokenizer.ggml.", ""): f.contents()
            for f in read.fields.values() if not f.name.startswith("GGUF.")}
    assert read.tensors == [] or len(read.tensors) == 0
    assert len(keys.pop("merges")) == 300 - 258
    tokens = keys.pop("tokens")
    assert tokens[:3] == ["<|a|>", "</中>", "!"] and len(set(tokens)) == 300
    assert keys == {
        "general.architecture": "llama", "general.type": "model",
        "general.name": "vocabulary", "llama.vocab_size": 300,
        "model": "gpt2", "pre": "qwen2", "token_type": [3, 3] + [1] * 298,
        "bos_token_id": 0, "eos_token_id": 0, "add_bos_token": False}


@settings(max_examples=30, deadline=None)
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(
           lambda t: t.encode()), st.binary(max_size=12).map(
           lambda b: b * 20)),
       other=st.binary(max_size=60), extra=st.integers(0, 60))
def test_any_bytes(tmp_path_factory, data, other, extra):
    """Whatever it learns from, all bytes come back; 256 and a special token
    are enough. And the same texts give the same file."""
    folder = tmp_path_factory.mktemp("any")
    a, b = folder / "a.gguf", folder / "b.gguf"
    for path in a, b:
        run("--train", "-", "--vocab-size", 257 + extra, "--min-frequency",
            1, "-o", path, stdin=data)
    assert a.read_bytes() == b.read_bytes()
    for text in data, other, bytes(range(256)):
        ids = run("-m", a, "--ids", "--no-special", "-", stdin=text)
        assert run("-m", a, "--decode", "-", stdin=ids) == text


def test_texts_are_apart_and_their_order_means_nothing(tmp_path):
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_bytes(b"ab ab xx")
    two.write_bytes(b"yy ab")
    read = lambda *paths, **more: json.loads(run(
        "--train", *paths, "--json", "--vocab-size", 300, "--min-frequency",
        1, **more))
    both = read(one, two)
    assert both == read(two, one) == read(one, "-", stdin=b"yy ab")
    # Together they would be "xxyy", one word.
    assert "xxyy" not in [m["text"] for m in both["merges"]]
    assert both["merges"][0]["text"] == "ab"
    assert both["merges"][0]["count"] == 3


def test_it_stops_in_a_sentence():
    done = subprocess.run(["./chapter-04/run", "--train", "-",
                           "--vocab-size", "9999"], cwd=ROOT, input=b"abab",
                          capture_output=True, check=True)
    assert done.stderr == b"note: 258 tokens of 9999: no pair is left that" \
        b" is there 2 times\n"


WRONG = [
    (["-o", "x.gguf", "text"], 2, "-o is for --train"),
    (["--vocab-size", 300, "text"], 2, "--vocab-size is for --train"),
    (["--special", "<|a|>", "text"], 2, "--special is for --train"),
    (["--min-frequency", 3, "text"], 2, "--min-frequency is for --train"),
    (["--train", "--vocab-size", 300], 2, "needs the names of text files"),
    (["--train", "-"], 2, "--vocab-size N of 257 or more"),
    (["--train", "-", "--vocab-size", 256], 2, "257 or more"),
    (["--train", "-", "--vocab-size", 257, "--special", "<a>", "--special",
      "<b>"], 2, "258 or more"),
    (["--train", "-", "--vocab-size", 300, "-m", "data/tiny.gguf"], 2,
     "has no use for -m"),
    (["--train", "-", "--vocab-size", 300, "-o", "x", "--json"], 2,
     "has no use for --json beside -o"),
    (["--train", "--ids", "-", "--vocab-size", 300], 2, "give one"),
    (["--steps", "--json", "a"], 2, "leave one out"),
    (["--steps", "a", "--bos"], 2, "--steps has no use for --bos"),
    (["--decode", "--bos", "5"], 2, "--decode has no use for --bos"),
    (["--pieces", "-m", "data/tiny.gguf", "a"], 2,
     "--pieces has no use for -m"),
    (["--steps", "a" * 1001], 1, "expected at most 1000"),
    (["--train", "-", "--vocab-size", 300, "--pre", "gpt-9"], 1, "gpt-9"),
    (["--train", "no.txt", "--vocab-size", 300], 1, "No such file"),
    (["--train", "/dev/null", "--vocab-size", 300], 1, "/dev/null"),
    (["--train", "-", "--vocab-size", 300, "-o", "/no/x.gguf"], 1, "/no/x"),
    (["--train", "-", "--vocab-size", 300, "--special", "a"], 1,
     'special token "a" is one of another length'),
    (["--train", "-", "--vocab-size", 300, "--special", "<a>", "--special",
      "<a>"], 1, "given twice"),
    (["--train", "-", "--vocab-size", 300, "--special", "Ġthe"], 1,
     "spelled like other bytes"),
    (["--train", "-", "--vocab-size", 300, "--special", b"<\xff>"], 1,
     "not UTF-8"),
]


@pytest.mark.parametrize("options,code,words", WRONG,
                         ids=range(len(WRONG)))
def test_wrong_usage(options, code, words):
    options = [o if isinstance(o, bytes) else str(o) for o in options]
    done = subprocess.run(["./chapter-04/run", *options], cwd=ROOT,
                          input=b"some text some text", capture_output=True,
                          check=False)
    assert done.returncode == code and done.stdout == b""
    assert words in done.stderr.decode()


def test_a_text_is_never_replaced(tmp_path):
    text, link = tmp_path / "text.txt", tmp_path / "link"
    text.write_bytes(b"one two one two")
    link.symlink_to(text)
    for output in text, link:
        assert "is one of the texts" in run(
            "--train", text, "--vocab-size", 300, "-o", output, code=1)
    assert text.read_bytes() == b"one two one two"
    assert sorted(tmp_path.iterdir()) == [link, text]


@pytest.mark.skipif(sys.platform != "linux",
                    reason="only Linux keeps a limit of address space")
def test_memory_and_time_are_bounded(tmp_path):
    """Two megabytes of one word: the worst there is. Memory as the header
    says; and with less of it a sentence."""
    path = tmp_path / "word.txt"
    draw = random.Random(1)
    path.write_bytes(bytes(draw.choices(b"abcdefgh", k=2_000_000)))
    limit = lambda n: lambda: resource.setrlimit(resource.RLIMIT_AS, (n, n))
    options = ["--train", path, "--vocab-size", 2000]
    seconds = lambda: resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    start = seconds()
    most = 2_000_000 * (96 + 3) + (32 << 20)
    assert run(*options, "-o", tmp_path / "a", preexec_fn=limit(most)) == b""
    assert seconds() - start < 10
    assert "memory" in run(*options, "-o", tmp_path / "b", code=1,
                           preexec_fn=limit(100 << 20))
    assert not (tmp_path / "b").exists()


def test_values_and_transcripts_are_current(tmp_path):
    subprocess.run([sys.executable, "reference/04_values.py", "--output",
                    tmp_path], cwd=ROOT, check=True)
    made = sorted(tmp_path.iterdir())
    assert len(made) == 8
    for path in made:
        committed = ROOT / "chapters/04-tokenizer/expected" / path.name
        assert path.read_text() == committed.read_text(), path.name
        if path.suffix == ".txt":
            assert max(map(len, path.read_text().split("\n"))) <= 78


def test_colours_fit_the_terminal():
    lines = run("word " * 100).decode().split("\n")
    assert max(map(len, lines)) <= 78
    painted = [line for line in lines if "|" in line]
    assert "".join(painted).replace("|", "") == "word " * 100


def test_wide_characters_fit_the_terminal(tmp_path):
    text, path = "\u65e5\u672c\u8a9e " * 40, tmp_path / "words.gguf"
    run("--train", "-", "--vocab-size", 270, "-o", path,
        stdin=text.encode())
    lines = run("-m", path, text).decode().split("\n")
    assert sum(line.count("\u65e5\u672c\u8a9e") for line in lines) > 40
    assert max(len(line) + sum(c > "\u3000" for c in line)
               for line in lines) <= 80


def test_a_zero_byte_is_no_separator():
    assert "is no token" in run("--decode", "-", stdin=b"5\0", code=1)


def test_long_tokens_fit_the_terminal(tmp_path):
    path, text = tmp_path / "words.gguf", b"x" + b"\xff" * 300 + b"y"
    run("--train", "-", "--vocab-size", 600, "--min-frequency", 1, "-o",
        path, stdin=text)
    lines = run("-m", path, "-", stdin=text).decode().split("\n")
    table = [line for line in lines if line[:8].strip().isdigit()]
    assert table and max(map(len, table)) <= 78
    assert any(line.endswith('"...') for line in table)


def test_pieces():
    lines = run("--pieces", "12 \u00e9 DON'T").decode().split("\n")
    rows = {line[:16].strip(): line[16:] for line in lines[:-1]}
    assert rows["gpt-2"] == "12| \u00e9| DON|'|T"
    assert rows["smollm"] == "1|2| \u00e9| DON|'|T"
    assert rows["qwen2"] == "1|2| \u00e9| DON|'T"
    assert run("--pieces", "--pre", "mpt", "12 a") == \
        b"gpt-2           12| a\n"
    run("--pieces", "--json", "a", code=2)
    assert "gpt-9" in run("--pieces", "--pre", "gpt-9", "a", code=1)


def test_steps_end_where_encoding_does():
    """Joining by hand and bpe_merge() agree, and each step is one join."""
    for text in ["The ships heard it at night.", "na\u00efve 12\u00bd", "x"]:
        lines = run("--steps", "-", stdin=text.encode()).decode().split("\n")
        assert lines[0].split() == ["token", "made", "in"]
        rows = [(line[:8].strip(), line[10:]) for line in lines[1:-1]]
        last = [row for i, row in enumerate(rows)
                if i + 1 == len(rows) or rows[i + 1][0] == ""]
        tokens = json.loads(run("--json", "-", stdin=text.encode()))
        shown = "|".join(row for _, row in last)
        assert len(shown.split("|")) == len(tokens["tokens"])
        for (_, before), (made, after) in zip(rows, rows[1:]):
            if made:
                assert after.count("|") == before.count("|") - 1
