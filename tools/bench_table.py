"""Results of tools/bench.py as tables of 80 columns.

    python3 tools/bench_table.py RESULT.json            one run
    python3 tools/bench_table.py A.json B.json          what changed
"""

import json
import sys
from pathlib import Path

CLEAR = 0.05        # a change of which one speaks


def share(value):
    return "" if value is None else f"{100 * value:.0f} %"


def speed(value):
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def short(name):
    return Path(name).name.removesuffix(".gguf")


def head(result):
    limit = result["limits"]
    return [
        f"{result['machine']}, {result['threads']} threads, "
        f"{result['isa']}",
        f"{result['date']}, commit {result['commit']}, medians of "
        f"{result['rounds']} rounds, cache {result['cache']}",
        f"limits: reads {limit['memory_bytes_per_second'] / 1e9:.1f} GB/s; "
        f"{limit['q8_multiply_adds_per_second'] / 1e9:.0f} G multiply-adds/s"
        f" of codes, {limit['f32_multiply_adds_per_second'] / 1e9:.0f} G of"
        " floats"]


def table(result):
    """Tokens a second, and behind them the share of the limit."""
    whats = result["whats"]
    lines = head(result) + ["", f"{'':23}" + "".join(
        f"{what:>9}{'':6}" for what in whats) + "  text"]
    for model, found in sorted(result["models"].items()):
        lines.append(short(model))
        for engine, runs in sorted(found["engines"].items(),
                                   key=lambda row: (row[0] != "ours", row[0])):
            lines.append(f"  {engine[:20]:21}" + "".join(
                f"{speed(runs[what]['median']):>9}"
                f"{share(runs[what]['share']):>6}" for what in whats)
                + "  " + (runs[whats[0]]["text"] or "")[:7])
        for engine, ratios in sorted(found["ratios"].items()):
            lines.append(f"  times {engine[:14]:15}" + "".join(
                f"{ratios[what]:9.2f}{'':6}" for what in whats))
        lines.append("  start " + f"{found['start_ms']:.0f} ms" + (
            f"; memory {found['anonymous_bytes']:,} bytes, planned "
            f"{found['planned_bytes']:,}" if "planned_bytes" in found
            else ""))
    return "\n".join(line.rstrip() for line in lines)


def difference(a, b):
    """Our speeds in two results, and whose changed."""
    lines = [f"A: {a['date']} {a['commit']}   B: {b['date']} {b['commit']}",
             f"{'':34} {'A':>9} {'B':>9} {'B/A':>6}"]
    for key in ("machine", "isa", "threads", "cache"):
        if a[key] != b[key]:
            lines.insert(1, f"not the same {key}: {a[key]}, {b[key]}")
    for model in sorted(a["models"].keys() & b["models"].keys()):
        old, new = (r["models"][model]["engines"] for r in (a, b))
        for engine in sorted(old.keys() & new.keys()):
            for what in sorted(old[engine].keys() & new[engine].keys()):
                lines.append(changed(f"{short(model)[:14]} {engine[:9]} "
                                     f"{what}", old[engine][what],
                                     new[engine][what]))
    return "\n".join(lines)


def changed(name, old, new):
    ratio = new["median"] / old["median"]
    mark = "" if abs(ratio - 1) < CLEAR else \
        "  faster" if ratio > 1 else "  slower"
    if old["text"] != new["text"]:
        mark += "  another text"
    return (f"{name:34} {speed(old['median']):>9} {speed(new['median']):>9}"
            f" {ratio:6.2f}{mark}")


def main():
    results = [json.loads(Path(path).read_text()) for path in sys.argv[1:]]
    if len(results) not in (1, 2):
        sys.exit(__doc__.strip())
    print(table(*results) if len(results) == 1 else difference(*results))


if __name__ == "__main__":
    main()
