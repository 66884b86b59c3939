"""Tokens beside those of the `tokenizers` package, built from the same
vocabularies; and the program of chapter 04 as a user runs it."""

import json
import random
import subprocess
from pathlib import Path

import pytest
from gguf import GGUFReader
from hypothesis import HealthCheck, given, settings, strategies as st
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from words import CORPUS, Words

ROOT = Path(__file__).resolve().parent.parent
TINY = ROOT / "data/tiny.gguf"
SMOLLM2 = ROOT / "data/models/SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session", autouse=True)
def program():
    subprocess.run(["make", "-s", "chapter-04"], cwd=ROOT, check=True)


@pytest.fixture(scope="session", autouse=True)
def smollm2():
    if not SMOLLM2.exists():
        subprocess.run(["make", "-s", "smollm2"], cwd=ROOT, check=True)
    return SMOLLM2


def run(*options, stdin=b"", code=0):
    result = subprocess.run(["./chapter-04/run", *map(str, options)],
                            cwd=ROOT, input=stdin, capture_output=True)
    assert result.returncode == code, result.stderr
    return result.stdout if code == 0 else result.stderr.decode()


def ids_of(model, data, *options):
    return [int(i) for i in run("-m", model, "--ids", *options, "-",
                                stdin=data).split()]


def reference(path):
    """The `tokenizers` package with the vocabulary of a byte-level file
    whose pre-tokenizer is smollm."""
    field = GGUFReader(path).fields
    read = lambda key: field["tokenizer.ggml." + key].contents()
    assert read("pre") == "smollm"
    tokens = read("tokens")
    merges = [tuple(line.split(" ", 1)) for line in read("merges")]
    t = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)},
                             merges=merges))
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    t.add_special_tokens([
        AddedToken(text, special=True, normalized=False)
        for text, kind in zip(tokens, read("token_type")) if kind == 3])
    return t


@pytest.fixture(scope="session", params=["tiny", "smollm2"])
def pair(request, library, smollm2):
    path = TINY if request.param == "tiny" else smollm2
    words = Words(library, path)
    words.lost = words.unspelled()
    return words, reference(path)


def same(pair, text):
    words, expected = pair
    ids = words.encode(text.encode())
    assert ids == expected.encode(text, add_special_tokens=False).ids
    assert words.decode(ids) == text.encode().translate(None, words.lost)


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_corpus(pair, path):
    same(pair, path.read_bytes().decode())


def test_every_code_point(pair):
    """With a space before it. Of the planes 4 to 13, where nothing is
    assigned, every sixteenth."""
    points = [chr(c) for c in range(0x110000)
              if not 0xD800 <= c < 0xE000
              and (not 0x40000 <= c < 0xE0000 or c % 16 == 5)]
    for i in range(0, len(points), 1000):
        same(pair, "".join(" " + p for p in points[i:i + 1000]))


@settings(max_examples=200, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.one_of(
    st.text(),
    st.text(alphabet=st.sampled_from(" \t\r\n'’stredlvmax.,!?09é中あ한😀\u200d"
                                     "🏽\u0301שم\u3000\u00a0½<|>_"))),
    min_size=1, max_size=30))
def test_any_text(pair, texts):
    for text in texts:
        same(pair, text)


def test_any_bytes_come_back(pair):
    words, _ = pair
    draw = random.Random(4)
    for _ in range(10000):
        data = bytes(draw.randrange(256) for _ in range(draw.randrange(40)))
        kept = data.translate(None, words.lost)
        assert words.decode(words.encode(kept)) == kept


def test_ids_and_back(library, smollm2):
    data = b"".join(path.read_bytes() for path in CORPUS)
    for model in (TINY, smollm2):
        words = Words(library, model)
        ids = ids_of(model, data)
        assert ids == words.encode(data)
        back = run("-m", model, "--decode", "-",
                   stdin=" ".join(map(str, ids)).encode())
        assert back == data.translate(None, words.unspelled())
    assert run("--ids", "-", stdin=b"") == b"\n"
    assert run("--ids", "--bos", "-", stdin=b"") == b"1\n"


def test_special_tokens_are_a_choice():
    text = b"<|im_end|>"
    assert ids_of(TINY, text) == [2]
    assert len(ids_of(TINY, text, "--no-special")) > 2
    assert run("--decode", "2", "43") == b"<|im_end|>I"
    assert run("--decode", "--no-special", "2", "43") == b"I"
    assert json.loads(run("--decode", "--json", "2", "43")) == \
        {"text": "<|im_end|>I"}


def test_many_texts_at_once():
    texts = [b"one", b"", b"two words", b"\xff"]
    lines = run("--ids0", stdin=b"\0".join(texts)).decode().split("\n")
    assert lines.pop() == ""
    assert [[int(i) for i in line.split()] for line in lines] == \
        [ids_of(TINY, text) for text in texts]


def test_json_names_every_byte():
    text = "It's naïve 🦙".encode()
    answer = json.loads(run("--json", "-", stdin=text))
    assert bytes(b for t in answer["tokens"] for b in t["bytes"]) == text
    assert [t["id"] for t in answer["tokens"]] == ids_of(TINY, text)


def test_stats(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"hello world\n" * 100)
    row = json.loads(run("--stats", "--json", path))[0]
    assert row["n_bytes"] == 1200
    assert row["n_tokens"] == len(ids_of(TINY, path.read_bytes()))
    # All or nothing, whatever the second file is.
    empty = tmp_path / "empty.txt"
    empty.write_bytes(b"")
    for second, words in (empty, b"empty file, expected a text"), \
            (tmp_path / "missing.txt", b"No such file"):
        result = subprocess.run(
            [ROOT / "chapter-04/run", "--stats", "--json", path, second],
            capture_output=True, check=False)
        assert result.returncode == 1 and result.stdout == b""
        assert words in result.stderr


def test_bytes_that_are_left_out(smollm2):
    for options in ["--ids"], []:
        for text, words in (b"a\x13b", b"note: 1 byte has no token"), \
                (b"a\x13\x13b", b"note: 2 bytes have no token"), (b"ab", b""):
            result = subprocess.run(
                [ROOT / "chapter-04/run", "-m", smollm2, "--bos", *options,
                 "-"], input=text, capture_output=True, check=True)
            assert words in result.stderr
            assert bool(result.stderr) == bool(words)


def test_the_lesson_and_wrong_usage():
    assert b"each as it was" in run()
    assert "--pre" in run("--pre", "gpt-3", "text", code=1)
    assert "expected numbers" in run("--decode", "99999", code=1)
    assert "expected numbers" in run("--decode", "1x", code=1)
    run("--ids", "--decode", "-", code=2)
    run("--stats", code=2)
    run("--ids0", "--json", code=2)
    run("--nothing", code=2)


def test_vectors(library):
    """Vocabularies with inputs and expected ids beside them, where a folder
    with some lies beside this one."""
    for path in (ROOT.parent / "shared/data/vocab").glob("*.gguf"):
        texts = Path(f"{path}.inp").read_bytes().split(
            b"\n__ggml_vocab_test__\n")
        lines = Path(f"{path}.out").read_text().split("\n")
        words = Words(library, path)
        for text, line in zip(texts, lines):
            ids = words.encode(text, 0)
            assert ids == [int(i) for i in line.split()]
            assert words.decode(ids) == text
