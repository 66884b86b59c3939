"""The errors of ggml's encoders, which llama-cpp-python brings along, beside
ours; with --write they become tests/ggml_errors.json, which the tests read.

    .venv/bin/python -m pip install llama-cpp-python
    python3 tools/compare_encoders.py [--write]

Exit status 1 when one of ours is above 1.02 times theirs.
"""

import argparse
import ctypes
import json
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
from gguf import quants

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import encoder_data                                             # noqa: E402
import test_encoders                                            # noqa: E402
try:
    import llama_cpp
except ImportError:
    sys.exit("This compares with llama.cpp, please: "
             f"{sys.executable} -m pip install llama-cpp-python")

MODEL = ROOT / "data/models/SmolLM2-135M-Instruct.Q4_1.gguf"


def library():
    folder = Path(llama_cpp.__file__).parent / "lib"
    for name in ("libggml-base.so", "libggml-base.dylib"):
        if (folder / name).exists():
            found = ctypes.CDLL(str(folder / name))
            found.ggml_quantize_chunk.restype = ctypes.c_size_t
            found.ggml_quantize_chunk.argtypes = [
                ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
                ctypes.c_int64, ctypes.c_int64, ctypes.c_int64,
                ctypes.c_void_p]
            return found
    sys.exit(f"{folder}: no libggml-base, which has the encoders")


def theirs(ggml, values, name, weights=None):
    kind = gguf.GGMLQuantizationType[name]
    block, size = gguf.GGML_QUANT_SIZES[kind]
    rows, columns = values.shape
    stored = np.zeros((rows, columns // block * size), dtype=np.uint8)
    ggml.ggml_quantize_chunk(int(kind), values.ctypes.data,
                             stored.ctypes.data, 0, rows, columns,
                             None if weights is None else weights.ctypes.data)
    return quants.dequantize(stored, kind)


def measure(ggml, matrices):
    found = {}
    for data, values in matrices.items():
        weights = encoder_data.importance(values.shape[1])
        for name in encoder_data.SEARCHED:
            found.setdefault(name, {})[data] = [
                encoder_data.error(values, theirs(ggml, values, name)),
                encoder_data.error(values, theirs(ggml, values, name,
                                                  weights), weights)]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    matrices = encoder_data.matrices(MODEL)
    found = measure(library(), matrices)
    if options.write:
        text = {"llama-cpp-python": llama_cpp.__version__, "errors": found}
        (ROOT / "tests/ggml_errors.json").write_text(
            json.dumps(text, indent=1) + "\n")
    worst = 0
    print(f"error / ggml's, without and with importance; llama-cpp-python "
          f"{llama_cpp.__version__}")
    print(f"{'':5}" + "".join(f"{data[:14]:>16}" for data in matrices))
    for name in encoder_data.SEARCHED:
        with tempfile.TemporaryDirectory() as folder:
            ratios = test_encoders.ratios(Path(folder), name, matrices,
                                          found[name])
        print(f"{name:5}" + "".join(f"{a:8.3f}{b:8.3f}" for a, b in ratios))
        worst = max(worst, *(b for _, b in ratios),
                    *(a for a, _ in ratios if name.endswith("K")))
    return int(worst > 1.02)


if __name__ == "__main__":
    sys.exit(main())
