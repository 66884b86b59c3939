"""Same seed, same text: for every type of weights the same bits come out for
any number of threads, more than there are cores too, any batch, wherever it
cuts the prompt, and any instruction set.

The model is random, and the logits of its ten best tokens are compared to the
last bit: a text of a few tokens would survive a difference there.
"""

import json
import subprocess

import pytest

import engine
import make_test_models

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1",
         "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
SHORT = "the rain in the plain and the train " * 5
LONG = SHORT * 7
THREADS = range(1, 18)
# The last is longer than the prompt.
BATCHES = [1, 63, 64, 65, 511, 700]


@pytest.fixture(scope="module")
def source(tmp_path_factory, llama_program):
    """Rows of 256 numbers, as the super-blocks of the K types ask."""
    subprocess.run(["make", "-s", "chapter-07"], cwd=engine.ROOT, check=True)
    path = tmp_path_factory.mktemp("types") / "F32.gguf"
    make_test_models.make(path, 5, n_layers=1, d_model=256, d_ff=256,
                          head_dim=64, n_heads=4, n_kv_heads=2, n_context=700)
    return path


def converted(source, kind):
    path = source.parent / f"{kind}.gguf"
    if kind != "F32":
        subprocess.run(["./chapter-07/run", "convert", source, path,
                        "--type", kind], cwd=engine.ROOT, check=True,
                       capture_output=True)
    return path


def test_every_type_that_is_multiplied_is_here(source):
    """Chapter 7 lists what it stores; what is new there must be added."""
    done = subprocess.run(["./chapter-07/run", "convert", source,
                           source.parent / "none.gguf", "--type", "none"],
                          cwd=engine.ROOT, capture_output=True, text=True,
                          check=False)
    listed = done.stderr.split("expected one of ")[1].split(" (")[0]
    # What ends so is a recipe, which mixes types.
    assert set(TYPES) == {name for name in listed.split(", ")
                          if name[-2:] not in ("_S", "_M", "_L")}


@pytest.mark.parametrize("kind", TYPES)
def test_the_same_bits(kind, source):
    path = converted(source, kind)

    def text(*options):
        return engine.run("-m", path, "-p", SHORT, "-n", 12, "--temp", 1,
                          "-s", 7, "--ignore-eos", "-q", *options)

    def logits(*options):
        """The best, to the last bit."""
        return json.loads(engine.run("-m", path, "-p", LONG, "--logits",
                                     "--json", *options))

    want, best = text("-t", 1), logits("-t", 1)
    assert len(best["prompt"]) > 511 and want
    for n in THREADS:
        assert logits("-t", n) == best, n
    for n in BATCHES:
        assert logits("-b", n, "-t", 2) == best, n
        assert text("-b", n, "-t", 3) == want, n
    assert text("-t", 17) == want
    assert logits("--isa", "scalar", "-t", 2) == best
    assert text("--isa", "scalar", "-t", 2) == want


@pytest.mark.parametrize("options", [
    ["-ctk", "f32"], ["-ctk", "q8_0"], ["--activations", "f32"],
    ["--activations", "f32", "-ctk", "q8_0"]])
def test_the_same_bits_in_every_cache(options, source):
    path = converted(source, "Q4_K")

    def logits(*more):
        return json.loads(engine.run("-m", path, "-p", LONG, "--logits",
                                     "--json", *options, *more))

    def shifted(*more):
        """From a context that is shifted several times."""
        return engine.run("-m", path, "-p", SHORT, "-n", 200, "--temp", 1,
                          "-s", 7, "--ignore-eos", "-q", "-c", 128,
                          "--context-shift", *options, *more)

    best, want = logits("-t", 1), shifted("-t", 1)
    for n in (2, 3, 5, 17):
        assert logits("-t", n) == best, n
    for n in (1, 63, 64, 65, 511):
        assert logits("-t", 2, "-b", n) == best, n
    for more in (["-t", 3], ["-t", 17, "-b", 63]):
        assert shifted(*more) == want, more
