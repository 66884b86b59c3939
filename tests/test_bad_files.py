"""Broken GGUF files are refused with one sentence, unusual ones load."""
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, "reference")
import make_bad_files  # noqa: E402

RUN = "./chapter-03/run"
BAD = list(make_bad_files.bad())
GOOD = list(make_bad_files.good())
MODELS = list(make_bad_files.bad_models())


def run(*words, program=RUN, **more):
    return subprocess.run([os.path.abspath(program), *map(str, words)],
                          capture_output=True, **more)


def refused(path, **more):
    """The sentence, after checking that nothing else was said or done."""
    result = run(path, **more)
    assert result.returncode == 1, result
    assert result.stdout == b""
    text = result.stderr.decode()
    assert text.startswith("error: ") and text.count("\n") == 1
    assert text.endswith("\n")
    return text[len("error: "):-1]


def kind_of(sentence):
    """A sentence without what differs from file to file."""
    sentence = re.sub(r"\{(path|folder)\}[^ :]*|m-\d+-of-\d+.gguf", "FILE",
                      sentence)
    sentence = re.sub(r"byte \d+: (header|key|tensor)[^:]*:", r"\1:",
                      sentence)
    return re.sub(r'\d+|"[^"]*"', "N", sentence)


def test_there_are_enough():
    assert len(BAD) >= 80 and len(GOOD) >= 15 and len(MODELS) >= 10
    assert len({name for name, *_ in BAD + MODELS}) == len(BAD + MODELS)
    kinds = {kind_of(sentence) for *_, sentence in BAD + MODELS}
    print(len(BAD + MODELS), "broken files,", len(kinds), "sentences")
    assert len(kinds) >= 50


@pytest.mark.parametrize("name,raw,sentence", BAD, ids=[b[0] for b in BAD])
def test_bad_file(tmp_path, name, raw, sentence):
    path = tmp_path / "bad.gguf"
    path.write_bytes(raw)
    assert refused(path) == sentence.replace("{path}", str(path))


@pytest.mark.parametrize("name,files,sentence", MODELS,
                         ids=[m[0] for m in MODELS])
def test_bad_model(tmp_path, name, files, sentence):
    path = make_bad_files.write_model(tmp_path, files)
    assert refused(path) == sentence.replace("{folder}", str(tmp_path))
    # Beside it the names are short.
    assert refused(os.path.basename(path), cwd=tmp_path) == sentence.replace(
        "{folder}/", "")


@pytest.mark.parametrize("name,files", list(make_bad_files.good_models()))
def test_model_in_parts_loads(tmp_path, name, files):
    path = make_bad_files.write_model(tmp_path, files)
    found = json.loads(run(path, "--json").stdout)
    assert found["bytes"] == sum(map(len, files.values()))
    assert [t["name"] for t in found["tensors"]] == [
        f"part{i}" for i, raw in enumerate(files.values())
        if f"part{i}".encode() in raw]


@pytest.mark.parametrize("name,raw", GOOD, ids=[g[0] for g in GOOD])
def test_unusual_file_loads(tmp_path, name, raw):
    path = tmp_path / "good.gguf"
    path.write_bytes(raw)
    for option in ("--metadata", "--tensors", "--hex", "--json"):
        result = run(path, option)
        assert result.returncode == 0, (name, option, result)
    json.loads(result.stdout)
    assert run(path).returncode == 0


def test_cut_off_at_every_byte(tmp_path):
    """A file that ends early is refused wherever it ends, and says so."""
    raw = make_bad_files.small_good_file()
    path = tmp_path / "cut.gguf"
    for n in range(1, len(raw)):
        path.write_bytes(raw[:n])
        sentence = refused(path)
        assert sentence.startswith(f"{path}: byte "), (n, sentence)
        assert make_bad_files.AGAIN in sentence, (n, sentence)
    path.write_bytes(raw)
    assert run(path).returncode == 0


def test_cut_off_under_the_sanitizer(tmp_path):
    """At every tenth byte, and again where only padding is missing."""
    program = "build/sanitize/chapter-03/run"
    subprocess.run(["make", "-s", "SANITIZE=1", program], check=True,
                   capture_output=True)
    raw = make_bad_files.small_good_file()
    path = tmp_path / "cut.gguf"
    for n in range(1, len(raw), 10):
        path.write_bytes(raw[:n])
        assert make_bad_files.AGAIN in refused(path, program=program)
    padded = raw + b"\0" * 24
    for n in range(len(raw), len(padded) + 1, 6):
        path.write_bytes(padded[:n])
        result = run(path, "--json", program=program)
        assert result.returncode == 0, result


def test_changed_bytes_do_no_harm(tmp_path):
    """Any one byte of the lists changed: loads or is refused, no third."""
    raw = make_bad_files.small_good_file()
    path = tmp_path / "changed.gguf"
    for at in range(0, 600, 3):
        for new in (0, 0x80, 0xff):
            changed = bytearray(raw)
            changed[at % len(raw)] = new
            path.write_bytes(changed)
            result = run(path, "--json")
            assert result.returncode in (0, 1), (at, new, result)
            if result.returncode == 1:
                assert result.stdout == b""
                assert result.stderr.count(b"\n") == 1


def test_path_with_control_characters(tmp_path):
    path = tmp_path / "a\x1b[2Jb\n.gguf"
    path.write_bytes(b"hello")
    assert "\\x1b[2Jb\\x0a.gguf: byte 0" in refused(path)


def test_usage_is_exit_2():
    for words in (["--nonsense"], ["a", "b"], ["--tensor"]):
        result = run(*words)
        assert result.returncode == 2, words
        assert result.stdout == b"" and b"--help" in result.stderr


CONVERT = ["./chapter-07/run", "convert", "--type", "q8_0"]


@pytest.mark.parametrize("words", [[RUN, "--copy"], CONVERT],
                         ids=["copy", "convert"])
def test_the_input_is_not_replaced(tmp_path, words):
    """Not under its own name, and not by way of a link."""
    path, link = tmp_path / "a.gguf", tmp_path / "b.gguf"
    raw = make_bad_files.small_good_file()
    path.write_bytes(raw)
    os.link(path, link)
    for source, target in ((path, path), (path, link)):
        order = [target, source] if words[0] == RUN else [source, target]
        result = subprocess.run([*words, *map(str, order)],
                                capture_output=True)
        assert result.returncode == 1, result
        assert result.stderr.startswith(f"error: {target}: is the file "
                                        "that is ".encode()), result
        assert path.read_bytes() == raw and path.samefile(link)


@pytest.mark.parametrize("words", [[RUN, "--copy"], CONVERT],
                         ids=["copy", "convert"])
def test_names_with_nul_are_copied_whole(tmp_path, words):
    names = [b"t\0u", b"t\0v", b"t"]
    raw = make_bad_files.gguf(
        [make_bad_files.value(b"k\0k", make_bad_files.U8, 1)],
        [make_bad_files.tensor(n, [4], 0, 32 * i)
         for i, n in enumerate(names)], b"\1" * 96)
    path, target = tmp_path / "a.gguf", tmp_path / "b.gguf"
    path.write_bytes(raw)
    order = [target, path] if words[0] == RUN else [path, target]
    result = subprocess.run([*words, *map(str, order)], capture_output=True)
    assert result.returncode == 0, result
    assert b"\0" not in result.stderr
    written = target.read_bytes()
    for name in [b"k\0k", *names]:
        assert make_bad_files.text(name) in written


def test_the_label_shows_lists_not_their_lengths(tmp_path):
    path = tmp_path / "a.gguf"
    heads = [make_bad_files.u32(n) for n in (8, 8, 4, 4, 2)]
    texts = [make_bad_files.text(t) for t in "abc"]
    path.write_bytes(make_bad_files.gguf([
        make_bad_files.ARCH,
        make_bad_files.value("llama.attention.head_count_kv",
                             make_bad_files.ARRAY,
                             make_bad_files.array(make_bad_files.U32, heads)),
        make_bad_files.value("tokenizer.ggml.tokens", make_bad_files.ARRAY,
                             make_bad_files.array(make_bad_files.STRING,
                                                  texts))]))
    lines = run(path).stdout.decode().splitlines()
    assert "key heads          5 x U32: 8, 8, 4, 4, 2" in lines
    assert "tokens             3" in lines


def test_the_story_of_a_smaller_file(tmp_path):
    """A damage that lies behind the end of data/tiny.gguf is left out."""
    (tmp_path / "data").mkdir()
    for raw in (make_bad_files.gguf(), make_bad_files.small_good_file()):
        (tmp_path / "data/tiny.gguf").write_bytes(raw)
        result = subprocess.run([os.path.abspath(RUN)], cwd=tmp_path,
                                capture_output=True, text=True,
                                env={**os.environ, "MALLOC_CHECK_": "3"})
        assert result.returncode == 0, result
        assert "a download that stopped" not in result.stdout
        assert "the page about the file" in result.stdout
        assert ("a key that clears the screen" in result.stdout) \
            == (len(raw) > 56)
