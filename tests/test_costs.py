"""What chapter 2 says of memory, speed and training: against the same sums in
Python, for models that nobody chose; against a file that was really written;
and against itself where it gives advice. The probe is compared with numpy."""

import json
import subprocess
import threading
import time

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import costs
from conftest import ROOT

TYPES = {"FP32": "F32", "FP16": "F16", "Q8": "Q8_0", "Q4": "Q4_0"}
MATRICES = ["q", "k", "v", "o", "gate", "up", "down"]


@pytest.fixture(scope="module", autouse=True)
def program():
    subprocess.run(["make", "-s", "chapter-02", "chapter-07"], cwd=ROOT,
                   check=True)


def run(*options):
    return subprocess.run(["./chapter-02/run", *map(str, options)], cwd=ROOT,
                          capture_output=True, text=True, check=False,
                          timeout=60)


def answer(*options):
    done = run(*options, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@st.composite
def models(draw):
    """A description as the reference takes it, with what a family is."""
    family = draw(st.sampled_from(["llama", "gpt2", "gptneox", "stablelm"]))
    gpt = family in ("gpt2", "gptneox")
    kv = draw(st.integers(1, 6))
    heads = kv if gpt else kv * draw(st.integers(1, 6))
    head_dim = 2 * draw(st.integers(1, 64))
    parallel = family == "gptneox" or (family == "stablelm"
                                       and draw(st.booleans()))
    bias = draw(st.booleans())
    return {
        "family": family, "n_layers": draw(st.integers(1, 40)),
        "d_model": heads * head_dim * draw(st.integers(1, 2)),
        "n_heads": heads, "n_kv_heads": kv, "head_dim": head_dim,
        "d_ff": draw(st.integers(1, 4000)),
        "vocab_size": draw(st.integers(1, 60000)),
        "context_length": draw(st.integers(1, 5000)),
        "tied": draw(st.booleans()), "bias": bias,
        "layer_norm": family != "llama", "gated": not gpt,
        "learned_positions": family == "gpt2", "parallel": parallel,
        "shared_norm": family == "stablelm" and parallel,
        "norm_bias": family == "stablelm" or (gpt and bias),
        "qkv_bias": bias, "attn_out_bias": gpt and bias,
        "ffn_bias": gpt and bias,
    }


def described(m, folder):
    """The same as one of our configurations."""
    c = {key: m[key] for key in ("n_layers", "d_model", "n_heads", "d_ff",
                                 "n_kv_heads", "head_dim", "vocab_size",
                                 "context_length", "bias")}
    c |= {"architecture": m["family"], "tied_output": m["tied"]}
    if m["family"] == "stablelm":
        c["parallel_residual"] = m["parallel"]
    path = folder / "model.json"
    path.write_text(json.dumps(c))
    return "--config", path


@st.composite
def steps(draw, m):
    """A step of training, as flags and as the reference takes it."""
    block = draw(st.integers(1, m["context_length"]))
    batch = draw(st.integers(1, 64))
    half, checkpoint = draw(st.booleans()), draw(st.booleans())
    rank = draw(st.sampled_from([0, 0, 1, 8, 100]))
    names = draw(st.lists(st.sampled_from(MATRICES), min_size=1,
                          unique=True))
    bits = draw(st.sampled_from([4, 8, 16, 32]))
    frozen = {4: "Q4_0", 8: "Q8_0", 16: "F16", 32: "F32"}[bits]
    flags = ["--train-batch", batch, "--train-block", block, "--lora-rank",
             rank, "--bits", bits]
    if rank > 0:
        flags += ["--lora-matrices", ",".join(names)]
    flags += ["--mixed"] * half + ["--checkpoint"] * checkpoint
    return flags, {"n_batch": batch, "n_block": block, "half": half,
                   "checkpoint": checkpoint, "rank": rank,
                   "names": names if rank else [], "frozen": frozen}


# The chapter's pencil model: two layers, width 4, two query heads and one key
# head of 2, 8 in the feed-forward, ten tokens, tied; and numbers that are
# written down from the text, not computed.
PENCIL = {
    "n_layers": 2, "d_model": 4, "n_heads": 2, "n_kv_heads": 1,
    "head_dim": 2, "d_ff": 8, "vocab_size": 10, "context_length": 8,
    "tied": True, "layer_norm": False, "gated": True, "parallel": False,
    "learned_positions": False, "shared_norm": False, "norm_bias": False,
    "qkv_bias": False, "attn_out_bias": False, "ffn_bias": False,
}
GPT2 = PENCIL | {
    "n_layers": 12, "d_model": 768, "n_heads": 12, "n_kv_heads": 12,
    "head_dim": 64, "d_ff": 3072, "vocab_size": 50257, "gated": False,
    "context_length": 1024, "layer_norm": True, "learned_positions": True,
    "norm_bias": True, "qkv_bias": True, "attn_out_bias": True,
    "ffn_bias": True}


def test_the_reference_by_hand():
    assert costs.parameters(PENCIL) == 348
    assert costs.parameters(GPT2) == 124439808
    assert costs.multiplied(PENCIL) == 328          # 2 (48 + 96) + 40
    assert costs.weight_bytes(PENCIL, "F16") == 736   # 2 x 328 + 4 x 20
    assert costs.weight_bytes(PENCIL, "Q4_0") == 736  # rows of 4 and 8
    # 123,532,032 numbers in matrices, 907,776 in vectors and positions.
    assert costs.weight_bytes(GPT2, "F32") == 497759232
    assert costs.weight_bytes(GPT2, "Q4_0") == 73117872
    assert costs.cache_bytes(PENCIL, "F16") == 16
    assert costs.cache_bytes(GPT2, "Q8_0") == 19584  # 24 x 12 x 68
    assert costs.token_bytes(PENCIL, "F16", "F16", 5) == 816
    # Queries [4, 4] and down [4, 8], rank 3, in two layers.
    assert costs.adapters(PENCIL, 3, ["q"]) == 48
    assert costs.adapters(PENCIL, 3, ["q", "down"]) == 120
    assert costs.forward(PENCIL, 5) == (656, 160)
    # Three tokens see two on average; the head's 40 do not go again.
    assert costs.forward_backward(PENCIL, 3) == (1968, 192)
    assert costs.forward_backward(PENCIL, 3, checkpoint=True) == (2544, 256)
    assert costs.forward_backward(PENCIL, 3, rank=3, names=["q"]) \
        == (1600, 192)              # 4 x 328 + 6 x 48
    step = costs.training(PENCIL, 1, 3)
    assert step["layer_linear"] == 648 and step["layer_square"] == 72
    assert step["activations, linear"] == 1524      # 4 (2 x 162 + 57)
    assert step["passing gradients"] == 696         # 4 (162 - 6 + 18)
    assert step["optimizer moments"] == 2784
    step = costs.training(PENCIL, 1, 3, checkpoint=True)
    assert step["activations, linear"] == 924       # 4 (12 + 162 + 57)
    step = costs.training(PENCIL, 1, 3, half=True)
    assert step["layer_linear"] == 336              # 2 x 156 + 4 x 6
    assert step["their copy as floats"] == 1392
    # At q: what o, gate, up, down and the head take in is not kept, 4 + 4 +
    # 8 a token in each layer and 4 at the end; 3 inside are.
    step = costs.training(PENCIL, 1, 3, rank=3, names=["q"])
    assert step["activations, linear"] == 1164      # 1524 - 4 x 3 x 30
    assert step["passing gradients"] == 732
    assert step["trained weights"] == 192


@settings(max_examples=150, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_everything_against_the_reference(tmp_path, data):
    m = data.draw(models())
    flags, step = data.draw(steps(m))
    n_ctx = data.draw(st.integers(1, m["context_length"]))
    a = answer(*described(m, tmp_path), *flags, "-c", n_ctx, "-t", 1,
               "--bandwidth", 10, "--memory", "4G")
    assert a["parameters"]["total"] == costs.parameters(m)
    for name, kind in TYPES.items():
        w = a["weights"][name]
        assert w["type"] == kind
        assert w["bits"] == pytest.approx(
            8 * costs.matrix_bytes(m, kind, 1) / costs.multiplied(m))
        assert w["bytes"] == costs.weight_bytes(m, kind)
        full = costs.token_bytes(m, kind, "F16", n_ctx)
        assert w["token_bytes_full"] == pytest.approx(full, rel=1e-12)
        assert w["token_bytes"] == pytest.approx(
            costs.token_bytes(m, kind, "F16", 0), rel=1e-12)
        assert w["tokens_per_second_full"] == pytest.approx(1e10 / full)
    for kind, cache in a["cache"].items():
        assert cache["position"] == costs.cache_bytes(m, kind)
        # The plan ends keys and values on whole lines of the cache.
        n = n_ctx * cache["position"]
        assert n <= cache["context"] < n + 2 * 64
    assert ("Q8_0" in a["cache"]) == (m["head_dim"] % 32 == 0)
    once = costs.forward(m, n_ctx)
    assert (a["operations"]["forward_matrices"],
            a["operations"]["forward_attention"]) == once
    both = costs.forward_backward(m, step["n_block"], step["checkpoint"],
                                  step["rank"], step["names"])
    assert (a["operations"]["training_matrices"],
            a["operations"]["training_attention"]) == both
    expected = costs.training(m, **step)
    assert {key: a["training"][key] for key in expected} == expected
    assert a["training"]["total"] == sum(
        n for key, n in expected.items()
        if key not in ("trained", "layer_linear", "layer_square"))


@settings(max_examples=20, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_advice_is_the_best_there_is(tmp_path, data):
    m = data.draw(models())
    config = described(m, tmp_path)
    kib = data.draw(st.integers(1000, 4000000))
    fixed = [*config, "-t", 1, "--memory", f"{kib}K", "--train-batch", 2]
    verdict = answer(*fixed)["verdict"]
    memory = 1024 * kib
    assert verdict["memory"] == memory
    for n in (verdict["longest_context"], verdict["longest_context"] + 1):
        if 1 <= n <= m["context_length"]:
            needs = answer(*fixed, "-c", n)["verdict"]["running"]
            assert (needs <= memory) == (n == verdict["longest_context"])
    for n in (verdict["longest_block"], verdict["longest_block"] + 1):
        if 1 <= n <= m["context_length"]:
            needs = answer(*fixed, "--train-block", n)["training"]["total"]
            assert (needs <= memory) == (n == verdict["longest_block"])
    needs = {bits: answer(*fixed, "--bits", bits)["verdict"]["running"]
             for bits in (32, 16, 8, 4)}
    fitting = [bits for bits, n in needs.items() if n <= memory]
    names = {32: "FP32", 16: "FP16", 8: "Q8", 4: "Q4"}
    assert verdict["best_type"] == (names[fitting[0]] if fitting else None)


@pytest.mark.parametrize("kind, name", [("q8_0", "Q8"), ("q4_0", "Q4"),
                                        ("f16", "FP16"), ("f32", "FP32")])
def test_a_file_weighs_what_was_said(tmp_path, kind, name):
    """What chapter 7 writes holds the bytes that were named, read by the gguf
    package."""
    path = tmp_path / "model.gguf"
    subprocess.run(["./chapter-07/run", "convert", "data/tiny.gguf",
                    str(path), "--type", kind], cwd=ROOT, check=True,
                   capture_output=True)
    tensors = gguf.GGUFReader(path).tensors
    assert answer("--gguf", path)["weights"][name]["bytes"] \
        == sum(t.n_bytes for t in tensors)


def numpy_speed(n_threads):
    """Bytes a second that numpy adds up, the best of eight."""
    block = np.ones(1 << 25, dtype=np.int64)
    pieces, best = np.array_split(block, 32 * n_threads), 0.0

    def add(first):
        for piece in pieces[first::n_threads]:
            assert piece.sum() == piece.size

    for _ in range(8):
        start = time.perf_counter()
        team = [threading.Thread(target=add, args=(i,))
                for i in range(n_threads)]
        for thread in team:
            thread.start()
        for thread in team:
            thread.join()
        best = max(best, block.nbytes / (time.perf_counter() - start))
    return best


def test_the_probe_measures_memory():
    """Within a factor that finds a wrong unit and no more: numpy reads one
    place after the other and the probe eight at once, which is faster, and
    where others use the machine each run of either says something else."""
    start = time.perf_counter()
    a = answer("--probe")
    assert time.perf_counter() - start < 10
    assert a["all_cores"] >= a["one_core"] > 0
    assert a["weights"]["Q4"]["tokens_per_second"] == pytest.approx(
        a["all_cores"] / a["weights"]["Q4"]["token_bytes"])
    assert 1 / 3 < a["one_core"] / numpy_speed(1) < 6


@pytest.mark.parametrize("flags, sentence", [
    (["--memory", "16Q"], "--memory 16Q: expected a size"),
    (["--memory", "-1"], "--memory -1: expected a size"),
    (["--memory", ""], "--memory : expected a size"),
    (["--memory", "1e30"], "expected a size"),
    (["--memory", "0x1p3G"], "--memory 0x1p3G: expected a size"),
    (["--memory", "0x10"], "expected a size"),
    (["--memory", "16i"], "expected a size"),
    (["--memory", "16Gi"], "expected a size"),
    (["--memory", "16 G B"], "expected a size"),
    (["--memory", "16GBB"], "expected a size"),
    (["--memory", " "], "expected a size"),
    (["--memory", "G"], "expected a size"),
    (["--memory", "nan"], "expected a size"),
    (["--memory", "inf"], "expected a size"),
    (["--bits", "5"], "--bits 5: expected 4, 8, 16 or 32"),
    (["--bits", "64"], "--bits"),
    (["--bandwidth", "-2"], "--bandwidth"),
    (["--lora-matrices", "q,x"], "--lora-matrices q,x: expected some of"),
    (["--train-block", "8193"], "at most the model's 8192 positions"),
    (["--table", "gpu"], "--table gpu: expected hardware"),
])
def test_wrong_usage(flags, sentence):
    done = run(*flags)
    assert done.returncode == 2 and sentence in done.stderr, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("text, n", [
    ("16G", 16 << 30), ("1.5GiB", 3 << 29), ("512MB", 512 << 20),
    ("3T", 3 << 40), ("20K", 20 << 10), ("123456", 123456),
    ("16g", 16 << 30), ("16gb", 16 << 30), ("16 G", 16 << 30),
    ("2 gib", 2 << 30), ("1e3m", 1000 << 20)])
def test_sizes(text, n):
    assert answer("--memory", text)["verdict"]["memory"] == n


@pytest.mark.parametrize("name", ["hardware", "context", "gpus",
                                  "block-size", "activations"])
def test_tables_fit_the_page(name):
    huge = ["--n-layer", 4096, "--n-embd", 1 << 24, "--d-ff", 1 << 24,
            "--vocab-size", 1 << 24]
    ways = [["--bandwidth", 50], ["--mixed"]] if name == "hardware" \
        else [["--mixed", "--train-batch", 65536], []] if name == "gpus" \
        else [["--arch", arch, *more] for more in ([], huge)
              for arch in ("llama", "gpt2", "gptneox", "stablelm")]
    for way in ways:
        done = run("--table", name, *way)
        assert done.returncode == 0
        lines = done.stdout.splitlines()
        assert 0 < max(map(len, lines)) <= 78
        # Columns do not run together: as many words in each row.
        cells = [len(line.split()) for line in lines[1:6]]
        assert name in ("hardware", "gpus", "activations") \
            or len(set(cells)) == 1


def test_tables_of_others_say_what_they_are_about():
    """The notes below them, and the flags that count there."""
    def rows(*options):
        return {row["model" if "hardware" in options else "memory in GiB"]:
                row for row in json.loads(run(*options, "--json").stdout)}
    text = run("--table", "hardware").stdout
    assert text.endswith("running: contexts of 4096, or all it has;\n"
                         "training: 8 x 1024 tokens, in floats\n")
    long = rows("--table", "hardware", "-c", 100000)
    short = rows("--table", "hardware", "-c", 2048)
    assert long["running, FP32"]["125M"] == short["running, FP32"]["125M"]
    assert long["running, FP32"]["1B"] > short["running, FP32"]["1B"]
    assert rows("--table", "hardware", "--train-batch", 1)["training"][
        "7B"] < short["training"]["7B"]
    one, many = (rows("--table", "gpus", "--train-batch", n, "-t", 1)
                 for n in (1, 64))
    assert one["GPT-2 large"]["24"] == "32 all"
    assert many["GPT-2 large"]["24"] != "32 all"
    for flags, note in (
            ([], "in floats; batches of --list or 8, blocks of 1024 or all"),
            (["--mixed", "--train-batch", 3, "--train-block", 5000],
             "in half precision; batches of 3, blocks of 5000 or all")):
        assert note in run("--table", "gpus", *flags).stdout


def test_a_file_is_weighed_by_its_tensors():
    path = ROOT / "data/tiny.gguf"
    tensors = gguf.GGUFReader(path).tensors
    n_bytes = sum(int(t.n_bytes) for t in tensors)
    bits = 8 * n_bytes / sum(int(t.n_elements) for t in tensors)
    a = answer("--gguf", path, "--bandwidth", 20)
    mine = a["weights"]["this file"]
    assert mine["bytes"] == n_bytes and mine["bits"] == pytest.approx(bits)
    assert mine["tokens_per_second"] == pytest.approx(
        20e9 / mine["token_bytes"])
    assert a["mapped_bytes"] == path.stat().st_size
    assert a["bandwidth"] == 20e9
    assert a["verdict"]["running"] == a["memory"]["total"] \
        + path.stat().st_size
    text = run("--gguf", path).stdout
    assert f"this file {bits:10.2f} " in text
    assert f"{path.stat().st_size:,} bytes" in text
    other = answer("--bandwidth", 20)
    assert "this file" not in other["weights"]
    assert "mapped_bytes" not in other


def test_texts_side_by_side():
    one, three = (answer("--sequences", n, "-t", 1) for n in (1, 3))
    for kind, cache in three["cache"].items():
        assert cache["context"] == 3 * one["cache"][kind]["context"]
    assert three["cache"]["F16"]["context"] \
        == three["memory"]["key-value cache"]
    text = run("--sequences", 3).stdout
    assert "3 x 4096 of them" in text and "3 texts side by side" in text
    assert "side by side" not in run().stdout


def test_one_notation_for_a_count():
    lines = run("--memory", "1G").stdout.splitlines()
    total = next(line for line in lines if line.startswith("total"))
    assert total.endswith(" 135M") and lines[-1].startswith(
        "  with 135M weights:")
    assert run("--table", "hardware").stdout.splitlines()[1].split() == [
        "parameters", "125M", "356M", "1.24B", "3.21B", "6.74B"]


def test_blocks_that_rows_do_not_fill():
    a = answer("--n-embd", 100, "--n-head", 2)["weights"]
    assert a["FP16"]["bytes"] > a["Q8"]["bytes"] > a["FP16"]["bytes"] / 2
    assert 8.5 < a["Q8"]["bits"] < 16 and 4.5 < a["Q4"]["bits"] < 16


def test_tables_are_data_too():
    def rows(*options):
        return json.loads(run(*options, "--json").stdout)
    block = rows("--arch", "gpt2", "--table", "block-size")
    assert [row["block"] for row in block] == ["256", "512", "1024", "2048",
                                               "4096", "8192"]
    one = answer("--arch", "gpt2", "--train-block", 512)["training"]
    assert block[1]["linear"] == one["activations, linear"]
    assert block[1]["square"] == one["activations, square"]
    assert block[1]["parameters"] - block[0]["parameters"] == 256 * 768
    gpus = rows("--table", "gpus")
    assert len(gpus) == len(list((ROOT / "data/configs").glob("*.json")))
    assert gpus[-1]["8"] == "4 lora"
    # Of the five sizes none is further than a tenth from its name.
    counts = rows("--table", "hardware")[0]
    for name, n in (("125M", 125e6), ("350M", 350e6), ("7B", 7e9)):
        assert counts[name] == pytest.approx(n, rel=0.1)
    memory = rows("--table", "context")[0]
    verdict = answer("--memory", "8G", "--block-size", 1 << 20)["verdict"]
    assert memory["Q4"] == verdict["longest_context"]


def test_the_whole_fits_the_page():
    for path in sorted((ROOT / "data/configs").glob("*.json")):
        done = run("--config", path, "--memory", "1G", "--bandwidth", 9999,
                   "--lora-rank", 8, "--mixed", "--checkpoint")
        assert done.returncode == 0
        assert max(map(len, done.stdout.splitlines())) <= 78, path
