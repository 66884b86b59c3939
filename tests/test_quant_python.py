"""Encoding and decoding bit for bit against the gguf package, through the
program of chapter 7: what it writes is what `gguf.quants` writes."""

import subprocess
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf import quants

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "chapter-07" / "run"
TYPES = {
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
    "q4_0": gguf.GGMLQuantizationType.Q4_0,
    "q4_1": gguf.GGMLQuantizationType.Q4_1,
    "q5_0": gguf.GGMLQuantizationType.Q5_0,
    "q5_1": gguf.GGMLQuantizationType.Q5_1,
    "f16": gguf.GGMLQuantizationType.F16,
    "bf16": gguf.GGMLQuantizationType.BF16,
    "f32": gguf.GGMLQuantizationType.F32,
}


@pytest.fixture(scope="module", autouse=True)
def program():
    subprocess.run(["make", "-s", "chapter-07"], cwd=ROOT, check=True)


def run(*words):
    return subprocess.run([RUN, *map(str, words)], cwd=ROOT, text=True,
                          capture_output=True)


def matrices():
    """Ordinary weights, and rows that are flat, tiny, large or lopsided."""
    rng = np.random.default_rng(7)
    plain = rng.standard_normal((48, 192), dtype=np.float32)
    plain *= np.float32(0.05)
    odd = rng.standard_normal((40, 64), dtype=np.float32)
    odd[0] = 0
    odd[1] = 1.5
    odd[2] *= np.float32(1e-7)
    odd[3] *= np.float32(1e4)
    odd[4] = np.abs(odd[4])
    odd[5] = -np.abs(odd[5])
    odd[6, ::2] = 0
    odd[7] = np.float32(0.5) * np.arange(64)        # many ties
    odd[8] = np.where(np.arange(64) % 2, 2.0, -2.0)  # equal magnitudes
    odd[9] = -0.0
    return {"plain.weight": plain, "odd.weight": odd}


def write(path, tensors, kind=None):
    out = gguf.GGUFWriter(path, "llama")
    for name, values in tensors.items():
        if kind is None:
            out.add_tensor(name, values)
        else:
            out.add_tensor(name, quants.quantize(values, kind),
                           raw_dtype=kind)
    out.add_tensor("norm.weight", np.ones(32, dtype=np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def read(path):
    return {t.name: (t.tensor_type, bytes(t.data.tobytes()))
            for t in gguf.GGUFReader(path).tensors}


@pytest.mark.parametrize("name", TYPES)
def test_encodes_like_the_package(tmp_path, name):
    tensors = matrices()
    write(tmp_path / "in.gguf", tensors)
    result = run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
                 "--type", name)
    assert result.returncode == 0, result.stderr
    assert "1 tensor stays as it is: one dimension" in result.stderr
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"3 tensors as {name.upper()}: ")
    version = gguf.GGUFReader(tmp_path / "out.gguf").get_field(
        "general.quantization_version")
    assert version.contents() == gguf.GGML_QUANT_VERSION
    found = read(tmp_path / "out.gguf")
    for tensor, values in tensors.items():
        expected = quants.quantize(values, TYPES[name]).tobytes()
        assert found[tensor] == (TYPES[name], expected), tensor


@pytest.mark.parametrize("name", TYPES)
def test_decodes_like_the_package(tmp_path, name):
    kind = TYPES[name]
    tensors = matrices()
    write(tmp_path / "in.gguf", tensors, kind)
    result = run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
                 "--type", "f32")
    assert result.returncode == 0, result.stderr
    found = read(tmp_path / "out.gguf")
    for tensor, values in tensors.items():
        stored = quants.quantize(values, kind)
        expected = quants.dequantize(stored, kind).astype(np.float32)
        assert found[tensor][1] == expected.tobytes(), tensor


# Where the halves stand in a block that scale it.
HALVES = {"q8_0": [0], "q4_0": [0], "q4_1": [0, 2], "q5_0": [0],
          "q5_1": [0, 2], "q2_k": [80, 82], "q3_k": [108], "q4_k": [0, 2],
          "q5_k": [0, 2], "q6_k": [208]}


@pytest.mark.parametrize("name", HALVES)
def test_random_blocks_decode_like_the_package(tmp_path, name):
    """Any bytes, as long as the scales are finite; and all bits of codes and
    small scales clear or set, with scales at their limits."""
    rng = np.random.default_rng(11)
    kind = gguf.GGMLQuantizationType[name.upper()]
    size = gguf.GGML_QUANT_SIZES[kind][1]
    blocks = rng.integers(0, 256, (64, 6, size), dtype=np.uint8)
    for at in HALVES[name]:
        blocks[..., at + 1] &= 0xBF             # exponents below 16
    limits = [0, -0.0, 2.0**-24, -2.0**-24, 65504, -65504, 1, -0.1]
    for i, limit in enumerate(limits):
        blocks[2 * i], blocks[2 * i + 1] = 0, 255
        for at in HALVES[name]:
            blocks[2 * i:2 * i + 2, :, at:at + 2] = np.array(
                [limit], "<f2").view(np.uint8)
    stored = blocks.reshape(64, 6 * size)
    out = gguf.GGUFWriter(tmp_path / "in.gguf", "llama")
    out.add_tensor("x.weight", stored, raw_dtype=kind)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    result = run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
                 "--type", "f32")
    assert result.returncode == 0, result.stderr
    expected = quants.dequantize(stored, kind).astype(np.float32)
    assert read(tmp_path / "out.gguf")["x.weight"][1] == expected.tobytes()


def test_rows_that_do_not_fit_become_halves(tmp_path):
    values = np.ones((4, 40), dtype=np.float32)
    write(tmp_path / "in.gguf", {"narrow.weight": values})
    result = run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
                 "--type", "q4_0")
    assert result.returncode == 0
    assert "1 tensor as F16, not Q4_0: rows that" in result.stderr
    assert read(tmp_path / "out.gguf")["narrow.weight"][1] \
        == values.astype(np.float16).tobytes()


@pytest.mark.parametrize("value,kind", [
    (np.nan, "q4_0"), (np.inf, "f32"), (-np.inf, "q8_0"), (1e6, "f16"),
    (1e7, "q4_0"), (1e7, "q4_1"), (1e8, "q8_0"), (3.4e38, "bf16")])
def test_what_is_not_finite_is_refused(tmp_path, value, kind):
    values = np.ones((4, 64), dtype=np.float32)
    values[2, 40] = value
    write(tmp_path / "in.gguf", {"bad.weight": values})
    result = run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
                 "--type", kind)
    assert result.returncode == 1
    assert "bad.weight: row 2" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["in.gguf"]


def test_error_needs_a_type():
    result = run("error", "data/tiny.gguf")
    assert result.returncode == 2
    assert "--type" in result.stderr
    usage = " ".join(run("--help").stdout.split())
    assert "error FILE --type T" in usage


def test_a_failed_conversion_leaves_nothing(tmp_path):
    result = run("convert", ROOT / "data/tiny.gguf",
                 tmp_path / "missing" / "out.gguf", "--type", "q8_0")
    assert result.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage():
    for words in (["convert", "a.gguf", "b.gguf"], ["convert", "a.gguf"],
                  ["error", "a.gguf", "--type", "q9"], ["shrink", "a.gguf"],
                  ["inspect", "data/tiny.gguf"]):
        result = run(*words)
        assert result.returncode == 2, words
        assert result.stderr.startswith("error: "), words
    result = run("inspect", "data/tiny.gguf", "no.such.weight")
    assert result.returncode == 1 and "no.such.weight" in result.stderr
    result = run("inspect", "data/tiny.gguf", "output.weight", "--block",
                 "999999999")
    assert result.returncode == 1


def test_shows_its_point_without_arguments():
    result = run()
    assert result.returncode == 0 and result.stderr == ""
    assert "Q4_0" in result.stdout and "4.5" in result.stdout
