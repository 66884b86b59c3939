"""check_transcripts.py [NN ...]: run what the chapters quote, and compare.

Without chapters, all of them. A transcript is a file expected/*.txt with
lines "$ command"; what follows must be what the command prints now. A file
expected/*.json with a "command" must be the JSON that it prints now. What
may differ from machine to machine is named in expected/masks, a name and a
pattern in each line; the share that is masked is printed.
"""
import difflib
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 78


def commands(path):
    """Pairs of a command and the lines it is said to print."""
    pairs, going_on = [], False
    for line in path.read_text(encoding="utf-8").splitlines():
        if re.match(r"# @(begin|end) ", line):
            continue
        if line.startswith("$ "):
            pairs.append([line[2:], []])
        elif pairs and going_on:
            pairs[-1][0] += "\n" + line
        elif pairs:
            pairs[-1][1].append(line.rstrip())
        going_on = bool(pairs) and not pairs[-1][1] and line.endswith("\\")
    return [(command, trim(lines)) for command, lines in pairs]


def trim(lines):
    while lines and not lines[0]:
        lines = lines[1:]
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def printed(command, errors=subprocess.STDOUT):
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, timeout=120,
                          stdout=subprocess.PIPE, stderr=errors,
                          stdin=subprocess.DEVNULL, check=False)
    return done.stdout.decode("utf-8", "replace")


def read_masks(folder):
    path = folder / "masks"
    lines = path.read_text(encoding="utf-8").splitlines() \
        if path.exists() else []
    return [line.split(None, 1) for line in lines
            if line.strip() and not line.startswith("#")]


class Masked:
    """Replaces what may differ, and counts the characters."""

    def __init__(self, masks):
        self.masks = [(name, re.compile(pattern)) for name, pattern in masks]
        self.hidden = self.all = 0

    def __call__(self, lines, count=False):
        text = "\n".join(lines)
        self.all += len(text) if count else 0
        for name, pattern in self.masks:
            if count:
                self.hidden += sum(len(m.group())
                                   for m in pattern.finditer(text))
            text = pattern.sub(f"<{name}>", text)
        return text.splitlines()


def same(wanted, got):
    """A line wider than the page is folded in the book."""
    if max(map(len, got), default=0) > COLUMNS:
        return " ".join(wanted).split() == " ".join(got).split()
    return wanted == got


def check_transcript(path, mask):
    wrong = []
    for command, expected in commands(path):
        wanted = mask(expected, True)
        # What goes to the terminal alone may stand there or be left out.
        for errors in (subprocess.STDOUT, subprocess.DEVNULL):
            lines = printed(command, errors).splitlines()
            got = mask(trim([line.rstrip() for line in lines]))
            if same(wanted, got):
                break
        else:
            wrong += [f"{path.relative_to(ROOT)}: $ {command}"]
            wrong += ["    " + line for line in difflib.unified_diff(
                wanted, got, "the book", "the program", "", "", 0, "")]
    return wrong


def check_values(path):
    values = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(values, dict) or "command" not in values:
        return []
    command = values.pop("command")
    try:
        now = json.loads(printed(command, subprocess.DEVNULL))
    except ValueError:
        return [f"{path.relative_to(ROOT)}: `{command}` prints no JSON"]
    return [] if now == values else [
        f"{path.relative_to(ROOT)}: `{command}` prints something else now"]


def main():
    chapters = sys.argv[1:] or ["[0-9][0-9]"]
    folders = sorted(path for n in chapters
                     for path in ROOT.glob(f"chapters/{n}-*/expected"))
    wrong = []
    for folder in folders:
        mask = Masked(read_masks(folder))
        for path in sorted(folder.glob("*.txt")):
            wrong += check_transcript(path, mask)
        for path in sorted(folder.glob("*.json")):
            wrong += check_values(path)
        share = 100 * mask.hidden / mask.all if mask.all else 0
        print(f"{folder.parent.name}: transcripts as printed, "
              f"{share:.1f} % of them masked")
    if wrong:
        print("\nThe book and the programs differ:", file=sys.stderr)
        print("\n".join(wrong), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
