"""--requantize: converted once, kept, and used for that source alone."""

import os
import shutil
import signal
import subprocess
import time

import pytest

import engine

ROOT = engine.ROOT
TINY = ROOT / "data/tiny.gguf"
SAY = ["-p", "The rain", "-n", 4, "--temp", 0]


@pytest.fixture(scope="module", autouse=True)
def programs(llama_program):
    subprocess.run(["make", "-s", "chapter-07"], cwd=ROOT, check=True)


def results(folder):
    return sorted(folder.glob("*.gguf"))


def run(model, folder, kind="q8_0", **more):
    return engine.run("-m", model, "--requantize", kind, "--cache-dir",
                      folder, *SAY, **more)


def test_kept_and_found_again(tmp_path):
    source, cache = tmp_path / "m.gguf", tmp_path / "a" / "b"
    shutil.copy(TINY, source)
    said = run(source, cache)
    made, = results(cache)
    subprocess.run([ROOT / "chapter-07/run", "convert", source,
                    tmp_path / "by-hand.gguf", "--type", "q8_0"], check=True,
                   capture_output=True)
    assert made.read_bytes() == (tmp_path / "by-hand.gguf").read_bytes()
    assert said == engine.run("-m", made, *SAY)
    before = made.stat()
    assert run(source, cache) == said
    assert made.stat().st_mtime_ns == before.st_mtime_ns
    assert made.stat().st_ino == before.st_ino
    # Another recipe is another result, and both stay.
    run(source, cache, "Q4_K_M")
    assert len(results(cache)) == 2
    assert not list(cache.glob("*partial*"))


def test_only_for_that_source(tmp_path):
    """The same name, size and even time: the inode or the bytes differ."""
    source, cache = tmp_path / "m.gguf", tmp_path / "cache"
    shutil.copy(TINY, source)
    run(source, cache)
    first, = results(cache)
    times = source.stat()
    raw = bytearray(source.read_bytes())
    raw[-1] ^= 0x10                             # a weight
    (tmp_path / "new.gguf").write_bytes(raw)
    os.utime(tmp_path / "new.gguf", ns=(times.st_atime_ns,
                                        times.st_mtime_ns))
    os.replace(tmp_path / "new.gguf", source)
    run(source, cache)
    assert len(results(cache)) == 2
    # The old bytes under another name: known by their hash.
    shutil.copy(TINY, tmp_path / "copy.gguf")
    run(tmp_path / "copy.gguf", cache)
    assert len(results(cache)) == 2 and first in results(cache)
    # Changed in place: another time.
    raw[-1] ^= 0x20
    source.write_bytes(raw)
    run(source, cache)
    assert len(results(cache)) == 3
    # Changed in place, and the time of modification set back.
    times = source.stat()
    raw[-1] ^= 0x40
    with source.open("r+b") as file:
        file.write(raw)
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    now = source.stat()
    assert (now.st_ino, now.st_size, now.st_mtime_ns) \
        == (times.st_ino, times.st_size, times.st_mtime_ns)
    run(source, cache)
    assert len(results(cache)) == 4


def test_a_spoilt_result_is_made_again(tmp_path):
    run(TINY, tmp_path)
    made, = results(tmp_path)
    good = made.read_bytes()
    for bad in (b"", good[:5000], b"x" * len(good)):
        made.write_bytes(bad)
        run(TINY, tmp_path)
        assert made.read_bytes() == good


def test_a_spoilt_key_is_made_again(tmp_path):
    run(TINY, tmp_path)
    key, = tmp_path.glob("*.sha256")
    good = key.read_bytes()
    for bad in (b"", b"x" * 64, good[:-1], b"../" * 21 + b"a"):
        key.write_bytes(bad)
        run(TINY, tmp_path)
        assert key.read_bytes() == good
    assert len(results(tmp_path)) == 1


@pytest.mark.parametrize("variables,expected", [
    ({"XDG_CACHE_HOME": "{}/x"}, "x/llama-line-by-line"),
    ({"XDG_CACHE_HOME": "relative"}, ".cache/llama-line-by-line"),
    ({}, ".cache/llama-line-by-line")])
def test_folder(tmp_path, variables, expected):
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    for name, value in variables.items():
        environment[name] = value.format(tmp_path)
    engine.run("--requantize", "q8_0", *SAY, env=environment)
    assert len(results(tmp_path / expected)) == 1


def test_refusals(tmp_path):
    said = run(TINY, tmp_path / "c", "q9", code=2)
    assert "--requantize q9: expected one of F32, " in said
    said = engine.run("--cache-dir", tmp_path, *SAY, code=2)
    assert "--cache-dir is for --requantize" in said
    said = engine.run("--requantize", "q8_0", *SAY, code=2,
                      env={"PATH": os.environ["PATH"]})
    assert "give --cache-dir" in said
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "c", tmp_path / "file"):
        said = run(TINY, path, code=1)
        assert "file: cannot make the folder: Not a directory" in said
    said = run(TINY, "", code=2)
    assert "--cache-dir is empty, expected the name of a folder" in said
    said = run(TINY, f"{tmp_path}/" + "x/" * 2000, code=2)
    assert "expected less than 3900" in said
    said = run(tmp_path / "missing.gguf", tmp_path / "c", code=1)
    assert "missing.gguf: cannot open it" in said
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_stopped_in_the_middle(tmp_path, smollm2):
    child = subprocess.Popen(
        [ROOT / "chapter-08/run", "-m", smollm2, "--requantize", "q2_k",
         "--cache-dir", tmp_path, "-n", "1"], stderr=subprocess.PIPE)
    for _ in range(1000):               # until it converts
        if list(tmp_path.glob("*.gguf.partial-*")):
            break
        time.sleep(0.01)
    child.send_signal(signal.SIGTERM)
    said = child.communicate()[1].decode()
    assert child.returncode == 1 and "stopped; nothing was written" in said
    assert [p.suffix for p in tmp_path.iterdir()] == [".sha256"]
