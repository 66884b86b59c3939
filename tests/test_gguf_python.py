"""Our reader and writer against the gguf package, both ways."""
import json
import re
import subprocess

import gguf
import numpy as np
import pytest
from hypothesis import (HealthCheck, example, given, settings,
                        strategies as st)

import make_test_models

RUN = "./chapter-03/run"
TYPES = gguf.GGUFValueType
OURS = {TYPES.UINT8: "U8", TYPES.INT8: "I8", TYPES.UINT16: "U16",
        TYPES.INT16: "I16", TYPES.UINT32: "U32", TYPES.INT32: "I32",
        TYPES.FLOAT32: "F32", TYPES.BOOL: "BOOL", TYPES.STRING: "STRING",
        TYPES.ARRAY: "ARRAY", TYPES.UINT64: "U64", TYPES.INT64: "I64",
        TYPES.FLOAT64: "F64"}


def ours(*words):
    result = subprocess.run([RUN, *map(str, words)], capture_output=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def integers(low, high):
    return st.integers(low, high)


f32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
SCALARS = {
    TYPES.UINT8: integers(0, 2 ** 8 - 1),
    TYPES.INT8: integers(-2 ** 7, 2 ** 7 - 1),
    TYPES.UINT16: integers(0, 2 ** 16 - 1),
    TYPES.INT16: integers(-2 ** 15, 2 ** 15 - 1),
    TYPES.UINT32: integers(0, 2 ** 32 - 1),
    TYPES.INT32: integers(-2 ** 31, 2 ** 31 - 1),
    TYPES.UINT64: integers(0, 2 ** 64 - 1),
    TYPES.INT64: integers(-2 ** 63, 2 ** 63 - 1),
    TYPES.FLOAT32: f32,
    TYPES.FLOAT64: st.floats(allow_nan=False, allow_infinity=False),
    TYPES.BOOL: st.booleans(),
    TYPES.STRING: st.text(st.characters(codec="utf-8"), max_size=20),
}
scalar = st.sampled_from(sorted(SCALARS)).flatmap(
    lambda kind: SCALARS[kind].map(lambda v: (kind, v)))
vector = st.sampled_from(sorted(SCALARS)).flatmap(
    lambda kind: st.lists(SCALARS[kind], min_size=1, max_size=6).map(
        lambda v: (TYPES.ARRAY, v, kind)))
keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4)
names = st.text("abc.01é鍵", min_size=1, max_size=12)
KINDS = [np.float32, np.float16, np.float64, np.int8, np.int16, np.int32,
         np.int64]


def write(path, values, tensors, align):
    out = gguf.GGUFWriter(path, "llama")
    if align != 32:
        out.add_custom_alignment(align)
    for key, (kind, value, *item) in values.items():
        out.add_key_value(key, value, kind, item[0] if item else None)
    for name, array in tensors.items():
        out.add_tensor(name, array)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


@st.composite
def contents(draw):
    values = draw(st.dictionaries(keys.filter(
        lambda k: not k.startswith("general.")), scalar | vector,
        max_size=8))
    rng = np.random.default_rng(draw(st.integers(0, 2 ** 32)))
    tensors = {}
    for name in draw(st.lists(names, unique=True, max_size=5)):
        kind = draw(st.sampled_from(KINDS))
        tensors[name] = (rng.standard_normal(draw(shapes)) * 100).astype(kind)
    return values, tensors, draw(st.sampled_from([8, 32, 64, 4096]))


def in_json(key):
    """A key with a backslash, as chapter 03 writes it: the backslash and
    what cannot be printed as \\xNN, so that two keys stay two."""
    if "\\" not in key:
        return key
    return re.sub("[\\\\\0-\x1f\x7f-\x9f]", lambda c: "".join(
        f"\\x{byte:02x}" for byte in c[0].encode()), key)


def same_values(found, values):
    for key, (kind, value, *item) in values.items():
        name = in_json(key)
        assert found[name]["type"] == OURS[kind]
        if item:
            assert found[name]["item_type"] == OURS[item[0]]
        single = (item[0] if item else kind) == TYPES.FLOAT32
        got = found[name]["value"]
        if single:          # JSON holds the shortest text of the same float
            got, value = np.float32(got), np.float32(value)
        assert np.array_equal(got, value) if single else got == value, key


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents())
@example(({"\\": (TYPES.UINT8, 0), "a\\x\n\x80é": (TYPES.BOOL, True)}, {}, 8))
def test_we_read_what_the_package_writes(tmp_path, content):
    values, tensors, align = content
    path = tmp_path / "written.gguf"
    write(path, values, tensors, align)
    found = json.loads(ours(path, "--json"))
    assert found["version"] == 3 and found["alignment"] == align
    same_values(found["metadata"], values)
    raw = path.read_bytes()
    assert [t["name"] for t in found["tensors"]] == list(tensors)
    for t in found["tensors"]:
        array = tensors[t["name"]]
        assert tuple(reversed(t["dims"])) == array.shape
        assert t["type"] == {"f": "F", "i": "I"}[array.dtype.kind] + str(
            8 * array.itemsize)
        assert raw[t["at"]:t["at"] + t["bytes"]] == array.tobytes()


def field(reader, key):
    return reader.fields[key].contents()


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents())
def test_the_package_reads_what_we_write(tmp_path, content):
    values, tensors, align = content
    path, copy = tmp_path / "written.gguf", tmp_path / "copied.gguf"
    write(path, values, tensors, align)
    ours(path, "--copy", copy)
    reader = gguf.GGUFReader(copy)
    assert field(reader, "general.architecture") == "llama"
    assert reader.alignment == align
    for key, (kind, value, *item) in values.items():
        got = field(reader, key)
        assert reader.fields[key].types[0] == kind
        if (item[0] if item else kind) == TYPES.FLOAT32:
            assert np.array_equal(np.float32(got), np.float32(value))
        else:
            assert got == value
    assert [t.name for t in reader.tensors] == list(tensors)
    for t in reader.tensors:
        assert np.array_equal(t.data.reshape(tensors[t.name].shape),
                              tensors[t.name])


def the_same(path, copy):
    """Names, types, shapes, places, values; and the bytes of a copy."""
    found = json.loads(ours(path, "--json"))
    reader = gguf.GGUFReader(path)
    assert len(found["tensors"]) == len(reader.tensors) > 0
    for a, b in zip(found["tensors"], reader.tensors):
        assert a["name"] == b.name and a["type"] == b.tensor_type.name
        assert a["dims"] == [int(d) for d in b.shape]
        assert a["at"] == b.data_offset and a["bytes"] == b.n_bytes
    theirs = [k for k in reader.fields if not k.startswith("GGUF.")]
    assert list(found["metadata"]) == theirs
    for key, entry in found["metadata"].items():
        kinds = reader.fields[key].types
        assert entry["type"] == OURS[kinds[0]]
        assert entry.get("item_type", entry["type"]) == OURS[kinds[-1]]
        want = field(reader, key)
        if kinds[-1] == TYPES.FLOAT32:
            assert np.array_equal(np.float32(entry["value"]),
                                  np.float32(want))
        else:
            assert entry["value"] == want, key
    ours(path, "--copy", copy)
    with open(path, "rb") as a, open(copy, "rb") as b:
        assert a.read() == b.read()


@pytest.mark.parametrize("path", ["data/tiny.gguf", "data/trace.gguf"])
def test_files_of_this_repository(tmp_path, path):
    the_same(path, tmp_path / "copy.gguf")


def test_the_real_model(tmp_path, smollm2):
    the_same(smollm2, tmp_path / "copy.gguf")


@pytest.mark.parametrize("name", make_test_models.MODELS)
def test_models_of_unusual_shapes(tmp_path, name):
    path = tmp_path / "model.gguf"
    make_test_models.make(path, 1, **make_test_models.MODELS[name])
    the_same(path, tmp_path / "copy.gguf")


def test_numbers_of_a_tensor(tmp_path):
    """F32, F16 and BF16 come out as numpy has them, every half included."""
    path = tmp_path / "numbers.gguf"
    halves = np.arange(65536, dtype=np.uint16)
    out = gguf.GGUFWriter(path, "llama")
    out.add_tensor("f16", halves.view(np.float16).reshape(256, 256))
    out.add_tensor("bf16", halves.reshape(256, 256).view(np.uint8),
                   raw_dtype=gguf.GGMLQuantizationType.BF16)
    out.add_tensor("f32", np.array([0.1, -0.0, 1e-45, np.inf], np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    f16 = halves.view(np.float16).astype(np.float64)
    with np.errstate(invalid="ignore"):         # signalling NaNs
        bf16 = (halves.astype(np.uint32) << 16).view(np.float32).astype(
            np.float64)
    f32 = np.array([0.1, -0.0, 1e-45, np.inf], np.float32).astype(np.float64)
    for name, want in (("f16", f16), ("bf16", bf16), ("f32", f32)):
        values = json.loads(ours(path, "--tensor", name, "--json"))["values"]
        assert len(values) == len(want)
        for got, number in zip(values, want):
            if np.isfinite(number):
                assert got == number
                assert np.signbit(got) == np.signbit(number)
            else:
                assert got is None
    text = ours(path, "--tensor", "f16").decode()
    assert "unsound     2046 NaN, 2 infinite" in text
    assert "range       -65504 to 65504, mean 0" in text
