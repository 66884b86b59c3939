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
from importlib.metadata import version
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import words                                                    # noqa: E402


def byte_level(read, pre):
    from tokenizers import Tokenizer, models, pre_tokenizers
    tokenizer = Tokenizer(models.BPE(
        vocab={text: i for i, text in enumerate(read("tokens"))},
        merges=[tuple(line.split(" ", 1)) for line in read("merges")]))
    steps = [pre_tokenizers.ByteLevel(add_prefix_space=False)]
    if pre == "smollm":
        steps.insert(0, pre_tokenizers.Digits(individual_digits=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    return tokenizer


def scored(read):
    """Any two tokens that make a third are joined, best score first."""
    from tokenizers import Tokenizer, models, normalizers
    tokens, scores = read("tokens"), read("scores")
    ids = {text: i for i, text in enumerate(tokens)}
    merges = [(text[:i], text[i:])
              for text in sorted(tokens, key=lambda t: -scores[ids[t]])
              if read("token_type")[ids[text]] == 1
              for i in range(1, len(text))
              if text[:i] in ids and text[i:] in ids]
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=merges, fuse_unk=True,
                                     unk_token=tokens[0], byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    return tokenizer


def peer(path):
    """The same vocabulary in the package; None for rules that it has no
    ready-made parts for."""
    from gguf import GGUFReader
    fields, lists = GGUFReader(path).fields, {}

    def read(key):
        if key not in lists:
            lists[key] = fields["tokenizer.ggml." + key].contents()
        return lists[key]

    pre = read("pre") if "tokenizer.ggml.pre" in fields else "gpt-2"
    if read("model") == "llama":
        return scored(read)
    return byte_level(read, pre) if pre in ("smollm", "gpt-2") else None


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
    theirs = peer(o.model)
    # Into a list that is there already, as a C program would do it.
    mine, others, loads = [], [], [load]
    for _ in range(o.rounds):
        spent, ids = seconds(lambda: ours.encode_only(data))
        mine.append(spent)
        loads.append(seconds(lambda: words.Words(lib, o.model))[0])
        if theirs is not None:
            spent, encoding = seconds(
                lambda: theirs.encode(text, add_special_tokens=False))
            others.append(spent)
    ids = ours.encode(data, 0)
    result = {"model": o.model.name, "text_bytes": len(data),
              "tokens": len(ids), "rounds": o.rounds,
              "machine": platform.machine(),
              "load_milliseconds": round(statistics.median(loads) * 1e3, 1),
              "ours": rates(mine, len(data))}
    if theirs is not None:
        result["tokenizers"] = {"version": version("tokenizers"),
                                **rates(others, len(data))}
        result["same_ids"] = ids == encoding.ids
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/bench-tokenizer.json").write_text(
        json.dumps(result, indent=1) + "\n")
    return report(result)


def report(result):
    print(f"{result['text_bytes']} bytes, {result['tokens']} tokens of "
          f"{result['model']}, medians of {result['rounds']} rounds, one "
          "thread")
    for name in ("ours", "tokenizers"):
        if name in result:
            print(f"{name:12}{result[name]['median_mb_per_second']:8.1f} MB/s"
                  f"   best {result[name]['best_mb_per_second']:.1f}")
    print(f"load        {result['load_milliseconds']:8.1f} ms")
    same = result.get("same_ids")
    print("no such rule ready-made in the package" if same is None
          else "the ids are the same" if same else "the ids DIFFER")
    return 1 if same is False else 0


if __name__ == "__main__":
    sys.exit(main())
