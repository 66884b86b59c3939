"""Blocks laid open and errors measured, beside the gguf package."""

import json
import subprocess
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf import quants

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "chapter-07" / "run"
TINY = ROOT / "data/tiny.gguf"
TYPES = ["F32", "F16", "BF16", "Q8_0", "Q5_0", "Q5_1", "Q4_0", "Q4_1",
         "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]


def run(*words, code=0):
    done = subprocess.run([RUN, *map(str, words)], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One matrix of 3 rows in every type."""
    subprocess.run(["make", "-s", "chapter-07"], cwd=ROOT, check=True)
    made = tmp_path_factory.mktemp("types")
    values = np.random.default_rng(2).standard_normal((3, 512))
    out = gguf.GGUFWriter(made / "F32.gguf", "llama")
    out.add_tensor("x.weight", values.astype(np.float32))
    out.add_tensor("norm.weight", np.ones(8, dtype=np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    for kind in TYPES[1:]:
        run("convert", made / "F32.gguf", made / f"{kind}.gguf", "--type",
            kind if kind != "Q2_K" else "q2_k")
    return made


def tensor(path):
    found = gguf.GGUFReader(path).tensors[0]
    values = quants.dequantize(found.data, found.tensor_type)
    return found, np.asarray(values, dtype=np.float32).reshape(3, 512)


@pytest.mark.parametrize("kind", TYPES)
def test_inspect(folder, kind):
    found, values = tensor(folder / f"{kind}.gguf")
    size, n_bytes = gguf.GGML_QUANT_SIZES[found.tensor_type]
    raw = found.data.tobytes()
    original = tensor(folder / "F32.gguf")[1]
    a_row = 512 // size
    for row, block in ((0, 0), (2, a_row - 1), (1, a_row // 2)):
        got = json.loads(run(
            "inspect", folder / f"{kind}.gguf", "x.weight", "--row", row,
            "--block", block, "--against", folder / "F32.gguf", "--json"))
        at = row * a_row + block
        assert got["type"] == kind
        assert (got["row"], got["block"]) == (row, block)
        assert bytes(got["bytes"]) == raw[at * n_bytes:(at + 1) * n_bytes]
        want = values.ravel()[at * size:(at + 1) * size]
        assert np.array_equal(np.float32(got["values"]), want)
        assert np.array_equal(np.float32(got["others"]),
                              original.ravel()[at * size:(at + 1) * size])
        again = []
        for part in got.get("parts", []):
            run_length = 32 // len(part["scales"])
            minimums = part["minimums"] or [0] * len(part["scales"])
            again += [np.float32(part["scales"][i // run_length])
                      * np.float32(code)
                      + np.float32(minimums[i // run_length])
                      for i, code in enumerate(part["codes"])]
        if again:
            assert np.array_equal(np.float32(again), want)
        # Counted from the tensor's first block, it is the same one.
        other = json.loads(run("inspect", folder / f"{kind}.gguf",
                               "x.weight", "--block", at, "--json"))
        assert other["bytes"] == got["bytes"]


@pytest.mark.parametrize("kind", TYPES)
def test_inspect_for_people(folder, kind):
    for options in ([], ["--against", folder / "F16.gguf"]):
        said = run("inspect", folder / f"{kind}.gguf", "x.weight", *options)
        assert said.startswith(f"x.weight, {kind}, row 0, block 0: ")
        assert max(map(len, said.splitlines())) <= 80
        assert ("others" in said) == bool(options)


@pytest.mark.parametrize("kind", TYPES)
def test_error_of_two_files(folder, kind):
    found, values = tensor(folder / f"{kind}.gguf")
    original = tensor(folder / "F32.gguf")[1].astype(np.float64)
    apart = np.abs(values - original)
    got = json.loads(run("error", folder / "F32.gguf",
                         folder / f"{kind}.gguf", "--json"))
    one = got["tensors"][0]
    assert (one["name"], one["type"]) == ("x.weight", kind)
    assert one["bytes"] == found.data.nbytes
    assert one["bits_per_weight"] == 8 * found.data.nbytes / original.size
    assert one["rms"] == pytest.approx(np.sqrt((apart ** 2).mean()),
                                       rel=1e-9, abs=1e-30)
    assert one["largest"] == pytest.approx(apart.max(), rel=1e-9, abs=1e-30)
    assert one["relative_rms"] == pytest.approx(
        np.sqrt((apart ** 2).sum() / (original ** 2).sum()), rel=1e-9,
        abs=1e-30)
    assert got["tensors"][1]["rms"] == 0        # the norm
    assert got["total"]["bytes"] == found.data.nbytes + 32
    # What would come out is what came out.
    would = json.loads(run("error", folder / "F32.gguf", "--type", kind,
                           "--json"))
    assert would["tensors"] == [one]
    said = run("error", folder / "F32.gguf", folder / f"{kind}.gguf")
    assert max(map(len, said.splitlines())) <= 80
    same = "2 tensors" if kind == "F32" else "1 tensor"
    assert f"{same}: no number moved" in said


def test_what_is_not_there(folder):
    one = folder / "Q4_K.gguf"
    assert "has 3 rows, found no row 3" in run(
        "inspect", one, "x.weight", "--row", 3, code=1)
    assert "has 2 blocks a row, found no block 2" in run(
        "inspect", one, "x.weight", "--row", 0, "--block", 2, code=1)
    assert "has 6 blocks, found no block 6" in run(
        "inspect", one, "x.weight", "--block", 6, code=1)
    assert "no.weight" in run("inspect", one, "no.weight", code=1)
    assert "x.weight" in run("error", one, TINY, code=1)
    assert "x.weight" in run("inspect", one, "x.weight", "--against", TINY,
                             code=1)
    assert "missing.gguf: cannot open it" in run(
        "inspect", one, "x.weight", "--against", folder / "missing.gguf",
        code=1)


def test_what_is_no_number_stays_visible(tmp_path):
    """One NaN among others: the errors of all are no numbers, too."""
    values = np.random.default_rng(6).standard_normal((4, 256))
    values[1, 7] = np.nan
    out = gguf.GGUFWriter(tmp_path / "nan.gguf", "llama")
    out.add_tensor("a.weight", values.astype(np.float32))
    out.add_tensor("b.weight", np.ones((4, 256), dtype=np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    words = ["error", tmp_path / "nan.gguf", "--type", "q4_k"]
    for line in run(*words).splitlines():
        if line.startswith(("a.weight", "all of them")):
            assert line.split()[-4:] == ["nan", "nan", "nan", "%"]
    got = json.loads(run(*words, "--json"))
    for part in (got["tensors"][0], got["total"]):
        assert part["rms"] is part["largest"] is part["relative_rms"] is None
    assert got["tensors"][1]["largest"] < 0.01


def test_nothing_is_printed_by_halves(folder):
    """A tensor has no partner: no head, no half of a document."""
    for options in ([], ["--json"]):
        done = subprocess.run([RUN, "error", folder / "F32.gguf", TINY,
                               *options], capture_output=True, text=True,
                              check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert "x.weight" in done.stderr


def test_options_that_would_be_ignored(folder):
    one, out = folder / "F16.gguf", folder / "x.gguf"
    convert = ["convert", one, out, "--type", "q8_0"]
    inspect = ["inspect", one, "x.weight"]
    for words, options in [
            (convert, [["--json"], ["--row", 0], ["--block", 1],
                       ["--against", one]]),
            (inspect, [["-t", 2], ["-v"], ["--type", "q8_0"],
                       ["--importance", one]]),
            (["error", one, one], [["--row", 1], ["--type", "q4_0"], ["-v"]]),
            (["error", one, "--type", "q8_0"], [["-t", 3], ["--block", 2]]),
            ([], [["--json"], ["--type", "q8_0"]])]:
        for option in options:
            said = run(*words, *option, code=2)
            assert " does not go with " in said and "leave it out" in said
    assert not out.exists()


def test_usage(folder):
    one = folder / "F16.gguf"
    assert '--importance does not go with "error FILE OTHER"' in run(
        "error", one, one, "--importance", one, code=2)
    assert '--type does not go with "error FILE OTHER"' in run(
        "error", one, one, "--type", "q4_0", code=2)
    assert "expected one of F32, F16" in run(
        "convert", one, folder / "x.gguf", "--type", "q7", code=2)
    assert "found 1 word, expected: " in run("error", code=2)
    assert not (folder / "x.gguf").exists()
