"""Prediction and fact: what chapter 08 asks of the system is what --plan says
it will ask, and what chapter 02 says, byte for byte.

Counted are the bytes that the program asks for, by tests/memory/count.c,
which is loaded before the C library. That is how Linux does it, so elsewhere
these tests say that they cannot run. What the C library asks for itself is
counted apart and bounded: a table of 272 bytes or so for each thread that is
started, and while a model is opened the streams in which the system says how
much memory is free. None of it is the program's, and other C libraries take
other amounts.

Pages are another matter: what was asked for and never touched has none, and
the stack, the libraries and the program have some that nobody asked for. So
they are only bounded from above, and what belongs to a file is apart, because
the system can take such pages away and read them again:

    RssAnon at its largest  <=  plan + 4 MB
    VmHWM                   <=  plan + mapped files + 4 MB
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import engine
import make_test_models
from test_gguf_split import cut

ROOT = Path(__file__).resolve().parent.parent
TEXT = ROOT / "data/tiny.txt"
TINY = ROOT / "data/tiny.gguf"
ALLOWANCE = 4 * 10**6
N_MODELS = 50

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="counts with LD_PRELOAD, and reads /proc")


@pytest.fixture(scope="module")
def counter(tmp_path_factory):
    library = tmp_path_factory.mktemp("count") / "count.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library,
                    ROOT / "tests/memory/count.c", "-ldl", "-lpthread"],
                   check=True)
    return library


def counted(counter, folder, command, **more):
    """What a command prints, and what it asked for."""
    report = folder / "memory.json"
    report.unlink(missing_ok=True)
    done = subprocess.run([*map(str, command)], cwd=ROOT, timeout=60,
                          capture_output=True, check=False, **more,
                          env={**os.environ, "LD_PRELOAD": str(counter),
                               "COUNT_MEMORY": str(report)})
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(report.read_text())


def plan(*options):
    return json.loads(engine.run(*options, "--plan", "--json"))


def test_the_counter_counts(counter, tmp_path):
    program = tmp_path / "known"
    subprocess.run(["cc", "-O0", "-o", program,
                    ROOT / "tests/memory/known.c"], check=True)
    _, got = counted(counter, tmp_path, [program])
    # 600 + 1000 + 4096 + 8192 + 50 first; then 100,000 in place of 600 and
    # of the pages, and for a moment both.
    assert got["program"] == 600 + 1000 + 4096 + 50 + 100000
    assert got["left"] == 50 and got["calls"] == 6 and got["late"] == 0
    assert 100000 <= got["anonymous"] <= got["resident"]


def draw(dice):
    """A model, and a way to run it, that nobody chose."""
    head_dim = dice.choice([8, 10, 16, 24, 32, 64])
    n_kv_heads = dice.randint(1, 4)
    kind = dice.choice(["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1"])
    width = dice.choice([32, 64, 96, 160]) if kind[0] == "Q" else \
        dice.choice([20, 36, 60, 64, 100])
    n_context = dice.randint(16, 400)
    model = dict(
        n_layers=dice.randint(1, 5), n_context=n_context, d_model=width,
        d_ff=dice.choice([32, 77, 96, 288]), head_dim=head_dim,
        n_kv_heads=n_kv_heads, n_heads=n_kv_heads * dice.randint(1, 4),
        kind=kind, tied=dice.random() < 0.5, biases=dice.random() < 0.3,
        factors=dice.random() < 0.2, spm=dice.random() < 0.3)
    caches = ["f32", "f16"] + ["q8_0"] * (head_dim % 32 == 0)
    n_ctx = dice.choice([0, n_context, dice.randint(8, n_context)])
    run = ["-c", n_ctx, "-b", dice.choice([1, 7, 64, 512, 700]),
           "-t", dice.randint(1, 4), "-ctk", dice.choice(caches),
           "--activations", dice.choice(["q8", "q8", "f32"])]
    return model, run


@pytest.mark.parametrize("seed", range(N_MODELS))
def test_plan_is_fact(seed, counter, tmp_path, llama_program):
    dice = random.Random(seed)
    changes, run = draw(dice)
    path = tmp_path / f"random-{seed}.gguf"
    make_test_models.make(path, seed, **changes)
    n_ctx = run[1] or changes["n_context"]
    endless = ["-n", -1, "--ignore-eos", "--temp", dice.choice([0, 1]),
               "-s", seed, "-q"]
    # Each way fills the context to its last position.
    ways = [["-p", "the rain " * dice.randint(1, n_ctx // 8), *endless],
            ["-p", "a", "--json", "-r", "no such text", *endless],
            ["--perplexity", TEXT, "-q"]]
    if not changes["spm"] and n_ctx > 40:
        ways.append(["--chat", *endless])
    if run[3] > 1:
        ways.append(["--trace", tmp_path / "trace.gguf", "-p", "a", "-q"])
    way = dice.choice(ways)
    options = ["-m", path, *run, *way]
    expected = plan(*options)
    total = expected["memory"]["total"]

    said, got = counted(counter, tmp_path, [llama_program, *options],
                        input=b"the rain in the plain\n")
    assert got["program"] == total, (changes, options)
    if "--trace" not in way:        # and nothing once the model is there
        assert got["late"] == 0
    assert got["left"] == 0
    assert got["library"] < 16384 and got["library_left"] == 0
    mapped = path.stat().st_size
    if "--perplexity" in way:
        mapped += TEXT.stat().st_size
    assert expected["mapped_bytes"] == mapped
    assert expected["resident_bytes_at_most"] == total + mapped + ALLOWANCE
    assert got["anonymous"] <= total + ALLOWANCE
    assert got["resident"] <= total + mapped + ALLOWANCE
    if "--json" in way:
        said = json.loads(said)
        assert said["prompt_tokens"] + said["completion_tokens"] == n_ctx + 1


@pytest.fixture(scope="module")
def calculator():
    subprocess.run(["make", "-s", "chapter-02"], cwd=ROOT, check=True)
    return ROOT / "chapter-02/run"


@pytest.mark.parametrize("seed", range(0, N_MODELS, 5))
def test_chapter_02_says_the_same(seed, calculator, tmp_path, llama_program):
    changes, run = draw(random.Random(seed))
    path = tmp_path / f"random-{seed}.gguf"
    make_test_models.make(path, seed, **changes)
    where = run.index("--activations")
    said = subprocess.run([calculator, "--gguf", path, "--json",
                           *map(str, run[:where])], cwd=ROOT, check=True,
                          capture_output=True).stdout
    assert json.loads(said)["memory"] == plan("-m", path, *run)["memory"]


def test_the_real_model(smollm2, calculator, counter, tmp_path):
    """With a context filled, a prompt of many lengths, and --fit."""
    run = ["-m", smollm2, "-c", 96, "-t", 2]
    total = plan(*run)["memory"]["total"]
    said = json.loads(subprocess.run(
        [calculator, *map(str, run), "--json"], cwd=ROOT, check=True,
        capture_output=True).stdout)
    assert said["memory"]["total"] == total
    for prompt in ("a", "many words and " * 20):
        _, got = counted(counter, tmp_path, [
            ROOT / "chapter-08/run", *run, "-p", prompt, "-n", -1,
            "--ignore-eos", "-q"])
        assert got["program"] == total and got["late"] == 0
        assert got["anonymous"] <= total + ALLOWANCE
        assert got["resident"] <= (total + smollm2.stat().st_size
                                   + ALLOWANCE)


def test_a_plan_as_people_read_it(tmp_path, llama_program):
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("a prompt " * 100)
    nothing = tmp_path / "nothing.txt"
    for extra, n in ((["-f", prompt], 900), (["-p", "a"], 0)):
        options = ["-t", 2, *extra]
        expected = plan(*options)
        assert expected["mapped_bytes"] == TINY.stat().st_size + n
        lines = engine.run(*options, "--plan").splitlines()
        said = {line[2:24].strip(): int(line.split()[-2].replace(",", ""))
                for line in lines if line.startswith("  ")}
        assert said["model and text"] == expected["mapped_bytes"]
        assert said["at most resident"] == (
            expected["memory"]["total"] + expected["mapped_bytes"]
            + ALLOWANCE)
    assert str(nothing) in engine.run("--plan", "-f", nothing, code=1)


def test_pages_of_a_full_cache(counter, tmp_path, llama_program):
    """The caches above are smaller than the allowance. This one is several
    times as large, and every page of it is written and counted."""
    path = tmp_path / "long.gguf"
    make_test_models.make(path, 1, n_layers=16, n_context=2048, d_model=32,
                          d_ff=32, head_dim=64, n_kv_heads=2, n_heads=2,
                          kind="F16")
    text = tmp_path / "long.txt"
    text.write_text("the rain in the plain. " * 600)
    options = ["-m", path, "-c", 2048, "-ctk", "f32", "-t", 2,
               "--perplexity", text, "-q"]
    expected = plan(*options)
    cache = expected["memory"]["key-value cache"]
    total = expected["memory"]["total"]
    assert cache == 2 * 16 * 2 * 2048 * 64 * 4 > 5 * ALLOWANCE
    _, got = counted(counter, tmp_path, [llama_program, *options])
    assert got["program"] == total
    assert cache < got["anonymous"] <= total + ALLOWANCE
    assert cache < got["resident"] <= expected["resident_bytes_at_most"]


def test_what_is_held_counts_once(tmp_path, llama_program):
    """Memory that is just enough is enough: the tokenizer and the lists of
    the file are in the plan, and held when the model is started."""
    library = tmp_path / "little.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library,
                    ROOT / "tests/memory/little.c", "-ldl"], check=True)
    memory = plan("-t", 1)["memory"]
    slack = 8192                # whole kilobytes, and the C library's own
    assert memory["tokenizer"] + memory["file index"] > 2 * slack
    for room, code in ((slack, 0), (-slack, 1)):
        done = subprocess.run(
            [llama_program, "-t", "1", "-n", "1", "-q"], cwd=ROOT,
            capture_output=True, check=False, timeout=60,
            env={**os.environ, "LD_PRELOAD": str(library),
                 "FREE_BYTES": str(memory["total"] + room)})
        assert done.returncode == code, done.stderr
        assert (b"use a smaller -c, or --fit" in done.stderr) == (code == 1)


@pytest.mark.parametrize("n", [1, 3, 8])
def test_several_texts(n, counter, tmp_path, llama_program):
    """Their caches, and whatever else there is one of for each."""
    lines = tmp_path / "lines.txt"
    lines.write_text("A token\nA language model\nx\n" * 6)
    options = ["--batch-file", lines, "-np", n, "-t", 2, "-n", -1, "-c", 200,
               "--ignore-eos", "-q"]
    expected = plan(*options)
    total = expected["memory"]["total"]
    _, got = counted(counter, tmp_path, [llama_program, *options])
    assert got["program"] == total and got["late"] == 0
    mapped = TINY.stat().st_size + lines.stat().st_size
    assert expected["mapped_bytes"] == mapped
    assert got["anonymous"] <= total + ALLOWANCE
    assert got["resident"] <= total + mapped + ALLOWANCE


def test_a_model_in_parts(counter, tmp_path, llama_program):
    files = cut(TINY, tmp_path, 11)
    options = ["-m", files[0], "-t", 2, "-n", -1, "--ignore-eos", "-q"]
    expected = plan(*options)
    _, got = counted(counter, tmp_path, [llama_program, *options])
    assert len(files) == 3
    assert got["program"] == expected["memory"]["total"]
    assert expected["mapped_bytes"] == sum(f.stat().st_size for f in files)


@pytest.mark.parametrize("options, said", [
    (["-p", "word " * 500], "a prompt of 503 tokens does not fit in a "
     "context of 64; use a larger -c or a shorter prompt"),
    (["-p", "x" * 5000], "a piece of text without a cut has 5000 bytes, "
     "expected at most 4096; use a larger context"),
    (["--chat", "-p", "x" * 5000], "a message of 5000 bytes with what "
     "stands around it, expected at most 4096 bytes; use a larger -c"),
    (["--chat"], "a line of more than 4096 bytes, expected a message; use -f "
     "or a pipe for a text, or a larger -c"),
    (["-r", "x" * 1025], "a stop text of 1025 bytes, expected at most 1024"),
])
def test_what_was_not_planned_is_refused(options, said, llama_program):
    text = engine.run("-c", 64, *options, code=1, input=b"x" * 5000)
    assert said in text
