"""Numbers that the text of chapter 6 names: sizes of SmolLM2's cache, and
the work of the small layer that `chapter-06/run --cost` times."""

import json
from pathlib import Path

import gguf

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "chapters/06-attention/expected/values.json"


def products(n_new, n_pairs):
    """Multiplications in the small layer: 4 query heads and 2 key-value heads
    of 16 numbers, 64 channels."""
    return n_new * (4 + 2 * 2) * 16 * 64 + n_pairs * 2 * 4 * 16


def main():
    reader = gguf.GGUFReader(ROOT / "data/trace.gguf")

    def key(name):
        return reader.get_field(f"llama.{name}").contents()

    row = 2 * 2 * key("attention.key_length")       # key and value, F16
    token = row * key("attention.head_count_kv") * key("block_count")
    values = {
        "cache": {
            "layer": row * key("attention.head_count_kv"),
            "token": token,
            "context": key("context_length"),
            "bytes": token * key("context_length"),
            "mib": token * key("context_length") // 2 ** 20,
        },
        "cost": {str(n): {"naive": products(n, n * (n + 1) // 2),
                          "cached": products(1, n),
                          "ratio": products(n, n * (n + 1) // 2)
                          / products(1, n)} for n in (16, 512)},
    }
    OUT.write_text(json.dumps(values, indent=2) + "\n")


main()
