"""Our engine and llama-cpp-python side by side on the same file.

    python3 tools/bench.py [--model FILE] [--threads 2] [--rounds 5]

Each engine decodes after a short prompt and takes in a long one, in
alternating rounds, because a machine's speed drifts; the table shows
medians. The peer is optional: pip install llama-cpp-python. The numbers
also go to build/bench.json.

    python3 tools/bench.py --depth 4096 --caches f32 f16 q8_0

decodes after a text of 4096 tokens, with keys and values stored in each of
these types.
"""

import argparse
import hashlib
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "data/models/SmolLM2-135M-Instruct.Q4_1.gguf"
TYPES = {"f32": 0, "f16": 1, "q8_0": 8}     # their numbers in a GGUF file
TEXT = ("The history of computing is older than the machines that we call "
        "computers. People counted with pebbles, with knots and with wheels, "
        "and each of these taught them what the next one should do. ")


class Ours:
    def __init__(self, options, prompt, start, cache=None):
        self.options, self.prompt, self.start = options, prompt, start
        self.cache = cache
        self.name = f"ours, {cache}" if cache else "ours"

    def run(self, prompt, n):
        o = self.options
        command = [str(ROOT / "chapter-08/run"), "-m", str(o.model), "-p",
                   prompt, "-n", str(n), "-c", str(o.context), "-t",
                   str(o.threads), "--temp", "0", "--ignore-eos", "--json"]
        if o.isa:
            command += ["--isa", o.isa]
        if self.cache:
            command += ["-ctk", self.cache]
        out = subprocess.run(command, capture_output=True, text=True)
        if out.returncode != 0:
            sys.exit(out.stderr.strip())
        return json.loads(out.stdout)

    def decode(self):
        result = self.run(self.start, self.options.tokens)
        self.isa = result["isa"]
        return result["decode_tokens_per_second"], result["text"]

    def prefill(self):
        result = self.run(self.prompt, 1)
        return result["prefill_tokens_per_second"], result["text"]


class Peer:
    def __init__(self, options, prompt, start, cache=None):
        import llama_cpp
        self.name = f"llama.cpp, {cache}" if cache else "llama.cpp"
        self.version = llama_cpp.__version__
        self.options, self.prompt, self.start = options, prompt, start
        # It can store values in blocks with its fused attention alone.
        stored = {"type_k": TYPES[cache], "type_v": TYPES[cache],
                  "flash_attn": True} if cache else {}
        self.llama = llama_cpp.Llama(
            str(options.model), n_ctx=options.context, verbose=False,
            n_threads=options.threads, n_threads_batch=options.threads,
            n_batch=512, n_ubatch=512, **stored)

    def tokens(self, text):
        return self.llama.tokenize(text.encode(), add_bos=False,
                                   special=True)

    def best(self):
        """The likeliest next token, without a sampler's overhead."""
        import llama_cpp
        logits = llama_cpp.llama_get_logits_ith(self.llama.ctx, -1)
        import numpy as np
        n = self.llama.n_vocab()
        return int(np.ctypeslib.as_array(logits, shape=(n,)).argmax())

    def decode(self):
        self.llama.reset()
        self.llama.eval(self.tokens(self.start))
        ids = [self.best()]
        start = time.perf_counter()
        for _ in range(self.options.tokens - 1):
            self.llama.eval(ids[-1:])
            ids.append(self.best())
        seconds = time.perf_counter() - start
        text = self.llama.detokenize(ids).decode(errors="replace")
        return (self.options.tokens - 1) / seconds, text

    def prefill(self):
        ids = self.tokens(self.prompt)
        self.llama.reset()
        start = time.perf_counter()
        self.llama.eval(ids)
        best = self.best()
        seconds = time.perf_counter() - start
        return len(ids) / seconds, self.llama.detokenize([best]).decode(
            errors="replace")


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines() \
            if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def long_prompt(options, n):
    """A text of n tokens, found by our own tokenizer."""
    text = TEXT * (n // 40 + 2)
    ids = subprocess.run([str(ROOT / "chapter-04/run"), "-m",
                          str(options.model), "--ids", "-"], input=text,
                         capture_output=True, text=True)
    if ids.returncode != 0:         # roughly: four letters to a token
        return text[:n * 5]
    low, high = 0, len(text)        # the longest beginning that fits
    while low + 1 < high:
        middle = (low + high) // 2
        out = subprocess.run([str(ROOT / "chapter-04/run"), "-m",
                              str(options.model), "--ids", "-"],
                             input=text[:middle], capture_output=True,
                             text=True).stdout
        if len(out.split()) <= n:
            low = middle
        else:
            high = middle
    return text[:low]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=64,
                        help="tokens to decode in a round")
    parser.add_argument("--prompt", type=int, default=512,
                        help="tokens of the long prompt")
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--depth", type=int, default=0,
                        help="tokens of the text before decoding starts")
    parser.add_argument("--caches", nargs="+", default=[None],
                        choices=list(TYPES), help="types of keys and values")
    parser.add_argument("--isa", default=None, help="of our kernels")
    options = parser.parse_args()
    options.context = max(options.context, options.depth + options.tokens)
    return options


def measure(engines, rounds):
    found = {(e.name, what): [] for e in engines
             for what in ("decode", "prefill")}
    text = {}
    for i in range(rounds):
        for engine in engines if i % 2 == 0 else reversed(engines):
            for what in ("decode", "prefill"):
                speed, text[engine.name, what] = getattr(engine, what)()
                found[engine.name, what].append(speed)
            print(f"round {i + 1} of {rounds}: {engine.name}",
                  file=sys.stderr)
    return found, text


def report(engines, found, text, options):
    result = {"machine": processor(), "threads": options.threads,
              "depth": options.depth,
              "model": options.model.name, "isa": engines[0].isa,
              "rounds": options.rounds, "engines": {}}
    print(f"{result['machine']}, {options.threads} threads, "
          f"{result['isa']}, {options.model.name}, median of "
          f"{options.rounds} rounds")
    print(f"{'engine':18} {'what':8} {'tokens/s':>9} {'lowest':>8} "
          f"{'highest':>8}  text")
    for (name, what), speeds in found.items():
        median = statistics.median(speeds)
        digest = hashlib.sha256(text[name, what].encode()).hexdigest()[:12]
        result["engines"].setdefault(name, {})[what] = {
            "median": median, "all": speeds, "text_sha256": digest}
        print(f"{name:18} {what:8} {median:9.1f} {min(speeds):8.1f} "
              f"{max(speeds):8.1f}  {digest}")
    first, *others = (engine.name for engine in engines)
    for other in others:
        result.setdefault("ratio", {})[other] = ratios = {
            what: statistics.median(found[first, what])
            / statistics.median(found[other, what])
            for what in ("decode", "prefill")}
        print(f"{first}, times as fast as {other}: " + ", ".join(
            f"{what} {ratio:.2f}" for what, ratio in ratios.items()))
    path = ROOT / "build/bench.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def main():
    options = arguments()
    if not options.model.exists():
        sys.exit(f"{options.model} is missing: make smollm2 fetches it")
    prompt = long_prompt(options, options.prompt)
    start = (long_prompt(options, options.depth) if options.depth
             else "Once upon a time")
    engines = [Ours(options, prompt, start, cache)
               for cache in options.caches]
    try:
        engines += [Peer(options, prompt, start, cache)
                    for cache in options.caches]
    except ImportError:
        print("llama-cpp-python is not installed (pip install "
              "llama-cpp-python): measuring our engine alone",
              file=sys.stderr)
    found, text = measure(engines, options.rounds)
    report(engines, found, text, options)


main()
