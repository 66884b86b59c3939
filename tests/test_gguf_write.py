"""What we write is, byte for byte, what the gguf package would have written,
and what the files had that we copied."""
import subprocess
from pathlib import Path

import gguf
import numpy as np
import pytest

import make_bad_files
import make_fuzz_seeds

RUN = "./chapter-03/run"
# Of Q8_1, which no file stores, the package takes a block for 40 bytes, as it
# was once; ggml and we have 36.
TYPES = [t for t in gguf.GGMLQuantizationType if t.name != "Q8_1"]


def copied(path, folder):
    target = folder / "copy.gguf"
    done = subprocess.run([RUN, str(path), "--copy", str(target)],
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    return target.read_bytes()


def every_type(path, alignment):
    """Rows of every storage type, of lengths that need padding, and metadata
    of every kind that the package writes."""
    out = gguf.GGUFWriter(path, "llama")
    if alignment != 32:
        out.add_custom_alignment(alignment)
    kinds = gguf.GGUFValueType
    for kind in kinds:
        if kind in (kinds.ARRAY, kinds.STRING):
            continue
        out.add_key_value(f"one.{kind.name}", 1, kind)
        out.add_key_value(f"some.{kind.name}", [0, 1, 1], kinds.ARRAY, kind)
    out.add_string("text", "ä\0b")
    out.add_array("texts", ["", "鍵", "c" * 1000])
    random = np.random.default_rng(alignment)
    for kind in TYPES:
        block, size = gguf.GGML_QUANT_SIZES[kind]
        raw = random.integers(0, 256, (3, size), dtype=np.uint8)
        out.add_tensor(f"blk.{kind.name}", raw, raw_shape=raw.shape,
                       raw_dtype=kind)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


@pytest.mark.parametrize("alignment", [8, 32, 64, 4096])
def test_every_type(tmp_path, alignment):
    path = tmp_path / "all.gguf"
    every_type(path, alignment)
    raw = path.read_bytes()
    assert copied(path, tmp_path) == raw
    reader = gguf.GGUFReader(tmp_path / "copy.gguf")
    assert reader.alignment == alignment
    assert [t.tensor_type for t in reader.tensors] == TYPES


@pytest.mark.parametrize("path", ["data/tiny.gguf", "data/trace.gguf"])
def test_files_of_this_repository(tmp_path, path):
    assert copied(path, tmp_path) == Path(path).read_bytes()


def test_smollm2(tmp_path, smollm2):
    assert copied(smollm2, tmp_path) == smollm2.read_bytes()


@pytest.mark.parametrize("name,raw", list(make_fuzz_seeds.vocabularies()))
def test_vocabularies_alone(tmp_path, name, raw):
    """They have no tensors, and nothing behind their lists."""
    (tmp_path / name).write_bytes(raw)
    if name != "with-table":        # the one with a tensor: its end is padded
        assert copied(tmp_path / name, tmp_path) == raw
    else:
        assert copied(tmp_path / name, tmp_path).startswith(raw[:-32])


def test_arrays_in_arrays(tmp_path):
    """Which the package does not write: eight deep, and of every type."""
    m = make_bad_files
    deep = m.array(m.U8, [b"\7", b"\x08"])
    for _ in range(6):
        deep = m.array(m.ARRAY, [deep, m.array(m.STRING, [])])
    some = [m.array(kind, [m.number(kind, 1)] * 3) for kind in m.PACK]
    raw = m.gguf([m.ARCH, m.value("deep", m.ARRAY, deep),
                  m.value("some", m.ARRAY, m.array(m.ARRAY, some)),
                  m.value("none", m.ARRAY, m.array(m.ARRAY, [])),
                  m.value("texts", m.ARRAY, m.array(m.ARRAY, [
                      m.array(m.STRING, [m.text("é"), m.text("")])]))])
    path = tmp_path / "nested.gguf"
    path.write_bytes(raw)
    assert copied(path, tmp_path) == raw
