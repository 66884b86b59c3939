"""Encoders that search: their error beside that of ggml's encoders on the
same rows, as tools/compare_encoders.py found it, and importance."""

import json
import subprocess
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf import quants

import encoder_data

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "chapter-07" / "run"
THEIRS = ROOT / "tests/ggml_errors.json"
# What we may lose against ggml's encoders.
LIMIT = 1.02


@pytest.fixture(scope="module", autouse=True)
def program():
    subprocess.run(["make", "-s", "chapter-07"], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def matrices(smollm2):
    return encoder_data.matrices(smollm2)


def write(path, tensors, imatrix=False):
    """A file of F32 tensors; with `imatrix` as llama-imatrix writes it."""
    out = gguf.GGUFWriter(path, "llama")
    if imatrix:
        out.add_type("imatrix")
        out.add_array("imatrix.datasets", ["random"])
        out.add_uint32("imatrix.chunk_count", 1)
        out.add_uint32("imatrix.chunk_size", 512)
    for name, values in tensors.items():
        out.add_tensor(name, values)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def convert(folder, name, *options):
    done = subprocess.run(
        [RUN, "convert", folder / "in.gguf", folder / "out.gguf", "--type",
         name, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {t.name: (t.tensor_type, t.data)
            for t in gguf.GGUFReader(folder / "out.gguf").tensors}


def write_importance(folder, matrices):
    sums = {}
    for name, values in matrices.items():
        sums[f"{name}.in_sum2"] = encoder_data.importance(values.shape[1])[
            None, :]
        sums[f"{name}.counts"] = np.ones((1, 1), dtype=np.float32)
    write(folder / "imatrix.gguf", sums, imatrix=True)
    return folder / "imatrix.gguf"


def ratios(folder, name, matrices, theirs):
    """Our errors over theirs, without importance and with; 1 where theirs
    is nothing but rounding (Q4_1 from Q4_1)."""
    # A tensor's own name would give it another type in some recipes.
    named = {f"x{i}.weight": values
             for i, values in enumerate(matrices.values())}
    write(folder / "in.gguf", named)
    file = write_importance(folder, named)
    plain = convert(folder, name)
    weighted = convert(folder, name, "--importance", file)
    found = []
    for (tensor, values), (without, with_it) in zip(named.items(),
                                                    theirs.values()):
        kind = gguf.GGMLQuantizationType[name]
        assert plain[tensor][0] == weighted[tensor][0] == kind
        weights = encoder_data.importance(values.shape[1])
        a = encoder_data.error(values, quants.dequantize(
            plain[tensor][1], kind))
        b = encoder_data.error(values, quants.dequantize(
            weighted[tensor][1], kind), weights)
        tiny = 1e-6 * np.abs(values).max()
        found.append((1.0 if max(a, without) < tiny else a / without,
                      1.0 if max(b, with_it) < tiny else b / with_it))
    return found


@pytest.mark.parametrize("name", encoder_data.SEARCHED)
def test_no_worse_than_ggml(tmp_path, matrices, name):
    theirs = json.loads(THEIRS.read_text())["errors"][name]
    assert list(theirs) == list(matrices)
    found = ratios(tmp_path, name, matrices, theirs)
    for (without, with_it), data in zip(found, matrices):
        print(f"{name} {data}: {without:.4f} of ggml's error, with "
              f"importance {with_it:.4f}, limit {LIMIT}")
        assert with_it <= LIMIT
        if name in encoder_data.K_TYPES:
            assert without <= LIMIT
        else:
            assert without == pytest.approx(1, abs=1e-6)    # the same bytes


@pytest.mark.parametrize("name", encoder_data.SEARCHED)
def test_importance_pays(tmp_path, name):
    """A column that counts a hundred times as much comes out better."""
    random = np.random.default_rng(4)
    values = random.standard_normal((32, 512)).astype(np.float32)
    heavy = random.permutation(512)[:64]
    sums = np.ones((1, 512), dtype=np.float32)
    sums[0, heavy] = 100
    write(tmp_path / "in.gguf", {"x.weight": values})
    write(tmp_path / "i.gguf", {"x.weight.in_sum2": sums}, imatrix=True)
    errors = []
    for options in ([], ["--importance", tmp_path / "i.gguf"]):
        kind, data = convert(tmp_path, name, *options)["x.weight"]
        found = quants.dequantize(data, kind)
        errors.append(encoder_data.error(values[:, heavy], found[:, heavy]))
    assert errors[1] < 0.8 * errors[0]


def test_each_expert_has_its_own(tmp_path):
    """A stack of matrices has a row of sums for each."""
    random = np.random.default_rng(5)
    values = random.standard_normal((3, 8, 256)).astype(np.float32)
    sums = random.lognormal(0, 2, (3, 256)).astype(np.float32)
    write(tmp_path / "in.gguf", {"x.weight": values, **{
        f"x{i}.weight": values[i] for i in range(3)}})
    write(tmp_path / "i.gguf", {"x.weight.in_sum2": sums, **{
        f"x{i}.weight.in_sum2": sums[i:i + 1] for i in range(3)}},
        imatrix=True)
    found = convert(tmp_path, "q4_k", "--importance", tmp_path / "i.gguf")
    for i in range(3):
        assert np.array_equal(found["x.weight"][1][i],
                              found[f"x{i}.weight"][1])
    assert not np.array_equal(found["x.weight"][1][0],
                              convert(tmp_path, "q4_k")["x.weight"][1][0])


@pytest.mark.parametrize("sums,said", [
    (np.ones((1, 128)), "found F32 of 128 columns, expected F32 of 256"),
    (np.ones((2, 256)), "made with another model"),
    (-np.ones((1, 256)), "number 0 is -1, expected a sum of squares"),
    (np.full((1, 256), np.nan), "expected a sum of squares"),
    (np.full((1, 256), np.inf), "number 0 is inf"),
])
def test_importance_that_does_not_fit(tmp_path, sums, said):
    write(tmp_path / "in.gguf",
          {"x.weight": np.ones((4, 256), dtype=np.float32)})
    write(tmp_path / "i.gguf",
          {"x.weight.in_sum2": sums.astype(np.float32)}, imatrix=True)
    done = subprocess.run(
        [RUN, "convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
         "--type", "q4_0", "--importance", tmp_path / "i.gguf"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "i.gguf: x.weight.in_sum2: " in done.stderr
    assert said in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["i.gguf", "in.gguf"]


def test_importance_of_other_tensors(tmp_path):
    """A model where a name is wanting is converted, and it is said; a file
    that is no importance is refused."""
    x = np.random.default_rng(1).standard_normal((4, 256)).astype(np.float32)
    write(tmp_path / "in.gguf", {"x.weight": x, "y.weight": x})
    write(tmp_path / "i.gguf", {"x.weight.in_sum2": np.ones(
        (1, 256), dtype=np.float32)}, imatrix=True)
    words = [RUN, "convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
             "--type", "q4_0", "--importance"]
    done = subprocess.run([*words, tmp_path / "i.gguf"],
                          capture_output=True, text=True, check=True)
    assert "1 tensor of which the importance file says nothing" \
        in done.stderr
    done = subprocess.run([*words, tmp_path / "in.gguf"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "general.type is not imatrix" in done.stderr
