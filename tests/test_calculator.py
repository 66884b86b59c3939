"""Chapter 2 counts what there is: against the same models counted again in
Python, tensor by tensor; against files that the gguf package wrote; and
against what the makers of known models publish."""

import json
import os
import shutil
import subprocess

import gguf
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import parameters
from conftest import ROOT
from parameters import Model

FAMILIES = ["llama", "gpt2", "gptneox", "stablelm"]
PUBLISHED = {
    "gpt2": 124439808, "gpt2-medium": 354823168, "gpt2-large": 774030080,
    "tinyllama-1.1b": 1100048384, "llama-3.2-1b": 1235814400,
    "stablelm-2-1.6b": 1644515328, "pythia-1b": 1011781632,
    "smollm2-135m": 134515008, "llama-3.1-8b": 8030261248,
}
pytestmark = pytest.mark.usefixtures("calculator")


def run(*options, code=0, text=None):
    done = subprocess.run(["./chapter-02/run", *map(str, options)], cwd=ROOT,
                          capture_output=True, text=True, input=text,
                          timeout=60, check=False)
    assert done.returncode == code, (done.returncode, done.stderr)
    return done.stdout if code == 0 else done.stderr


def total(*options):
    return json.loads(run(*options, "--json"))["parameters"]["total"]


@st.composite
def models(draw, largest=1 << 12):
    family = draw(st.sampled_from(FAMILIES))
    kv_heads = draw(st.integers(1, 8))
    groups = 1 if family in ("gpt2", "gptneox") else draw(st.integers(1, 8))
    head_dim = 2 * draw(st.integers(1, 32))
    # Twice as wide as the heads, or as wide: not all can be divided.
    width = kv_heads * groups * head_dim * draw(st.integers(1, 2))
    size = st.integers(1, largest)
    return Model(family, draw(st.integers(1, 48)), width, kv_heads * groups,
                 kv_heads, head_dim, draw(size), draw(size), draw(size),
                 draw(st.booleans()), draw(st.booleans()),
                 draw(st.booleans()))


def our_config(m):
    c = {"architecture": m.family, "n_layers": m.layers, "d_model": m.width,
         "n_heads": m.heads, "n_kv_heads": m.kv_heads, "d_ff": m.ff,
         "head_dim": m.head_dim, "vocab_size": m.vocabulary,
         "context_length": m.context, "tied_output": m.tied, "bias": m.bias}
    return c | ({"parallel_residual": m.parallel}
                if m.family == "stablelm" else {})


def hugging_face_config(m):
    """As transformers writes it for each of the families."""
    if m.family == "gpt2":
        return {"model_type": "gpt2", "n_layer": m.layers, "n_head": m.heads,
                "n_embd": m.width, "n_inner": m.ff, "n_ctx": m.context,
                "n_positions": m.context, "vocab_size": m.vocabulary,
                "tie_word_embeddings": m.tied, "activation_function": "gelu",
                "architectures": ["GPT2LMHeadModel"]}
    c = {"hidden_size": m.width, "num_hidden_layers": m.layers,
         "num_attention_heads": m.heads, "intermediate_size": m.ff,
         "vocab_size": m.vocabulary, "max_position_embeddings": m.context,
         "tie_word_embeddings": m.tied, "torch_dtype": "bfloat16"}
    if m.family == "gptneox":
        return c | {"model_type": "gpt_neox", "rotary_pct": 0.25,
                    "use_parallel_residual": m.parallel,
                    "attention_bias": True, "layer_norm_eps": 1e-5}
    c["num_key_value_heads"] = m.kv_heads
    if m.family == "stablelm":
        return c | {"model_type": "stablelm", "use_qkv_bias": m.bias,
                    "use_parallel_residual": m.parallel,
                    "partial_rotary_factor": 0.25, "qk_layernorm": False}
    return c | {"model_type": "llama", "rms_norm_eps": 1e-5,
                "head_dim": m.head_dim, "rope_scaling": None}


def flags(m):
    return ["--arch", m.family, "--n-layer", m.layers, "--n-embd", m.width,
            "--n-head", m.heads, "--n-kv-head", m.kv_heads, "--head-dim",
            m.head_dim, "--d-ff", m.ff, "--vocab-size", m.vocabulary,
            "--block-size", m.context, "--tied" if m.tied else "--untied",
            "--bias" if m.bias else "--no-bias"]


@settings(max_examples=150, deadline=None)
@given(models())
def test_our_configurations(tmp_path_factory, model):
    path = tmp_path_factory.getbasetemp() / "ours.json"
    path.write_text(json.dumps(our_config(model)))
    assert total("--config", path) == parameters.count(model)


@settings(max_examples=150, deadline=None)
@given(models())
def test_hugging_face_configurations(tmp_path_factory, model):
    if model.family != "llama":         # they always divide, but for Llama
        model.head_dim = model.width // model.heads
    if model.family in ("gpt2", "gptneox"):
        model.bias = True               # they have no key for that
    if model.family == "llama":
        model.bias = False
    path = tmp_path_factory.getbasetemp() / "config.json"
    path.write_text(json.dumps(hugging_face_config(model)))
    assert total("--config", path) == parameters.count(model)


@settings(max_examples=100, deadline=None)
@given(models())
def test_flags(model):
    model.parallel = False              # no flag for that
    assert total(*flags(model)) == parameters.count(model)


@settings(max_examples=60, deadline=None)
@given(models())
def test_the_algebra_comes_to_the_same(model):
    model.parallel = False
    last = run(*flags(model), "--show-formula").split("=")[-1]
    assert int(last.replace(",", "")) == parameters.count(model)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_totals(name):
    assert total("--config", f"data/configs/{name}.json") == PUBLISHED[name]


# What the makers' own config.json say of shapes; what they leave out has the
# default of their library.
AS_PUBLISHED = {
    "gpt2": {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"],
        "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12,
        "n_positions": 1024, "vocab_size": 50257, "n_inner": None,
        "layer_norm_epsilon": 1e-05, "task_specific_params": {
            "text-generation": {"do_sample": True, "max_length": 50}}},
    "pythia-1b": {
        "model_type": "gpt_neox", "hidden_size": 2048, "rotary_pct": 0.25,
        "intermediate_size": 8192, "max_position_embeddings": 2048,
        "num_attention_heads": 8, "num_hidden_layers": 16,
        "rotary_emb_base": 10000, "vocab_size": 50304,
        "use_parallel_residual": True, "tie_word_embeddings": False},
    "stablelm-2-1.6b": {
        "model_type": "stablelm", "hidden_size": 2048,
        "intermediate_size": 5632, "max_position_embeddings": 4096,
        "num_attention_heads": 32, "num_hidden_layers": 24,
        "num_key_value_heads": 32, "partial_rotary_factor": 0.25,
        "use_qkv_bias": True, "vocab_size": 100352},
    "llama-3.1-8b": {
        "model_type": "llama", "attention_bias": False, "mlp_bias": False,
        "hidden_size": 4096, "intermediate_size": 14336,
        "max_position_embeddings": 131072, "num_attention_heads": 32,
        "num_hidden_layers": 32, "num_key_value_heads": 8,
        "rms_norm_eps": 1e-05, "rope_theta": 500000.0, "vocab_size": 128256,
        "rope_scaling": {"factor": 8.0, "rope_type": "llama3"}},
}


@pytest.mark.parametrize("name", AS_PUBLISHED)
def test_published_configurations(tmp_path, name):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(AS_PUBLISHED[name]))
    assert total("--config", path) == PUBLISHED[name]


def write_gguf(path, m, extra=None, window=None, name=None):
    """A file of that model with all tensors zero, as a converter would."""
    writer = gguf.GGUFWriter(path, m.family)
    writer.add_block_count(m.layers)
    writer.add_context_length(m.context)
    writer.add_embedding_length(m.width)
    writer.add_feed_forward_length(m.ff)
    writer.add_head_count(m.heads)
    if m.family == "llama":
        writer.add_layer_norm_rms_eps(1e-5)
    else:
        writer.add_layer_norm_eps(1e-5)
    if m.family in ("llama", "stablelm"):
        writer.add_head_count_kv(m.kv_heads)
    if m.family != "gpt2":
        writer.add_rope_dimension_count(2)
    if m.family in ("gptneox", "stablelm"):
        writer.add_parallel_residual(m.parallel)
    if name:
        writer.add_name(name)
    if window:
        writer.add_sliding_window(window)
    writer.add_key_length(m.head_dim)
    writer.add_value_length(m.head_dim)
    for name, shape in [*parameters.tensors(m), *(extra or {}).items()]:
        writer.add_tensor(name, np.zeros(shape, np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@settings(max_examples=60, deadline=None)
@given(models(largest=64))
def test_files_of_the_gguf_package(tmp_path_factory, model):
    model.layers = 1 + model.layers % 3
    path = tmp_path_factory.getbasetemp() / "model.gguf"
    write_gguf(path, model)
    found = json.loads(run("--gguf", path, "--json"))
    assert found["parameters"]["total"] == parameters.count(model)
    assert found["file"]["numbers"] == parameters.count(model)
    assert found["file"]["not_counted"] == found["file"]["not_there"] == {}
    assert found["architecture"] == model.family
    assert "as counted" in run("--gguf", path)


@pytest.mark.parametrize("family", FAMILIES)
def test_names_are_those_of_the_gguf_package(family):
    """The reference writes tensors that such a model may have."""
    arch = {name: key for key, name in gguf.MODEL_ARCH_NAMES.items()}[family]
    known = {gguf.TENSOR_NAMES[t].format(bid=0)
             for t in gguf.MODEL_TENSORS[arch]}
    model = Model(family, 1, 8, 2, 2, 4, 8, 8, 8, False, True)
    for name, _ in parameters.tensors(model):
        assert name.rsplit(".", 1)[0] in known


def test_tensors_that_nobody_counted(tmp_path):
    model = Model("stablelm", 2, 16, 4, 4, 4, 8, 8, 8, False, True)
    path = write_gguf(tmp_path / "m.gguf", model, {
        "blk.0.attn_q_norm.weight": (4,), "blk.2.attn_norm.weight": (16,),
        "cls.bias": (5,)})
    text = run("--gguf", path)
    assert "25 more than counted" in text
    found = json.loads(run("--gguf", path, "--json"))
    assert found["file"]["not_counted"] == {
        "blk.0.attn_q_norm.weight": 4, "blk.2.attn_norm.weight": 16,
        "cls.bias": 5}
    for name in found["file"]["not_counted"]:
        assert name in text


def test_a_tensor_of_another_size(tmp_path):
    model = Model("gpt2", 1, 8, 2, 2, 4, 8, 8, 8, True, True)
    path = tmp_path / "m.gguf"
    shapes = dict(parameters.tensors(model))
    shapes["blk.0.ffn_up.weight"] = (4, 8)
    real, parameters.tensors = parameters.tensors, lambda m: shapes.items()
    try:
        write_gguf(path, model)
    finally:
        parameters.tensors = real
    text = run("--gguf", path)
    assert "32 fewer than counted" in text
    assert "not part of the count: blk.0.ffn_up.weight (32 numbers)" in text
    assert "counted, and not there: blk.0.ffn_up.weight (64 numbers)" in text


@pytest.mark.parametrize("family", FAMILIES)
def test_tensors_that_are_not_there_are_named(tmp_path, monkeypatch, family):
    model = Model(family, 3, 16, 4, 4, 4, 8, 8, 8, False, True)
    shapes = dict(parameters.tensors(model))
    gone = {name: n for name, n in shapes.items() if name in (
        "blk.1.ffn_up.weight", "blk.2.attn_q.bias", "blk.2.attn_qkv.weight",
        "output_norm.weight", "position_embd.weight")}
    for name in gone:
        del shapes[name]
    monkeypatch.setattr(parameters, "tensors", lambda m: shapes.items())
    path = write_gguf(tmp_path / "m.gguf", model)
    found = json.loads(run("--gguf", path, "--json"))["file"]
    # Without the one that holds q, k and v together, the three are missing.
    n = found["not_there"]
    if "blk.2.attn_qkv.weight" in gone:
        assert found["not_counted"] == {"blk.2.attn_qkv.bias": 48}
        assert sum(v for k, v in n.items() if k.startswith(
            "blk.2.attn_")) == 16 * 48 + 48
        n = {k: v for k, v in n.items() if not k.startswith("blk.2.attn_")}
        del gone["blk.2.attn_qkv.weight"]
    assert n == {name: int(np.prod(shape)) for name, shape in gone.items()}
    for name in n:
        assert f"not there: {name} (" in run("--gguf", path)


def test_thousands_that_are_not_there_are_counted(tmp_path, monkeypatch):
    model = Model("llama", 30, 16, 4, 4, 4, 8, 8, 8, False, False)
    shapes = [item for item in parameters.tensors(model)
              if not item[0].endswith("ffn_up.weight")]
    monkeypatch.setattr(parameters, "tensors", lambda m: shapes)
    text = run("--gguf", write_gguf(tmp_path / "m.gguf", model))
    assert text.count("counted, and not there:") == 8
    assert "  and 22 more\n" in text


def test_files_of_this_repository(smollm2):
    for path in (smollm2, ROOT / "data/tiny.gguf"):
        tensors = gguf.GGUFReader(path).tensors
        numbers = sum(int(tensor.n_elements) for tensor in tensors)
        assert total("-m", path) == numbers
        assert "as counted" in run("-m", path)


@pytest.mark.parametrize("family", ["gpt2", "gptneox", "stablelm"])
def test_the_engine_names_what_it_does_not_run(tmp_path, family,
                                               llama_program):
    model = Model(family, 1, 16, 4, 4, 4, 8, 8, 8, False, True)
    path = write_gguf(tmp_path / "m.gguf", model)
    done = subprocess.run([llama_program, "-m", path, "-p", "a"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (f'{path}: general.architecture is "{family}", expected "llama"'
            in done.stderr)


def test_only_this_program_needs_a_library(tmp_path):
    for number, needed in (("02", True), ("03", False), ("08", False)):
        done = subprocess.run(
            ["make", "-n", f"OUT={tmp_path}/{number}", f"chapter-{number}"],
            cwd=ROOT, capture_output=True, text=True, check=True)
        assert ("jansson" in done.stdout) == needed


def test_a_missing_library_is_named_in_a_line(tmp_path):
    """Without a compiler that finds it, and without apt-get."""
    (tmp_path / "id").symlink_to(shutil.which("id"))
    done = subprocess.run(
        ["/bin/sh", "tools/need", "none.h", "libnone-dev", "none"], cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path), "CC": "no-such-compiler"},
        capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == ("error: this needs none.h: please install "
                           "libnone-dev and pkg-config (on macOS: brew "
                           "install none pkg-config)\n")


def test_a_library_is_looked_for_where_it_is_used(tmp_path):
    """With the flags of the compilation and no others; and what is installed
    is said, with a log."""
    program = tmp_path / "apt-get"
    program.write_text("#!/bin/sh\necho \"apt-get $*\"\n")
    program.chmod(0o755)
    root = tmp_path / "id"
    root.write_text("#!/bin/sh\necho 0\n")
    root.chmod(0o755)
    folder = tmp_path / "include"
    folder.mkdir()
    (folder / "none.h").write_text("")
    command = ["/bin/sh", ROOT / "tools/need", "none.h", "libnone-dev",
               "none"]
    for flags, code in ((f"-I{folder}", 0), ("", 1)):
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True,
            check=False, env={**os.environ, "CFLAGS": flags,
                              "PATH": f"{tmp_path}:{os.environ['PATH']}"})
        assert done.returncode == code and done.stdout == ""
        assert ("installing libnone-dev with apt-get, as root; log in "
                "build/need.log\n" in done.stderr) == (code == 1)
    log = (tmp_path / "build/need.log").read_text()
    assert log.startswith("apt-get update\n")
    assert log.endswith("libnone-dev\n")


@pytest.mark.parametrize("name, twelve", [
    ("gpt2", 12 * 12 * 768**2 + 50257 * 768),
    ("llama-3.2-1b", 12 * 16 * 2048**2 + 128256 * 2048)])
def test_the_rule_of_thumb_is_what_it_says(name, twelve):
    found = json.loads(run("--config", f"data/configs/{name}.json",
                           "--mistakes", "--json"))
    assert found["mistakes"]["twelve"] == twelve
    assert f"{twelve:,}" in run("--config", f"data/configs/{name}.json",
                                "--mistakes")


def test_what_scales_add_is_what_weights_take():
    weights = json.loads(run("--arch", "gpt2", "--json"))["weights"]
    said = run("--arch", "gpt2", "--mistakes")
    for name in ("Q8", "Q4"):
        mib = weights[name]["bytes"] / 2**20
        assert f"with its scales {mib:.2f} MiB" in said


def test_the_algebra_names_all_that_it_adds(tmp_path):
    model = Model("llama", 1, 16, 4, 4, 4, 8, 8, 8, True, False)
    text = run("--gguf", write_gguf(tmp_path / "m.gguf", model, {
        "rope_freqs.weight": (1,)}), "--show-formula")
    last = " ".join(text[text.index("\ntotal"):].split())
    assert last == ("total = embeddings + positions + all layers + final "
                    "norm + head + rotation factors = "
                    f"{parameters.count(model) + 1:,}")
    for sizes in ([], ["--arch", "gpt2"]):
        assert "rotation factors" not in run(*sizes, "--show-formula")


@pytest.mark.parametrize("family, context", [("llama", 5), ("gpt2", 8)])
def test_a_window_does_not_shorten_a_table(tmp_path, family, context):
    model = Model(family, 1, 16, 4, 4, 4, 8, 8, 8, True, False)
    path = write_gguf(tmp_path / "m.gguf", model, window=5)
    assert "as counted" in run("--gguf", path)
    assert json.loads(run("--gguf", path, "--json"))[
        "context_length"] == context


@pytest.mark.parametrize("character", ["\u00fc", "\u20ac", "\U0001f600"])
def test_names_in_files_end_with_a_whole_character(tmp_path, character):
    model = Model("gpt2", 1, 8, 2, 2, 4, 8, 8, 8, True, True)
    for begin in ("", "a", "ab", "abc"):
        path = tmp_path / "m.gguf"
        write_gguf(path, model, name=begin + 70 * character)
        text = run("--gguf", path)
        assert "\\x" not in text and begin + character in text
