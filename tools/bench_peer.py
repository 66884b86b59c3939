"""One measurement with llama-cpp-python, as a line of JSON.

    PYTHON tools/bench_peer.py MODEL PROMPT_FILE N_TOKENS CONTEXT THREADS CACHE

N_TOKENS 1 measures the prompt, more the tokens behind the first. Only the
Python that `make bench` sets up has the package.
"""

import json
import sys
import time
from pathlib import Path

import llama_cpp
import numpy as np

TYPES = {"f32": 0, "f16": 1, "q8_0": 8}     # their numbers in a GGUF file


def best(llama):
    """The likeliest next token, without a sampler's overhead."""
    logits = llama_cpp.llama_get_logits_ith(llama.ctx, -1)
    return int(np.ctypeslib.as_array(logits, shape=(llama.n_vocab(),))
               .argmax())


def main():
    model, prompt, n_tokens, context, threads, cache = sys.argv[1:]
    # It can store values in blocks with its fused attention alone.
    stored = {} if cache == "f16" else {
        "type_k": TYPES[cache], "type_v": TYPES[cache], "flash_attn": True}
    llama = llama_cpp.Llama(
        model, n_ctx=int(context), verbose=False, n_threads=int(threads),
        n_threads_batch=int(threads), n_batch=512, n_ubatch=512, **stored)
    # The first pass allocates: it is not measured, and nobody's is.
    llama.eval(llama.tokenize(b"warm", add_bos=False))
    llama.reset()
    prompt = llama.tokenize(Path(prompt).read_bytes(), add_bos=False,
                            special=True)
    start = time.perf_counter()
    llama.eval(prompt)
    ids = [best(llama)]
    read = time.perf_counter()
    for _ in range(int(n_tokens) - 1):
        llama.eval(ids[-1:])
        ids.append(best(llama))
    end = time.perf_counter()
    text = llama.detokenize(ids).decode(errors="replace")
    speed = (len(ids) - 1) / (end - read) if len(ids) > 1 \
        else len(prompt) / (read - start)
    print(json.dumps({"speed": speed, "text": text,
                      "version": llama_cpp.__version__}))


if __name__ == "__main__":
    main()
