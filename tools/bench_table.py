"""Results of tools/bench.py as tables of 80 columns.

    python3 tools/bench_table.py RESULT.json            one run
    python3 tools/bench_table.py A.json B.json          what changed
"""

import json
import sys
from pathlib import Path


def share(value):
    """Nobody passes a limit: then it was measured at a slower moment."""
    return "" if value is None else \
        f"{100 * value:.0f} %" + ("!" if value > 1 else "")


def speed(value):
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def short(name):
    return Path(name).name.removesuffix(".gguf")


def ours_first(engines):
    return sorted(engines.items(), key=lambda row: (row[0] != "ours", row[0]))


def runs_of(result):
    """All (model, engine, what, run) of a result."""
    for model, found in sorted(result["models"].items()):
        for engine, runs in ours_first(found["engines"]):
            for what in result["whats"]:
                yield model, engine, what, runs[what]


def head(result):
    rounds = f"medians of {result['rounds']} rounds" + (
        "" if result["peer_rounds"] == result["rounds"]
        else f" ({result['peer_rounds']} of others)")
    return [
        f"{result['machine']}, {result['threads']} threads, "
        f"{result['isa']}",
        f"{result['date']}, commit {result['commit']}, {rounds}, "
        f"cache {result['cache']}"]


def engine_lines(engine, runs, whats):
    """Tokens a second and shares; below them what each text hashes to."""
    lines = [f"  {engine[:20]:21}" + "".join(
        f"{speed(runs[what]['median']):>8}{share(runs[what]['share']):>7}"
        for what in whats)]
    if any(runs[what]["text"] for what in whats):
        lines.append(f"{'    text':23}" + "".join(
            f"{text_of(runs[what]):>8}{'':7}" for what in whats))
    return lines


def text_of(run):
    return "DIFFERS" if run["text"] == "differs" else (run["text"] or "")[:7]


def model_lines(found, whats):
    limit = found["limits"]
    lines = []
    for engine, runs in ours_first(found["engines"]):
        lines += engine_lines(engine, runs, whats)
    for engine, ratios in sorted(found["ratios"].items()):
        lines.append(f"  times {engine[:14]:15}" + "".join(
            f"{ratios[what]:8.2f}{'':7}" for what in whats))
    name = {"q8": "codes", "f32": "floats"}[found["arithmetic"]]
    peak = limit[found["arithmetic"] + "_multiply_adds_per_second"]
    return lines + [
        f"  limits: reads {limit['memory_bytes_per_second'] / 1e9:.1f} GB/s, "
        f"{peak / 1e9:.0f} G multiply-adds/s of {name}",
        f"  start {found['start_ms']:.0f} ms" + (
            f"; memory {found['anonymous_bytes']:,} bytes, planned "
            f"{found['planned_bytes']:,}" if "planned_bytes" in found
            else "")]


def table(result):
    """Tokens a second, and behind them the share of the limit."""
    whats = result["whats"]
    lines = head(result) + ["", f"{'':23}" + "".join(
        f"{what:>8}{'':7}" for what in whats)]
    for model, found in sorted(result["models"].items()):
        lines += [short(model), *model_lines(found, whats)]
    if any((run["share"] or 0) > 1 for *_, run in runs_of(result)):
        lines.append("! more than the limit: the machine was not quiet; "
                     "measure again")
    return "\n".join(line.rstrip() for line in lines)


def complaint(result):
    """What is wrong with a result, or None: our text must not depend on the
    round."""
    wrong = [f"{short(model)} {what}"
             for model, engine, what, run in runs_of(result)
             if engine == "ours" and run["text"] == "differs"]
    return "our text differs between rounds: " + ", ".join(wrong) \
        if wrong else None


def difference(a, b):
    """Two results, number by number, and what clearly changed."""
    lines = [f"A: {a['date']} {a['commit']}   B: {b['date']} {b['commit']}",
             f"{'':22}{'A':>8}{'B':>8}{'B/A':>7}{'A':>8}{'B':>7}"
             " of the limit"]
    for key in ("machine", "isa", "threads", "cache", "rounds", "prompt"):
        if a.get(key) != b.get(key):
            lines.insert(1, f"not the same {key}: {a.get(key)}, {b.get(key)}")
    for model in sorted(a["models"].keys() & b["models"].keys()):
        old, new = (r["models"][model] for r in (a, b))
        lines += [short(model), *around(old, new)]
        for engine, runs in ours_first(old["engines"]):
            other = new["engines"].get(engine, {})
            lines += [changed(f"{engine[:11]} {what}", runs[what],
                              other[what]) for what in runs if what in other]
    return "\n".join(lines)


def around(old, new):
    """Limits, start and memory of a model in two results."""
    rows = [("memory GB/s", [f["limits"]["memory_bytes_per_second"] / 1e9
                             for f in (old, new)]),
            ("start ms", [f["start_ms"] for f in (old, new)]),
            ("anonymous MB", [f.get("anonymous_bytes", 0) / 1e6
                              for f in (old, new)])]
    return [f"  {name:20}{speed(one):>8}{speed(two):>8}"
            for name, (one, two) in rows]


def changed(name, old, new):
    """One speed in two results. It changed if every round of the one was
    faster than every round of the other."""
    mark = "  faster" if min(new["all"]) > max(old["all"]) else \
        "  slower" if max(new["all"]) < min(old["all"]) else ""
    if old["text"] != new["text"]:
        mark += "  other text"
    return (f"  {name:20}{speed(old['median']):>8}{speed(new['median']):>8}"
            f"{new['median'] / old['median']:7.2f}{share(old['share']):>8}"
            f"{share(new['share']):>7}{mark}")


def read(path):
    try:
        return json.loads(Path(path).read_text())
    except OSError as error:
        sys.exit(f"{path}: cannot be read ({error.strerror}); expected a "
                 "result of make bench, as in benchmarks/")
    except ValueError as error:
        sys.exit(f"{path}: found no JSON ({error}); expected a result of "
                 "make bench")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.strip())
    results = [read(path) for path in sys.argv[1:]]
    print(table(*results) if len(results) == 1 else difference(*results))
    sys.exit(next(filter(None, map(complaint, results)), None))


if __name__ == "__main__":
    main()
