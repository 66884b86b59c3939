"""Our tokenizer and the `tokenizers` package side by side: the same text, the
same vocabulary, one thread, alternating rounds, medians of processor time.

    python3 tools/bench_tokenizer.py [--model FILE] [--text FILE] [--rounds 7]

Without --text it is the English of Python's own manual. The ids are compared
too. The numbers also go to build/bench-tokenizer.json.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import words                                                    # noqa: E402


def peer(path):
    """The same vocabulary in the package; smollm and gpt-2 only."""
    from gguf import GGUFReader
    from tokenizers import Tokenizer, __version__, models, pre_tokenizers
    fields = GGUFReader(path).fields
    read = lambda key: fields["tokenizer.ggml." + key].contents()
    tokens = read("tokens")
    tokenizer = Tokenizer(models.BPE(
        vocab={text: i for i, text in enumerate(tokens)},
        merges=[tuple(line.split(" ", 1)) for line in read("merges")]))
    steps = [pre_tokenizers.ByteLevel(add_prefix_space=False)]
    pre = read("pre") if "tokenizer.ggml.pre" in fields else "gpt-2"
    if pre == "smollm":
        steps.insert(0, pre_tokenizers.Digits(individual_digits=True))
    elif pre != "gpt-2":
        sys.exit(f"{path}: the pre-tokenizer is \"{pre}\", expected smollm "
                 "or gpt-2")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    return tokenizer, __version__


def manual():
    """A megabyte of English, most of it met once."""
    from pydoc_data import topics
    text = "\n".join(topics.topics[key] for key in sorted(topics.topics))
    while len(text) < 1 << 20:
        text += text
    return text[:1 << 20]


def seconds(work):
    """Of the processor, so that a busy machine does not count."""
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result


def rates(rounds, n_bytes):
    return {"median_mb_per_second":
            round(n_bytes / statistics.median(rounds) / 1e6, 2),
            "best_mb_per_second": round(n_bytes / min(rounds) / 1e6, 2)}


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--model", type=Path, default=ROOT / "data/models"
                         / "SmolLM2-135M-Instruct.Q4_1.gguf")
    options.add_argument("--text", type=Path)
    options.add_argument("--rounds", type=int, default=7)
    o = options.parse_args()
    text = o.text.read_text(encoding="utf-8") if o.text else manual()
    data = text.encode()
    with tempfile.TemporaryDirectory() as folder:
        lib = words.library(Path(folder))
    load, ours = seconds(lambda: words.Words(lib, o.model))
    theirs, version = peer(o.model)
    # Into a list that is there already, as a C program would do it.
    mine, others, loads = [], [], [load]
    for _ in range(o.rounds):
        spent, ids = seconds(lambda: ours.encode_only(data))
        mine.append(spent)
        spent, encoding = seconds(
            lambda: theirs.encode(text, add_special_tokens=False))
        others.append(spent)
        loads.append(seconds(lambda: words.Words(lib, o.model))[0])
    same = ours.encode(data, 0) == encoding.ids
    result = {"model": o.model.name, "text_bytes": len(data),
              "tokens": len(encoding.ids), "same_ids": same,
              "rounds": o.rounds, "machine": platform.machine(),
              "load_milliseconds": round(statistics.median(loads) * 1e3, 1),
              "ours": rates(mine, len(data)),
              "tokenizers": {"version": version, **rates(others, len(data))}}
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/bench-tokenizer.json").write_text(
        json.dumps(result, indent=1) + "\n")
    print(f"{len(data)} bytes, {len(encoding.ids)} tokens of {o.model.name},"
          f" medians of {o.rounds} rounds, one thread")
    for name in ("ours", "tokenizers"):
        print(f"{name:12}{result[name]['median_mb_per_second']:8.1f} MB/s"
              f"   best {result[name]['best_mb_per_second']:.1f}")
    print(f"load        {result['load_milliseconds']:8.1f} ms")
    print("the ids are the same" if same else "the ids DIFFER")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
