"""The size program against Python's exact integers."""
import json
import runpy
import subprocess
import sys
from pathlib import Path

import gguf
import pytest
from hypothesis import given, settings, strategies as st

RUN = "./chapter-01/run"
# From the gguf package, written by others: numbers in a block, bytes of it.
BLOCKS = {t.name: gguf.GGML_QUANT_SIZES[t] for t in gguf.GGML_QUANT_SIZES}
# The package counts its scale and sum as floats; engines store halves. No
# file holds this type: it is made of activations, and thrown away.
assert BLOCKS["Q8_1"] == (32, 40)
BLOCKS["Q8_1"] = (32, 36)


def run(*words):
    return subprocess.run([RUN, *map(str, words)], capture_output=True,
                          text=True)


def product(shape):
    n = 1
    for d in shape:
        n *= d
    return n


LIMITS = {"int32": 2 ** 31 - 1, "uint32": 2 ** 32 - 1, "int64": 2 ** 63 - 1,
          "size_t": 2 ** 64 - 1}
BITS = {"int32": "32 bits with a sign", "uint32": "32 bits",
        "int64": "64 bits with a sign", "size_t": "64 bits"}
near = st.sampled_from([2 ** k + d for k in (8, 16, 31, 32, 33, 61, 62, 63)
                        for d in (-1, 0, 1)] + [2 ** 64 - 1, 3, 1431655766])
dimension = st.one_of(st.integers(1, 4096), near,
                      st.integers(1, 2 ** 64 - 1),
                      st.integers(1, 64).map(lambda n: 256 * n))
shapes = st.lists(dimension, min_size=1, max_size=8)


@settings(max_examples=250, deadline=None)
@given(shapes, st.sampled_from(sorted(LIMITS)))
def test_exact(shape, limit):
    n = product(shape)
    result = run("--json", "--limit", limit, *shape)
    if n > LIMITS[limit]:
        text = " x ".join(map(str, shape))
        assert result.returncode == 1 and result.stdout == ""
        assert result.stderr.count("\n") == 1
        if len(text) < 120:
            assert result.stderr == (f"tensor size overflow: {text} does not "
                                     f"fit in {BITS[limit]}\n")
        return
    assert result.returncode == 0, result
    found = json.loads(result.stdout)
    assert found["shape"] == shape and found["elements"] == n
    for name, bytes_found in found["bytes"].items():
        block, block_bytes = BLOCKS[name]
        want = n // block * block_bytes
        fits = shape[-1] % block == 0 and want < 2 ** 64
        assert bytes_found == (want if fits else None), name


def test_numbers_of_the_text_are_current():
    with open("chapters/01-tensor-sizes/expected/values.json") as file:
        committed = json.load(file)
    made = runpy.run_path("reference/01_values.py")["values"]()

    def same(a, b):
        if isinstance(a, dict):
            assert a.keys() == b.keys()
            for key in a:
                same(a[key], b[key])
        else:
            assert a == (b if isinstance(b, str)
                         else pytest.approx(b, rel=1e-6))

    same(made, committed)
    found = json.loads(run("--json", 32, 131072, 1024).stdout)
    assert found["elements"] == committed["cache"]["elements"]
    assert found["bytes"]["F32"] == committed["cache"]["bytes"]
    found = json.loads(run("--json", 32000, 2048).stdout)
    for name in ("F32", "F16", "Q4_0"):
        assert found["bytes"][name] == committed["vocabulary"][name]


def test_figures_are_current(tmp_path):
    folder = Path("chapters/01-tensor-sizes/figures")
    subprocess.run([sys.executable, folder / "draw.py", tmp_path], check=True)
    kept = sorted(path.name for path in folder.glob("*.svg"))
    assert kept == sorted(path.name for path in tmp_path.iterdir())
    for name in kept:
        assert (folder / name).read_text() == (tmp_path / name).read_text()


def test_every_type_of_the_package_is_known():
    found = json.loads(run("--json", 256).stdout)["bytes"]
    missing = set(BLOCKS) - set(found)
    # Newer than this table, and in no model that we read.
    assert missing <= {"NVFP4", "Q1_0"}, missing
    assert set(found) <= set(BLOCKS)


def test_as_the_book_prints_it():
    result = run("--limit", "int32", 32, 131072, 1024)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr == ("tensor size overflow: 32 x 131072 x 1024 does "
                             "not fit in 32 bits with a sign\n")
    result = run("--limit", "int32", 100000, 30000)
    assert result.stderr == ("tensor size overflow: 100000 x 30000 does not "
                             "fit in 32 bits with a sign\n")
    lines = run(32, 131072, 1024).stdout.splitlines()
    assert lines[0] == "32 x 131072 x 1024 = 4,294,967,296 elements"
    assert lines[1] == "F32   16.00 GiB      17,179,869,184 bytes"


def test_without_a_shape():
    result = run()
    assert result.returncode == 0 and result.stderr == ""
    assert "n is 0" in result.stdout and "16.00 GiB" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 78


def test_a_dimension_of_more_than_64_bits():
    result = run(2 ** 64, 5)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (f"tensor size overflow: {2 ** 64} x 5: "
                             "dimension 1 does not fit in 64 bits\n")


def test_one_byte():
    lines = run("--type", "i8", 1, 1).stdout.splitlines()
    assert lines == ["1 x 1 = 1 element", lines[1]]
    assert lines[1].split() == ["I8", "1", "B", "1", "byte"]


@pytest.mark.parametrize("words,sentence", [
    ((3, 0), "tensor shape 3 x 0: dimension 2 is 0, expected at least 1"),
    (("--type", "q8_0", 5, 33), "tensor shape 5 x 33: rows of 33 are not "
     "whole blocks of 32 (Q8_0)"),
    *(((word, 5), f'tensor shape {word} x 5: dimension 1 is "{word}", '
       "expected a whole number in digits")
      for word in ("x", "-5", "1.5", "1e3", "", " 5", "0x10")),
])
def test_refused(words, sentence):
    result = run(*words)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"error: {sentence}\n"


@pytest.mark.parametrize("words", [
    ("--limit", "int16", 5), ("--type", "Q9", 5), ("--json",), (1,) * 9,
    ("--limit", "int32"),
    ("--nonsense",)])
def test_wrong_usage(words):
    result = run(*words)
    assert result.returncode == 2 and result.stdout == "", words
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
