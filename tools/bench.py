"""Engines side by side on the same files: decoding, a long prompt, decoding
behind one; what share of the machine's limits each reaches.

    python3 tools/bench.py [--models NAME...] [--rounds 5] [--threads 2]

Engines take turns, and every other round in reverse, because a machine's
speed drifts; the limits are measured in each round, too. Medians go to a
table and, with everything, to benchmarks/DATE-COMMIT.json, which keeps the
models of earlier runs of that day and commit; two such files are compared by
bench_table.py. `make bench` calls this.
"""

import argparse
import datetime
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import gguf

import bench_engines
import bench_models
import bench_table

ROOT = Path(__file__).resolve().parent.parent
TEXT = ("The history of computing is older than the machines that we call "
        "computers. People counted with pebbles, with knots and with wheels, "
        "and each of these taught them what the next one should do. ")
FLOATS = ("F16", "F32", "BF16")     # types that are multiplied as floats
LEAST_TOKENS = 4        # half of them, behind a long prompt, are a decoding
# What a result depends on: with a change in it, a commit says too little.
MEASURED = ("common", "tools", "Makefile", "chapters/08-llama/*.[ch]",
            "chapters/13-speed/*.[ch]")
# What must be the same for two runs to stand in one file.
ALIKE = ("commit", "machine", "threads", "isa", "cache", "context", "whats",
         "rounds", "peer_rounds", "prompt", "tokens")
DIGITS = 5                          # kept of a measured number


@dataclass
class Job:
    """What is measured: a prompt, and how many tokens behind it."""
    what: str
    file: Path
    n_prompt: int
    n_tokens: int
    is_deep: bool = False
    is_prefill: bool = False    # the prompt is measured, with one token


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+",
                        default=list(bench_models.MODELS),
                        help="names of bench_models.py, or GGUF files")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-rounds", type=int, default=None,
                        help="of these, how many the others take part in")
    parser.add_argument("--tokens", type=int, default=64,
                        help="decoded in a round")
    parser.add_argument("--prompt", type=int, default=512,
                        help="tokens of the long prompt")
    parser.add_argument("--depths", type=int, nargs="*", default=[1024],
                        help="tokens before others are decoded")
    parser.add_argument("--cache", default="f16",
                        choices=["f32", "f16", "q8_0"])
    parser.add_argument("--isa", default=None, help="of our kernels")
    parser.add_argument("--peer-python", default=None,
                        help="a Python that has llama-cpp-python")
    parser.add_argument("--peer", nargs="*", default=[],
                        help="programs with the options of llama-bench")
    parser.add_argument("--wrap", default="",
                        help="put before each command that is measured")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    if options.peer_rounds is None:
        options.peer_rounds = options.rounds
    if options.tokens < LEAST_TOKENS or options.prompt < 1 \
            or not 1 <= options.peer_rounds <= options.rounds:
        parser.error(f"expected --tokens {LEAST_TOKENS} or more, --prompt "
                     "1 or more, --rounds 1 or more and --peer-rounds up to "
                     "--rounds")
    options.context = max([options.prompt, *options.depths]) \
        + options.tokens + 16
    return options


def long_text(model, n):
    """A beginning of our text of n tokens, or one or two more or less: it
    says the same again and again, so that its length tells."""
    text = TEXT * (n // 40 + 2)
    ids = subprocess.run(
        [ROOT / "chapter-04/run", "-m", model, "--ids", "-"], cwd=ROOT,
        input=text, capture_output=True, text=True, check=True)
    return text[:len(text) * n // len(ids.stdout.split())]


def jobs_of(model, options, folder):
    def job(what, n_prompt, n_tokens, **more):
        file = folder / f"{model.stem}-{n_prompt}.txt"
        if not file.exists():
            file.write_text(long_text(model, n_prompt))
        return Job(what, file, n_prompt, n_tokens, **more)

    return [job("tg", 4, options.tokens),
            job("pp", options.prompt, 1, is_prefill=True)] + [
        job(f"tg@{depth}", depth, options.tokens // 2, is_deep=True)
        for depth in options.depths]


def measure(model, engines, jobs, options):
    """Every run: {engine: {what: [results]}}, the limits, the starts."""
    runs = {e.name: {job.what: [] for job in jobs} for e in engines}
    limits, starts = [], []
    for i in range(options.rounds):
        limits.append(bench_engines.limits(options))
        turn = engines if i < options.peer_rounds else engines[:1]
        for engine in turn if i % 2 == 0 else reversed(turn):
            for job in jobs:
                runs[engine.name][job.what].append(engine.run(model, job))
            print(f"{model.name}: round {i + 1} of {options.rounds}, "
                  f"{engine.name}", file=sys.stderr)
        starts.append(engines[0].start(
            model, Job("start", jobs[0].file, 4, 1)))
    return runs, limits, starts


def rounded(value):
    return float(f"{value:.{DIGITS}g}")


def middle(limits):
    """Medians of what the probes said."""
    return {key: rounded(statistics.median(l[key] for l in limits))
            for key in limits[0] if key.endswith("per_second")}


def kind_of(model):
    """Which arithmetic a model's products are: the engine multiplies floats
    as they are, and codes where weights are stored in blocks."""
    for tensor in gguf.GGUFReader(model).tensors:
        if tensor.name == "blk.0.attn_q.weight":
            return "f32" if tensor.tensor_type.name in FLOATS else "q8"
    sys.exit(f"{model}: found no tensor blk.0.attn_q.weight, expected a "
             "Llama model")


def share_of(what, speed, cost, limits, kind):
    """Of the memory's speed when decoding, of the arithmetic otherwise."""
    if what != "pp":
        return rounded(speed * cost["bytes"]
                       / limits["memory_bytes_per_second"])
    return rounded(speed * cost["multiply_adds"]
                   / limits[f"{kind}_multiply_adds_per_second"])


def summary(model, runs, limits, starts):
    limit, kind = middle(limits), kind_of(model)
    found = {"limits": limit, "arithmetic": kind, "engines": {}, "ratios": {},
             "start_ms": rounded(1e3 * statistics.median(starts)),
             "bytes": model.stat().st_size}
    for engine, whats in runs.items():
        found["engines"][engine] = rows = {}
        for what, results in whats.items():
            speeds = [r["speed"] for r in results]
            texts = {r["text"] for r in results}
            median = statistics.median(speeds)
            rows[what] = {
                "median": rounded(median),
                "all": [rounded(s) for s in speeds],
                "text": texts.pop() if len(texts) == 1 else "differs",
                "share": share_of(what, median, runs["ours"][what][0],
                                  limit, kind)}
    ours = found["engines"]["ours"]
    found["ratios"] = {
        engine: {what: rounded(ours[what]["median"] / rows[what]["median"])
                 for what in rows}
        for engine, rows in found["engines"].items() if engine != "ours"}
    return found


def processor():
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def commit():
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, check=False,
                              capture_output=True, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--", *MEASURED)
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") \
        + ("+" if changed else "")


def counter(folder):
    """What counts a program's memory, where that can be done: Linux."""
    library = folder / "count.so"
    done = subprocess.run(
        ["cc", "-O1", "-shared", "-fPIC", "-o", library,
         ROOT / "tests/memory/count.c", "-ldl", "-lpthread"], check=False,
        capture_output=True) if sys.platform == "linux" else None
    return library if done and done.returncode == 0 else None


def one_model(model, engines, options, folder):
    jobs = jobs_of(model, options, folder)
    runs, limits, starts = measure(model, engines, jobs, options)
    found = summary(model, runs, limits, starts)
    library = counter(folder)
    if library:
        found["anonymous_bytes"], found["planned_bytes"] = \
            engines[0].memory(model, jobs[0], library)
    return found, limits


def kept(out, result):
    """Models that an earlier run put into the same file, measured alike."""
    if not out.exists():
        return {}
    old = json.loads(out.read_text())
    same = all(key in old and old[key] == result[key] for key in ALIKE)
    return old["models"] if same else {}


def main():
    options = arguments()
    engines = bench_engines.engines(options)
    paths = [bench_models.path_of(name) for name in options.models]
    if len({path.name for path in paths}) < len(paths):
        sys.exit("--models: found one file name twice, expected different "
                 "ones, by which results are stored; copy or link one")
    result = {"date": datetime.date.today().isoformat(), "commit": commit(),
              "machine": processor(), "threads": options.threads,
              "rounds": options.rounds, "peer_rounds": options.peer_rounds,
              "prompt": options.prompt, "tokens": options.tokens,
              "cache": options.cache,
              "context": options.context, "models": {},
              "whats": ["tg", "pp", *(f"tg@{d}" for d in options.depths)]}
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            result["models"][path.name], limits = one_model(
                path.resolve(), engines, options, Path(folder))
    result["isa"] = limits[0]["isa"]
    result["versions"] = {e.name: e.version for e in engines
                          if hasattr(e, "version")}
    out = options.out or (ROOT / "benchmarks" /
                          f"{result['date']}-{result['commit']}.json")
    out.parent.mkdir(exist_ok=True)
    result["models"] = kept(out, result) | result["models"]
    out.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    print(bench_table.table(result))
    print(f"stored in {out}", file=sys.stderr)
    sys.exit(bench_table.complaint(result))


if __name__ == "__main__":
    main()
