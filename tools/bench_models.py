"""The model files that are measured, made when they are not there.

    python3 tools/bench_models.py [NAME...]     make these and print paths

Names are those below, or paths of GGUF files. What is made of SmolLM2 is made
of its Q4_1 file, the one that is fetched, so that its F16 holds rounded
numbers: as fast as others, not as good. TinyLlama's are random (random_model.py).
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data/models"
SMOLLM2 = FOLDER / "SmolLM2-135M-Instruct.Q4_1.gguf"


def convert(kind):
    return lambda path: [str(ROOT / "chapter-07/run"), "convert",
                         str(SMOLLM2), str(path), "--type", kind]


def random(kind):
    return lambda path: [sys.executable, str(ROOT / "tools/random_model.py"),
                         str(path), "--type", kind]


def fetch(_):
    return ["make", "-s", "smollm2"]


MODELS = {
    "smollm2-q4_1": (SMOLLM2.name, fetch),
    "smollm2-q4_0": ("SmolLM2-135M-bench.Q4_0.gguf", convert("q4_0")),
    "smollm2-q8_0": ("SmolLM2-135M-bench.Q8_0.gguf", convert("q8_0")),
    "smollm2-f16": ("SmolLM2-135M-bench.F16.gguf", convert("f16")),
    "tinyllama-q4_0": ("TinyLlama-1.1B-random.Q4_0.gguf", random("q4_0")),
    "tinyllama-q8_0": ("TinyLlama-1.1B-random.Q8_0.gguf", random("q8_0")),
    "tinyllama-q4_k_m": ("TinyLlama-1.1B-random.Q4_K_M.gguf",
                         random("q4_k_m")),
}


def path_of(name):
    """The file of a name, which is made when it is missing."""
    if name not in MODELS:
        path = Path(name)
        if not path.is_file():
            sys.exit(f"{name}: no such file, and none of "
                     + ", ".join(MODELS))
        return path
    file, make = MODELS[name]
    path = FOLDER / file
    if not path.exists():
        print(f"making {file}", file=sys.stderr)
        FOLDER.mkdir(exist_ok=True)
        command = make(path)
        if subprocess.run(command, cwd=ROOT, stdout=sys.stderr,
                          check=False).returncode:
            sys.exit(f"{file} could not be made: {' '.join(command)}")
    return path


if __name__ == "__main__":
    for model in sys.argv[1:] or MODELS:
        print(path_of(model))
