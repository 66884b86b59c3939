"""The numbers that chapter 4 names, and the transcripts it prints, from its
program and from the table it links.

    python3 reference/04_values.py [--output FOLDER]

`make reference` builds the program and runs this.
"""

import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = Path("chapters/04-tokenizer")
SIZES = [257, 300, 400, 512, 1000]
COMMANDS = {
    "run": [""],
    "the_the": ['--ids "the the"'],
    "steps": ['--steps "the the"'],
    "train": [f"--train {CHAPTER}/hens.txt --vocab-size 263"],
    "pieces": ["--pieces \"DON'T pay 12345 (a+b)  twice\""],
    "llama": ['"na\u00efve \U0001f999"'],
    "counts": ["--train data/tiny.txt --vocab-size 266"],
}


def printed(*options):
    return subprocess.run(["./chapter-04/run", *map(str, options)], cwd=ROOT,
                          check=True, capture_output=True, text=True).stdout


def transcript(commands):
    text = ""
    for command in commands:
        line = f"./chapter-04/run {command}".strip()
        text += f"$ {line}\n" + printed(*shlex.split(line)[1:])
    return text


def learnt(size, folder):
    """What a vocabulary of so many tokens does to the text it is from."""
    path = Path(folder) / "words.gguf"
    printed("--train", "data/tiny.txt", "--vocab-size", size,
            "--min-frequency", 1, "-o", path)
    return {"size": size} | json.loads(printed(
        "-m", path, "--stats", "--json", "data/tiny.txt"))[0]


def values():
    table = (ROOT / "common/unicode_data.c").read_text()
    ranges = re.search(r"unicode_ranges\[\] = \{(.*?)\};", table, re.DOTALL)
    n = len(re.findall(r"0x[0-9a-f]+|\b\d+\b", ranges.group(1)))
    tiny = json.loads(printed("--stats", "--json", "data/tiny.txt"))[0]
    merges = json.loads(printed("--train", CHAPTER / "hens.txt",
                                "--vocab-size", 999, "--json"))["merges"]
    with tempfile.TemporaryDirectory() as folder:
        sizes = {f"n{size}": learnt(size, folder) for size in SIZES}
    words = re.search(r"vocabulary of (\d+) tokens", printed()).group(1)
    return {"bytes": 256, "vocabulary": int(words),
            "code_points": 0x110000, "ranges": n,
            "steps": (n - 1).bit_length(), "tiny": tiny,
            "three": {"n_merges": len(merges),
                      "n_tokens": 257 + len(merges)}, "learnt": sizes}


def main():
    folder = ROOT / CHAPTER / "expected"
    if sys.argv[1:2] == ["--output"]:
        folder = Path(sys.argv[2])
    (folder / "values.json").write_text(json.dumps(values(), indent=1) + "\n")
    for name, commands in COMMANDS.items():
        text = transcript(commands)
        if name == "run":
            # The page shows the sentence, the first tokens, and the end.
            lines = text.split("\n")
            end = next(i for i, l in enumerate(lines) if "Put back" in l)
            lines[13:13] = ["# @end start"]
            lines[1:1] = ["# @begin start"]
            lines[end + 2:end + 2] = ["# @begin back"]
            lines[-1:] = ["# @end back", ""]
            text = "\n".join(lines)
        (folder / f"{name}.txt").write_text(text)


if __name__ == "__main__":
    main()
