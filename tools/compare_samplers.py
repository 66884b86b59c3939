"""Our sampler and the chain of llama.cpp on the same logits, texts and
settings made at random: the same tokens stay, with the same probabilities.

    .venv/bin/python -m pip install llama-cpp-python
    python3 tools/compare_samplers.py [--cases 3000]

Exit status 1 when they differ. llama.cpp adds up floats, so a token that
stands within 1e-5 of a bound may stay here and go there: such cases are
counted and not judged.
"""

import argparse
import ctypes
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import test_sampler_python as sampling                          # noqa: E402
try:
    import llama_cpp
except ImportError:
    sys.exit("This compares with llama.cpp, please: "
             f"{sys.executable} -m pip install llama-cpp-python")

LIMIT = 1e-5


def peer(params, logits, recent):
    """Ids and probabilities, most likely first. The order of the chain is
    that of the program llama-cli when nothing is said."""
    chain = llama_cpp.llama_sampler_chain_init(
        llama_cpp.llama_sampler_chain_default_params())
    last = len(recent) if params.repeat_last_n < 0 else params.repeat_last_n
    for stage in (
            llama_cpp.llama_sampler_init_penalties(
                len(logits), last, params.repeat_penalty,
                params.frequency_penalty, params.presence_penalty),
            llama_cpp.llama_sampler_init_top_k(params.top_k),
            llama_cpp.llama_sampler_init_typical(params.typical, 0),
            llama_cpp.llama_sampler_init_top_p(params.top_p, 0),
            llama_cpp.llama_sampler_init_min_p(params.min_p, 0),
            llama_cpp.llama_sampler_init_temp(params.temperature),
            llama_cpp.llama_sampler_init_dist(1)):
        llama_cpp.llama_sampler_chain_add(chain, stage)
    for token in recent:
        llama_cpp.llama_sampler_accept(chain, int(token))
    data = (llama_cpp.llama_token_data * len(logits))()
    for i, logit in enumerate(logits):
        data[i].id, data[i].logit = i, logit
    array = llama_cpp.llama_token_data_array(data, len(logits), -1, False)
    llama_cpp.llama_sampler_apply(chain, ctypes.byref(array))
    got = sorted(((array.data[i].p, array.data[i].id)
                  for i in range(array.size)), key=lambda x: (-x[0], x[1]))
    llama_cpp.llama_sampler_free(chain)
    return [i for _, i in got], np.array([p for p, _ in got])


def at_a_bound(params, logits, recent):
    """Would settings that are a little different keep other tokens?"""
    kept = set()
    for sign in (-1, 0, 1):
        near = sampling.Params.from_buffer_copy(params)
        for name in ("typical", "top_p", "min_p"):
            value = getattr(params, name)
            if 0 < value < 1:
                setattr(near, name, value * (1 + sign * LIMIT))
        kept.add(tuple(sampling.theirs(near, logits, recent)[0]))
    return len(kept) > 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=3000)
    args = parser.parse_args()
    dice = np.random.default_rng(8)
    different, bounds, largest = 0, 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        library = sampling.build(Path(folder))
        for i in range(args.cases):
            logits, recent, params = sampling.case(dice)
            ids, shares = sampling.ours(library, params, logits, recent)
            want, probabilities = peer(params, logits, recent)
            if set(ids) == set(want):
                order = {token: p for token, p in zip(want, probabilities)}
                largest = max(largest, max(
                    abs(order[t] - p) for t, p in zip(ids, shares)))
            elif at_a_bound(params, logits, recent):
                bounds += 1
            else:
                different += 1
                print(f"case {i}: {len(ids)} tokens here, {len(want)} there",
                      {n: getattr(params, n) for n, _ in params._fields_})
    print(f"{args.cases} cases: {different} differ, {bounds} at a bound; "
          f"largest difference of a probability {largest:.1e}")
    sys.exit(int(different > 0 or largest > LIMIT))


if __name__ == "__main__":
    main()
