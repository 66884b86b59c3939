"""Our vectors and those of llama.cpp, of the same file and texts.

    .venv/bin/python -m pip install llama-cpp-python
    python3 tools/compare_embeddings.py [MODEL.gguf]

Exit status 1 when a cosine is below the limit. Where weights are quantized,
theirs are computed with activations of 8 bits. With the same here a cosine is
1 - 1e-3 at least: both round, and not alike. With float activations here,
1 - 1e-2: the vector of a single token feels what they round.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
try:
    import llama_cpp
except ImportError:
    sys.exit("This compares with llama.cpp, please: "
             f"{sys.executable} -m pip install llama-cpp-python")

LIMITS = {"q8": 1 - 1e-3, "f32": 1 - 1e-2}
TEXTS = ["The capital of France is Paris.", "A cat sat on the mat.", "x",
         "In the year 1848 the people of Europe rose against their kings.",
         "def fibonacci(n): return n if n < 2 else fibonacci(n - 1)",
         "Ein Satz auf Deutsch, mit \u00fc und \u00df.",
         "words and words and " * 40]
POOLINGS = {"mean": llama_cpp.LLAMA_POOLING_TYPE_MEAN,
            "last": llama_cpp.LLAMA_POOLING_TYPE_LAST}


def ours(model, name, *options):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(TEXTS))
        file.flush()
        text = subprocess.run(
            ["./chapter-08/run", "-m", model, "--embed", "--pooling", name,
             "-f", file.name, *options], cwd=ROOT, check=True, text=True,
            capture_output=True).stdout
    return np.array([[float(x) for x in line.split()]
                     for line in text.splitlines()])


def theirs(model, name):
    peer = llama_cpp.Llama(str(model), embedding=True, n_ctx=512,
                           n_batch=512, n_ubatch=512, verbose=False,
                           pooling_type=POOLINGS[name])
    x = np.array([peer.embed(text) for text in TEXTS])
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def main():
    model = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "data/models"
                 / "SmolLM2-135M-Instruct.Q4_1.gguf").resolve()
    good = True
    for name in POOLINGS:
        peer = theirs(model, name)
        for kind, limit in LIMITS.items():
            mine = ours(model, name, "--activations", kind)
            least = (mine * peer).sum(axis=1).min()
            good = good and least > limit
            print(f"{name} {kind}: cosines of {len(TEXTS)} texts, smallest "
                  f"{least:.6f}, limit {limit}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
