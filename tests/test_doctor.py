"""The doctor names the fault in each sick model, and none in a good one."""

import json

import numpy as np
import pytest

import engine
import make_test_models
import sick_models
from engine import ROOT

TINY = ROOT / "data/tiny.gguf"
# Faults that only a model shows which has learnt something.
LEARNT = ("wrong-pairs", "wrong-base", "swapped-gate", "other-words")


@pytest.fixture(autouse=True)
def built(llama_program):
    pass


def examine(path, code):
    """The checks by name; what the program prints is JSON either way."""
    done = engine.subprocess.run(
        ["./chapter-08/run", "-m", path, "--doctor", "--json"], cwd=ROOT,
        capture_output=True, timeout=120, check=False)
    assert done.returncode == code, (done.stdout, done.stderr)
    said = json.loads(done.stdout)
    assert said["healthy"] is (code == 0) and said["model"] == str(path)
    return {row["check"]: row for row in said["checks"]}, done.stderr


def is_found(fault, source, path):
    check, _ = sick_models.FAULTS[fault]
    rows, said = examine(sick_models.make(fault, source, path), 1)
    sick = [name for name, row in rows.items() if row["verdict"] == "sick"]
    assert sick == [check], rows
    assert rows[check]["remedy"] and check in said.decode()
    return rows


@pytest.mark.parametrize("fault", [fault for fault in sick_models.FAULTS
                                   if fault not in LEARNT])
def test_fault_in_the_tiny_model(fault, tmp_path):
    is_found(fault, TINY, tmp_path / "sick.gguf")


@pytest.mark.parametrize("fault", LEARNT)
def test_fault_in_smollm2(fault, smollm2, tmp_path):
    rows = is_found(fault, smollm2, tmp_path / "sick.gguf")
    # Both losses are told, and the one behind the name is the better one.
    check = sick_models.FAULTS[fault][0]
    if check != "vocabulary":
        given, other = (float(part.split(":")[-1].split()[-1])
                        for part in rows[check]["found"].split(";"))
        assert given > other + 0.1


def test_smollm2_is_well(smollm2):
    rows, said = examine(smollm2, 0)
    assert {row["verdict"] for row in rows.values()} == {"good"}
    assert b"error" not in said


def test_tiny_is_well():
    rows, _ = examine(TINY, 0)
    untold = [name for name, row in rows.items() if row["verdict"] != "good"]
    assert untold == ["RoPE pairs", "gate and up"]
    assert all(row["remedy"] is None for row in rows.values())


# Small gains and losses are no evidence: not of a fault, nor of health.
def test_a_gain_within_its_error_is_no_finding(smollm2, tmp_path):
    def change(keys, tensors):
        keys[sick_models.BASE][0] = 1e4
        keys["llama.context_length"][0] = 4096      # nobody's shape
    path = sick_models.patched(smollm2, tmp_path / "x.gguf", change)
    row = examine(path, 0)[0]["RoPE base"]
    assert row["verdict"] == "not seen", row
    given, other = (float(part.split("loss")[-1].split()[-1]) for part in
                    row["found"].replace("e+05", "").split(";")[:2])
    assert given > other + 0.1, row


def test_what_has_not_learnt_its_pairs_does_not_tell(tmp_path):
    path = sick_models.make("wrong-pairs", TINY, tmp_path / "x.gguf")
    row = examine(path, 0)[0]["RoPE pairs"]
    assert row["verdict"] == "not seen" and "not tell" in row["found"]


@pytest.mark.parametrize("epsilon, verdict", [
    (1e-3, "unusual"), (1e-6, "not seen"), (1e-5, "not seen")])
def test_epsilons_of_a_shape_that_nobody_knows(epsilon, verdict, tmp_path):
    def change(keys, tensors):
        keys[sick_models.EPSILON][0] = epsilon
        keys["llama.context_length"][0] = 511
    path = sick_models.patched(TINY, tmp_path / "x.gguf", change)
    assert examine(path, 0)[0]["norm epsilon"]["verdict"] == verdict


def test_numbers_that_nobody_read_are_not_counted(tmp_path):
    path = engine.rewrite(TINY, tmp_path / "x.gguf", tensors={
        "more": np.arange(7, dtype=np.int32)})
    row = examine(path, 0)[0]["numbers"]
    assert row["verdict"] == "unusual"
    assert row["found"].startswith("195008 are finite; 1 tensor"), row


@pytest.mark.parametrize("name", make_test_models.MODELS)
def test_nothing_is_found_in_random_weights(name, tmp_path):
    names = list(make_test_models.MODELS)
    make_test_models.make(tmp_path / "random.gguf", names.index(name),
                          **make_test_models.MODELS[name])
    rows, _ = examine(tmp_path / "random.gguf", 0)
    assert rows["text"]["verdict"] == "unusual"
    assert rows["RoPE base"]["verdict"] == "not seen"


def test_a_file_that_does_not_load_says_why(tmp_path):
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(TINY.read_bytes()[:2000])
    rows, _ = examine(cut, 1)
    assert rows["file"]["verdict"] == "sick"
    assert str(cut) in rows["file"]["found"]
    assert rows["RoPE base"]["verdict"] == "not seen"
    other = engine.rewrite(TINY, tmp_path / "other.gguf",
                           drop=["blk.1.ffn_up.weight"])
    rows, _ = examine(other, 1)
    assert rows["shape"]["verdict"] == "sick"
    assert "blk.1.ffn_up.weight" in rows["shape"]["found"]


@pytest.mark.parametrize("template, word, verdict", [
    ("{{ messages[0]['content'] }}<|start_header_id|>",
     "<|start_header_id|>", "sick"),
    ("{% for m in messages %}<|im_start|>{{ m.text }}{% endfor %}",
     "none of those known", "unusual"),
    ("{% for m in messages %}<\uff5cUser\uff5c>{{ m.content }}{% endfor %}",
     "never writes <|im_", "unusual"),
    (None, "continues texts", "good"),
])
def test_templates(template, word, verdict, tmp_path):
    path = engine.rewrite(TINY, tmp_path / "talk.gguf",
                          {"tokenizer.chat_template": template})
    row = examine(path, int(verdict == "sick"))[0]["chat template"]
    assert row["verdict"] == verdict and word in row["found"]


def test_printed_for_people(tmp_path):
    lines = engine.run("-m", TINY, "--doctor").splitlines()
    assert len(lines) >= 11 and all(len(line) <= 78 for line in lines)
    path = sick_models.make("wrong-base", TINY, tmp_path / "x.gguf")
    assert engine.run("-m", path, "--doctor").splitlines() == lines
    sick = sick_models.make("wrong-epsilon", TINY, tmp_path / "y.gguf")
    assert "norm epsilon" in engine.run("-m", sick, "--doctor", code=1)


@pytest.mark.parametrize("more", [["-p", "x"], ["--plan"], ["--chat"],
                                  ["--requantize", "q8_0"]])
def test_what_it_does_not_go_with(more):
    assert more[0] in engine.run("-m", TINY, "--doctor", *more, code=2)
