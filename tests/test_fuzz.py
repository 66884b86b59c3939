"""The fuzzers: what they found once does no harm, nor do ten seconds more.

`make fuzz` runs them for longer; tests/fuzz/summary.txt says what a long run
tried and reached."""
import pathlib
import subprocess
import sys

import pytest

import make_bad_files
import make_fuzz_seeds

FUZZERS = ["fuzz_gguf", "fuzz_tokenizer"]
FOLDER = pathlib.Path("build/fuzz")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    subprocess.run(["make", "-s", "fuzzers"], check=True)
    folder = tmp_path_factory.mktemp("seeds")
    subprocess.run([sys.executable, "reference/make_fuzz_seeds.py", folder],
                   check=True)
    return folder


def fuzz(fuzzer, *words):
    done = subprocess.run([FOLDER / fuzzer, "-max_len=4096", "-timeout=25",
                           *map(str, words)], capture_output=True, text=True,
                          errors="replace", check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stderr


def number_of_files(*folders):
    """Empty ones are not counted: every fuzzer begins with nothing."""
    return sum(path.stat().st_size > 0 for folder in folders
               for path in folder.iterdir())


@pytest.mark.parametrize("fuzzer", FUZZERS)
def test_what_was_found_once(seeds, fuzzer):
    corpus = pathlib.Path("tests/fuzz/corpus") / fuzzer
    text = fuzz(fuzzer, "-runs=0", corpus, seeds / fuzzer)
    n = number_of_files(corpus, seeds / fuzzer)
    assert f"seed corpus: files: {n} " in text


WHOLE = {"fuzz_gguf": [make_bad_files.small_good_file(),
                       make_fuzz_seeds.split()],
         "fuzz_tokenizer": [
             dict(make_fuzz_seeds.vocabularies())["described"]]}


@pytest.mark.parametrize("fuzzer", FUZZERS)
def test_cut_off_at_every_byte(seeds, fuzzer, tmp_path):
    """In memory of exactly that length: nobody looks behind the end."""
    for i, raw in enumerate(WHOLE[fuzzer]):
        for n in range(1, len(raw) + 1):
            (tmp_path / f"{i}-{n}").write_bytes(raw[:n])
    n = number_of_files(tmp_path)
    assert n == sum(map(len, WHOLE[fuzzer])) > 900
    text = fuzz(fuzzer, "-runs=0", tmp_path)
    assert f"seed corpus: files: {n} " in text


@pytest.mark.parametrize("fuzzer", FUZZERS)
def test_five_seconds(seeds, fuzzer, tmp_path):
    text = fuzz(fuzzer, "-max_total_time=5", "-use_value_profile=1",
                f"-artifact_prefix={tmp_path}/", f"-dict={seeds}/dictionary",
                tmp_path, f"tests/fuzz/corpus/{fuzzer}", seeds / fuzzer)
    n_runs = int(text.rsplit("Done ", 1)[1].split()[0])
    assert n_runs > 1000        # 20,000 and more; this machine may be busy
