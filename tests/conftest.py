"""What several Python tests share: the programs, the reference, the model."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

import words

# The same random inputs in each run, so that a change alone makes a test
# fail. HYPOTHESIS_PROFILE=search draws new ones: whoever has time looks for
# more, and adds what is found as an @example.
settings.register_profile("same", derandomize=True)
settings.register_profile("search")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# Started in the background of a script, or under nohup, we ignore these and
# so would every program that a test starts and stops.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "reference"))


@pytest.fixture(scope="session")
def pandoc():
    """Pandoc from the book's own environment, installed when it is not."""
    program = ROOT / ".venv-book" / "bin" / "pandoc"
    if not program.exists():
        subprocess.run(["make", "book-tools"], cwd=ROOT, check=True)
    return program


@pytest.fixture(scope="session")
def llama_program():
    subprocess.run(["make", "-s", "chapter-08"], cwd=ROOT, check=True)
    return ROOT / "chapter-08/run"


@pytest.fixture(scope="session")
def calculator():
    subprocess.run(["make", "-s", "chapter-02"], cwd=ROOT, check=True)


@pytest.fixture(scope="session")
def smollm2():
    """The real model. Without it these tests fail: they have not been run."""
    done = subprocess.run(["make", "-s", "smollm2"], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return ROOT / "data/models/SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """The tokenizer of common/, for ctypes: see words.py."""
    return words.library(tmp_path_factory.mktemp("library"))
