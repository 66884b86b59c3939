"""Models in several files, cut by the gguf package and put together here."""
import json
import shutil
import subprocess

import gguf
import pytest

import engine

RUN = "./chapter-03/run"
TINY = "data/tiny.gguf"


def parts(folder, n_parts, stem="m"):
    return [folder / f"{stem}-{i + 1:05}-of-{n_parts:05}.gguf"
            for i in range(n_parts)]


def write_tensors(writer, reader):
    """All of the reader's; that ends the file."""
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data,
                          raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def cut(source, folder, most):
    """The package starts another part after `most` tensors."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(folder / "m.gguf", "llama",
                             split_max_tensors=most)
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") \
                and field.name != "general.architecture":
            writer.add_key_value(
                field.name, field.contents(), field.types[0],
                field.types[-1] if len(field.types) > 1 else None)
    write_tensors(writer, reader)
    return parts(folder, -(-len(reader.tensors) // most))


def edit(path, key, kind, value):
    """The same file with another number at a key (or without it)."""
    reader = gguf.GGUFReader(path)
    writer = gguf.GGUFWriter(path.with_suffix(".new"), "")
    writer.kv_data[0].clear()
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == key:
            continue
        writer.add_key_value(field.name, field.contents(), field.types[0],
                             field.types[-1] if len(field.types) > 1
                             else None)
    if value is not None:
        writer.add_key_value(key, value, kind)
    write_tensors(writer, reader)
    path.with_suffix(".new").replace(path)


def refused(path):
    result = subprocess.run([RUN, str(path)], capture_output=True, text=True)
    assert result.returncode == 1 and result.stdout == "", result
    assert result.stderr.count("\n") == 1
    return result.stderr[len("error: "):-1]


def told(path, *options):
    result = subprocess.run([RUN, str(path), "--json", *options],
                            capture_output=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def model(tmp_path):
    files = cut(TINY, tmp_path, 11)
    assert len(files) == 3 and all(f.exists() for f in files)
    return files


@pytest.mark.parametrize("most", [1, 11, 29])
def test_all_tensors_of_all_parts(tmp_path, most):
    files = cut(TINY, tmp_path, most)
    found, whole = told(files[0]), told(TINY)
    assert found["bytes"] == sum(f.stat().st_size for f in files)
    readers = [gguf.GGUFReader(f) for f in files]
    want = [(i, t) for i, r in enumerate(readers) for t in r.tensors]
    assert len(found["tensors"]) == len(want) == len(whole["tensors"])
    for entry, (i, tensor) in zip(found["tensors"], want):
        assert entry["name"] == tensor.name
        assert entry.get("part", 0) == i
        assert entry["at"] == tensor.data_offset
        assert entry["bytes"] == tensor.n_bytes
    for key, value in whole["metadata"].items():
        assert found["metadata"][key] == value


def test_the_engine_runs_it(model, llama_program):
    options = ("-p", "the train", "-n", "20", "--temp", "0", "-s", "1")
    assert engine.run("-m", model[0], *options) \
        == engine.run("-m", TINY, *options)


def test_merged_it_is_the_original(model, tmp_path):
    copy = tmp_path / "copy.gguf"
    subprocess.run([RUN, model[0], "--copy", copy], check=True)
    found, whole = told(copy), told(TINY)
    assert found["metadata"] == whole["metadata"]
    assert [(t["name"], t["type"], t["dims"]) for t in found["tensors"]] \
        == [(t["name"], t["type"], t["dims"]) for t in whole["tensors"]]
    for a, b in zip(gguf.GGUFReader(copy).tensors,
                    gguf.GGUFReader(TINY).tensors):
        assert a.data.tobytes() == b.data.tobytes()
    for part in model:      # no part of the original is replaced
        before = part.read_bytes()
        result = subprocess.run([RUN, model[0], "--copy", part],
                                capture_output=True)
        assert result.returncode == 1 and part.read_bytes() == before


def test_another_part_is_opened(model, tmp_path):
    for i in (1, 2):
        assert refused(model[i]) == (
            f"{model[i]}: found part {i + 1} of 3 of a model, expected the "
            f"first; open {model[0]}")
    shutil.copy(model[1], tmp_path / "x.gguf")
    assert refused(tmp_path / "x.gguf") == (
        f"{tmp_path}/x.gguf: found part 2 of 3 of a model, expected the "
        "first; open part 1")


@pytest.mark.parametrize("name", [
    "x.gguf", "m-00001-of-00004.gguf", "m-00002-of-00003.gguf",
    "m-0001-of-00003.gguf", "m-00001-of-00003", "-00001-of-0000x.gguf"])
def test_the_first_under_another_name(model, tmp_path, name):
    path = tmp_path / "other" / name
    path.parent.mkdir()
    shutil.copy(model[0], path)
    assert refused(path) == (
        f"{path}: found the first of 3 parts of a model, expected a name "
        "that ends in -00001-of-00003.gguf; give all parts their names "
        "again")


def test_missing(model):
    model[2].unlink()
    assert refused(model[0]) == (
        f"{model[2]}: cannot open it: No such file or directory; check the "
        f"name and the folder; it is part 3 of 3 of {model[0]}, which needs "
        "them all beside it")


def test_two_parts_were_swapped(model):
    shutil.copy(model[2], model[1])
    assert refused(model[0]) == (
        f"{model[1]}: found part 3 of 3, expected part 2 of 3 of "
        f"{model[0]}; were the files renamed?")


def test_a_whole_model_in_its_place(model):
    shutil.copy(TINY, model[1])
    assert refused(model[0]) == (
        f"{model[1]}: found a whole model, expected part 2 of 3 of "
        f"{model[0]}")


def test_a_part_of_another_model(model):
    edit(model[1], "split.tensors.count", gguf.GGUFValueType.INT32, 31)
    assert refused(model[0]) == (
        f"{model[1]}: found a part of a model of 31 tensors, expected one "
        f"of the 30 of {model[0]}; fetch all parts of one model")


def test_a_part_of_a_twin(model):
    """The same numbers everywhere, but tensors that are there already."""
    other = model[0].parent / "other"
    other.mkdir()
    reader = gguf.GGUFReader(model[0])
    writer = gguf.GGUFWriter(other / "t.gguf", "llama")
    for key, kind, value in (("split.no", gguf.GGUFValueType.UINT16, 1),
                             ("split.count", gguf.GGUFValueType.UINT16, 3),
                             ("split.tensors.count",
                              gguf.GGUFValueType.INT32, 30)):
        writer.add_key_value(key, value, kind)
    write_tensors(writer, reader)
    shutil.copy(other / "t.gguf", model[1])
    sentence = refused(model[0])
    assert sentence.startswith(f"{model[1]}: byte ")
    assert sentence.endswith("the tensor is there a second time, expected "
                             "once")


def test_wrong_total(model):
    for part in model:
        edit(part, "split.tensors.count", gguf.GGUFValueType.INT32, 31)
    assert refused(model[0]) == (
        f"{model[0]}: key split.tensors.count: found 30 tensors in its 3 "
        "parts, expected 31; fetch all parts again")


def test_the_total_may_be_left_out(model):
    for part in model:
        edit(part, "split.tensors.count", None, None)
    assert len(told(model[0])["tensors"]) == 30


@pytest.mark.parametrize("key,value,sentence", [
    ("split.no", 3, "found 3, expected 0 to 2"),
    ("split.count", 2 ** 31, "found 2147483648, expected 0 to 99999"),
    ("split.tensors.count", 2 ** 22, "found 4194304, expected 0 to 2097152"),
])
def test_numbers_out_of_range(model, key, value, sentence):
    edit(model[0], key, gguf.GGUFValueType.UINT32, value)
    assert refused(model[0]) == f"{model[0]}: key {key}: {sentence}"


def test_a_broken_part_is_named(model):
    raw = model[1].read_bytes()
    model[1].write_bytes(raw[:-200])
    assert refused(model[0]).startswith(f"{model[1]}: byte ")
    model[1].write_bytes(b"<html>")
    assert refused(model[0]).startswith(f"{model[1]}: byte 0: header: found "
                                        "a web page")


def test_one_part_is_a_whole_model(tmp_path):
    """As it is written by tools that always set the keys."""
    path = tmp_path / "any-name.gguf"
    for count in (0, 1):
        shutil.copy(TINY, path)
        edit(path, "split.count", gguf.GGUFValueType.UINT16, count)
        assert len(told(path)["tensors"]) == 30
