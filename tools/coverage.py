"""Which lines of the reader and the writer has nobody tried?

    make coverage
    make fuzz-coverage

builds them with gcc's counters, lets chapter 3's program refuse every broken
file of reference/make_bad_files.py and open every unusual one, then runs the
C tests, among them the one in which the system refuses. Prints for each
module how many of its lines ran, and each line that did not: there must be
none. For the modules that read, the lines that files alone do not reach are
listed too: what is left there is a system that refuses.

The second counts the lines of every module that the fuzzers run, by the
files that they have found: tests/fuzz/corpus, and what `make fuzz` kept.
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "reference"))
import make_bad_files  # noqa: E402
import make_fuzz_seeds  # noqa: E402

OUT = ROOT / "build/coverage"
MODULES = ["file", "gguf", "gguf_find", "gguf_read", "gguf_split",
           "gguf_write"]
FUZZED = {
    "gguf": MODULES[1:],
    "tokenizer": ["config", "config_gguf", "unicode", "pretokenize",
                  "pretokenize_rules", "bpe", "vocabulary",
                  "vocabulary_load", "tokenizer", "tokenizer_encode"]}
OPENING = ["gguf", "gguf_read", "gguf_split"]
TESTS = ["test_file", "test_gguf", "test_gguf_write", "test_failing_calls"]
# Counters of the modules as they are, and of those that can be refused.
FOLDERS = [OUT / "common", OUT / "failing"]


def run(*words, **more):
    return subprocess.run([str(w) for w in words], check=False, text=True,
                          capture_output=True, errors="replace",
                          **{"cwd": ROOT, **more})


def build(*targets):
    flags = ["CC=gcc", "OPT=-O0", "CFLAGS=--coverage", "LINK=--coverage",
             f"OUT={OUT}"]
    done = run("make", "-s", *flags, *[f"{OUT}/{t}" for t in targets])
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    for folder in FOLDERS:
        for old in folder.glob("*.gcda"):
            old.unlink()


def show(path, *words):
    run(OUT / "chapter-03/run", path.name, *words, cwd=path.parent)


def files():
    folder = OUT / "files"
    make_bad_files.main(folder)
    for path in sorted(folder.glob("*.gguf")):
        show(path)
    for name, parts, _ in make_bad_files.bad_models():
        show(folder / "models" / name / next(iter(parts)))
    for name, parts in make_bad_files.good_models():
        show(folder / "good" / name / next(iter(parts)), "--json")
    for path in sorted(folder.glob("good/*.gguf")):
        for words in ([], ["--metadata"], ["--json"],
                      ["--copy", folder / "copy.gguf"]):
            show(path, *words)
    show(folder)
    show(folder / "missing")


def tests():
    for test in TESTS:
        done = run(OUT / "tests" / test)
        if done.returncode != 0:
            sys.exit(f"{test}: {done.stdout}{done.stderr}")


def lines_of(module):
    """Line number: (times it ran, text), summed over all objects."""
    counts = {}
    for folder in FOLDERS:
        if not (folder / f"{module}.gcda").exists():
            continue
        text = run("gcov", "-t", "-o", folder, folder / f"{module}.gcda",
                   ).stdout
        ours = False
        for line in text.split("\n"):
            count, _, rest = line.partition(":")
            number, _, source = rest.partition(":")
            if number.strip() == "0" and source.startswith("Source:"):
                ours = source.endswith(f"common/{module}.c")
            count = count.strip().rstrip("*")
            if not ours or not number.strip().isdigit() or count == "-" \
                    or number.strip() == "0":
                continue
            n = 0 if count.startswith(("#", "=")) else int(count)
            before = counts.get(int(number), (0, ""))[0]
            counts[int(number)] = (before + n, source.strip())
    return counts


def report(title, modules, listed):
    """How many lines of each ran; the lines that did not."""
    print(title)
    missing = []
    for module, counts in modules.items():
        ran = sum(n > 0 for n, _ in counts.values())
        print(f"  common/{module + '.c':20} {ran:4} of {len(counts):4} lines")
        missing += [f"  common/{module}.c:{i}: {text}"
                    for i, (n, text) in sorted(counts.items())
                    if n == 0 and module in listed]
    if listed:
        print("\n".join(missing) if missing else "  every line ran")
    return missing


def fuzzed():
    build(*[f"replay_{name}" for name in FUZZED])
    make_fuzz_seeds.main(OUT / "seeds")
    for name, modules in FUZZED.items():
        found = [path for folder in (OUT / "seeds", ROOT / "tests/fuzz/corpus",
                                     ROOT / "build/fuzz/corpus")
                 for path in sorted((folder / f"fuzz_{name}").glob("*"))]
        for i in range(0, len(found), 1000):
            done = run(OUT / f"replay_{name}", *found[i:i + 1000])
            if done.returncode != 0:
                sys.exit(done.stderr)
        report(f"fuzz_{name}, {len(found)} files",
               {m: lines_of(m) for m in modules}, [])


def main():
    if sys.argv[1:] == ["fuzz"]:
        fuzzed()
        return
    build("chapter-03/run", *[f"tests/{test}" for test in TESTS])
    files()
    report("with files alone", {m: lines_of(m) for m in MODULES}, OPENING)
    tests()
    missing = report("with the C tests", {m: lines_of(m) for m in MODULES},
                     MODULES)
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
