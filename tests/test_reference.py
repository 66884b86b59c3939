"""The committed values are what the scripts make, and one wrong number in
them, or one wrong weight, is noticed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(p.name for p in ROOT.glob("reference/[0-9][0-9]_*.py")
                 if "expected.main(" in p.read_text())
REFS = sorted(str(p.relative_to(ROOT / "chapters"))
              for p in ROOT.glob("chapters/*/expected/*.ref"))
TESTS = {"norm": "test_norm", "rope": "test_rope",
         "softmax": "test_attention", "attention": "test_attention",
         "block": "test_llama", "tiny": "test_llama"}
MODEL = ROOT / "data/tiny.gguf"


@pytest.fixture(scope="session", autouse=True)
def c_tests():
    subprocess.run(["make", "-s", "tests"], cwd=ROOT, check=True)


def python(*command):
    done = subprocess.run([sys.executable, *map(str, command)], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def read_ref(path):
    arrays, words = {}, []
    for line in path.read_text().splitlines():
        if re.match(r"[a-z]\w*(\.\w+)* ", line):
            name, *dims = line.split()
            words = arrays.setdefault(name, [list(map(int, dims)), []])[1]
        elif not line.startswith("#"):
            words += [float.fromhex(word) for word in line.split()]
    return arrays


def test_tiny_model_is_reproducible(tmp_path):
    python("reference/make_tiny_model.py", tmp_path / "tiny.gguf")
    assert (tmp_path / "tiny.gguf").read_bytes() == MODEL.read_bytes()


@pytest.mark.parametrize("script", SCRIPTS)
def test_expected_values_are_current(script, tmp_path):
    """Same names and shapes, and the same numbers but for a last digit of
    float32, which may differ with the machine's numpy."""
    python(f"reference/{script}", "--output", tmp_path)
    made = sorted(tmp_path.glob("*/expected/*.ref"))
    assert made
    for path in made:
        committed = ROOT / "chapters" / path.relative_to(tmp_path)
        new, old = read_ref(path), read_ref(committed)
        assert new.keys() == old.keys(), committed
        for name, (dims, values) in new.items():
            assert dims == old[name][0], name
            assert len(values) == np.prod(dims), name
            np.testing.assert_allclose(old[name][1], values, rtol=2.4e-7,
                                       atol=0, err_msg=name)


def test_every_reference_file_has_a_script_and_a_test(tmp_path):
    for script in SCRIPTS:
        python(f"reference/{script}", "--output", tmp_path)
    made = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.ref")}
    assert made == set(REFS)
    assert {Path(p).stem for p in REFS} == set(TESTS)


def test_trace_is_current(smollm2, tmp_path):
    python("reference/make_trace.py", smollm2, tmp_path / "trace.gguf")
    new, old = (gguf.GGUFReader(path) for path in
                (tmp_path / "trace.gguf", ROOT / "data/trace.gguf"))
    for field in new.fields.values():
        assert field.contents() == old.get_field(field.name).contents()
    assert [t.name for t in new.tensors] == [t.name for t in old.tensors]
    for a, b in zip(new.tensors, old.tensors):
        # One step of half precision, where a rounding fell differently.
        np.testing.assert_allclose(a.data.astype(float),
                                   b.data.astype(float), rtol=1e-3,
                                   atol=1e-6, err_msg=a.name)


def run_test(name, folder="chapters", model=MODEL):
    return subprocess.run([f"./build/tests/{name}", folder, model,
                           "*against_reference"], cwd=ROOT, text=True,
                          capture_output=True, check=False)


@pytest.mark.parametrize("name", sorted(set(TESTS.values())))
def test_the_tests_pass_as_they_are(name):
    assert run_test(name).returncode == 0


@pytest.mark.parametrize("ref", REFS)
def test_one_wrong_reference_value_is_noticed(ref, tmp_path):
    """The largest value of the last array, off by one part in a thousand."""
    for path in REFS:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "chapters" / path, target)
    name, (_, values) = list(read_ref(tmp_path / ref).items())[-1]
    value = max(values, key=abs)
    word = re.escape(np_hex(value))
    text = (tmp_path / ref).read_text()
    at = text.index(f"\n{name} ")
    changed = re.sub(rf"(?<!\S){word}(?!\S)", np_hex(value * 1.001),
                     text[at:], count=1)
    assert changed != text[at:]
    (tmp_path / ref).write_text(text[:at] + changed)
    done = run_test(TESTS[Path(ref).stem], folder=tmp_path)
    assert done.returncode != 0 and "FAIL" in done.stdout


def np_hex(value):
    from expected import short_hex
    return short_hex(float(np.float32(value)))


def weights():
    return [t.name for t in gguf.GGUFReader(MODEL).tensors]


@pytest.mark.parametrize("name", weights())
def test_one_wrong_weight_is_noticed(name, tmp_path):
    """One byte of one tensor: the last of a block in the middle."""
    tensor = next(t for t in gguf.GGUFReader(MODEL).tensors
                  if t.name == name)
    block, size = gguf.GGML_QUANT_SIZES[tensor.tensor_type]
    at = tensor.n_elements // block // 2
    if name == "token_embd.weight":
        # A row that the test's tokens use: the first, "\n".
        row = int(read_ref(ROOT / "chapters" / "08-llama/expected/tiny.ref")
                  ["ids"][1][0])
        at = row * int(tensor.shape[0]) // block
    data = bytearray(MODEL.read_bytes())
    # In a float the last byte holds the exponent: flip its lowest bit.
    flip = 0x04 if block == 1 else 0x44
    flip = 0x01 if tensor.tensor_type.name == "F32" else flip
    data[int(tensor.data_offset) + at * size + size - 1] ^= flip
    (tmp_path / "tiny.gguf").write_bytes(data)
    done = run_test("test_llama", model=tmp_path / "tiny.gguf")
    assert done.returncode != 0 and "FAIL" in done.stdout
