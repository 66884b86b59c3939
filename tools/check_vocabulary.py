"""A vocabulary that chapter 04 learns, read by llama.cpp: the same tokens?

    python3 tools/check_vocabulary.py [TEXT...]

Learns from the texts (data/tiny.txt and tests/corpus) with each of some
pre-tokenizers, lets both encode them, and prints a line for each. Exit 1
when one differs. Needs `pip install llama-cpp-python`, which compiles for
minutes and is therefore no part of the tests.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import llama_cpp

ROOT = Path(__file__).resolve().parent.parent
PRE = ["gpt-2", "smollm", "llama-bpe", "qwen2", "falcon", "deepseek-llm",
       "deepseek-coder", "starcoder", "command-r", "stablelm2"]


def run(*options, stdin=b""):
    return subprocess.run([ROOT / "chapter-04/run", *map(str, options)],
                          input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True).stdout


def compare(pre, paths, folder):
    """How many of the texts have the same tokens, and of how many."""
    file = Path(folder) / "words.gguf"
    run("--train", *paths, "--vocab-size", 600, "--pre", pre, "-o", file)
    other = llama_cpp.Llama(str(file), vocab_only=True, verbose=False)
    same = 0
    for path in paths:
        text = path.read_bytes()
        ids = [int(i) for i in
               run("-m", file, "--ids", "-", stdin=text).split()]
        same += ids == other.tokenize(text, add_bos=False, special=True)
    return same, len(paths)


def main():
    paths = [Path(p) for p in sys.argv[1:]] or \
        [ROOT / "data/tiny.txt", *sorted((ROOT / "tests/corpus").iterdir())]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for pre in PRE:
            same, n = compare(pre, paths, folder)
            failed |= same < n
            print(f"{pre:<16} {same} of {n} texts have the same tokens")
    return failed


if __name__ == "__main__":
    sys.exit(main())
