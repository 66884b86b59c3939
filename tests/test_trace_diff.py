"""make trace-diff finds nothing wrong here, and names the step in which a
fault was planted."""

import subprocess
import sys

import numpy as np
import pytest

import check_wrong
import trace_diff
from engine import ROOT
from llama import Llama

TINY = ROOT / "data/tiny.gguf"
PROMPT = "The model reads a long story."
# The step that is wrong first; where, what stands there, and what a tired
# hand would write.
FAULTS = {
    "embedding": ("llama.c", "(size_t)batch->ids[t] *",
                  "(size_t)(batch->ids[t] ^ 1) *"),
    "blk.0.attn_norm": ("llama.c", "m->residual, w->attn_norm, n)",
                        "m->residual, w->ffn_norm, n)"),
    # Small: numbers of the first norm are off by a hundred-thousandth.
    "blk.0.attn_norm, epsilon": ("llama.c", "(float)job->m->config.norm_eps)",
                                 "0.0f)"),
    "blk.0.k": ("weights.c", 'l, layer, "attn_k", kv,',
                'l, layer, "attn_v", kv,'),
    "blk.0.v": ("weights.c", 'l, layer, "attn_v", kv,',
                'l, layer, "attn_k", kv,'),
    "blk.0.q_rope": ("rope.c", "pow(theta, -2.0 * i", "pow(theta, -1.0 * i"),
    "blk.0.k_rope": ("llama_attention.c", "rope_rotate(k + at, table,",
                     "rope_rotate(v + at, table,"),
    "blk.0.attention": ("llama_attention.c", "1.0f / sqrtf((float)head_dim)",
                        "1.0f / (float)head_dim"),
    "blk.0.attn_output": ("llama.c", "output[] = {&w->attn_output}",
                          "output[] = {&w->q}"),
    "blk.0.attn_residual": ("llama.c", "add(job->out + at, job->in + at,",
                            "add(job->out + at, job->out + at,"),
    "blk.0.ffn_norm": ("llama.c", "m->residual, w->ffn_norm, n)",
                       "m->residual, w->attn_norm, n)"),
    "blk.0.ffn_up": ("llama.c", "{&w->gate, &w->up}", "{&w->gate, &w->gate}"),
    "final_norm": ("llama.c", "m->weights.output_norm, n)",
                   "m->weights.layers[0].ffn_norm, n)"),
}


@pytest.fixture(scope="module")
def parts(llama_program):
    """Compiler, objects of the program and libraries."""
    compiler, objects, libraries = map(list, check_wrong.parts(
        "tests/test_llama.c"))
    folder = "chapters/08-llama"        # what is there, not what was built
    own = [f"{check_wrong.OUT}/{folder}/{source.stem}.o"
           for source in (ROOT / folder).glob("*.c")]
    objects = [o for o in objects if "/tests/" not in o]
    return compiler, objects + own, libraries


@pytest.fixture(scope="module")
def found_in():
    """What trace-diff finds in a program."""
    model = Llama(TINY)

    def found(program):
        ids, steps = trace_diff.trace_of(program, TINY, PROMPT)
        return trace_diff.compare(model, ids, steps)
    return found


@pytest.mark.parametrize("step", FAULTS)
def test_planted_fault_is_named(step, parts, found_in, tmp_path):
    file, right, wrong = FAULTS[step]
    compiler, objects, libraries = parts
    source = (ROOT / "common" / file).read_text()
    assert source.count(right) == 1
    (tmp_path / file).write_text(source.replace(right, wrong))
    other = [o for o in objects if not o.endswith(f"/common/{file[:-2]}.o")]
    assert len(other) == len(objects) - 1
    for command in ([*compiler, "-O0", "-c", "-o", tmp_path / "wrong.o",
                     tmp_path / file],
                    [compiler[0], "-o", tmp_path / "run",
                     tmp_path / "wrong.o", *other, *libraries]):
        subprocess.run(command, cwd=ROOT, check=True)
    assert trace_diff.first_beyond(found_in(tmp_path / "run")) \
        == step.split(",", maxsplit=1)[0]


def test_nothing_differs_here(llama_program, found_in):
    steps = found_in(llama_program)
    assert len(steps) == 3 + 15 * 3
    assert trace_diff.first_beyond(steps) is None
    # Limits that a fault of one part in a hundred thousand would not pass.
    assert max(limit for *_, limit in steps) < 1.2e-5
    assert max(off for _, off, _ in steps) > 0


def test_what_is_no_number_or_not_there_differs():
    steps = [("a", 0.0, 1), ("b", np.nan, 1)]
    assert trace_diff.first_beyond(steps) == "b"
    assert "DIFFERS" in list(trace_diff.table(steps))[2]
    assert np.isnan(trace_diff.difference(np.array([np.nan]), np.ones(1)))


@pytest.mark.parametrize("options", [
    ["--model", "/nowhere.gguf"], ["--prompt="], ["--prompt=" + "a " * 600]])
def test_what_cannot_be_compared(options, llama_program):
    done = subprocess.run([sys.executable, "reference/trace_diff.py",
                           *options], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("error: ") and "Trace" not in done.stderr


@pytest.mark.parametrize("limit, code, last", [
    ("0.01", 0, "none differs"), ("1e-12", 1, "blk.0.attn_norm"),
    ("0", 1, "blk.0.attn_norm")])
def test_the_command(limit, code, last, llama_program):
    done = subprocess.run([sys.executable, "reference/trace_diff.py",
                           "--limit", limit], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    assert done.returncode == code, done.stderr
    assert last in done.stdout.splitlines()[-1]
