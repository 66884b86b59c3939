"""Runs chapter 8's program, and changes model files, for the tests."""

import subprocess
from pathlib import Path

import gguf
import numpy as np

ROOT = Path(__file__).resolve().parent.parent


def run(*options, code=0, **more):
    """What ./chapter-08/run prints, or for another code what it says."""
    done = subprocess.run(["./chapter-08/run", *map(str, options)], cwd=ROOT,
                          capture_output=True, timeout=120, check=False,
                          **more)
    assert done.returncode == code, (done.returncode, done.stderr)
    text = done.stdout if code == 0 else done.stderr
    return text.decode("utf-8", errors="strict")


def trace(path, *options):
    """Ids and every named step of one pass over a prompt."""
    run(*options, "--trace", path)
    reader = gguf.GGUFReader(path)
    ids = reader.get_field("trace.ids").contents()
    return ids, {t.name: np.asarray(t.data) for t in reader.tensors}


def difference(got, want):
    """Largest difference, relative to the largest value."""
    return float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-30))


def rewrite(source, path, keys=None, tensors=None, drop=()):
    """A copy of a model with other keys (None takes one away) and other
    tensors (numpy arrays, stored as F32; or bytes with a type)."""
    reader = gguf.GGUFReader(source)
    keys, tensors = dict(keys or {}), dict(tensors or {})
    arch = keys.pop("general.architecture", "llama")
    writer = gguf.GGUFWriter(path, arch)
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") \
                or field.name == "general.architecture":
            continue
        value = keys.pop(field.name, field.contents())
        if value is not None:
            sub = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(field.name, value, field.types[0], sub)
    for name, value in keys.items():
        if value is not None:
            writer.add_uint32(name, value)
    for tensor in reader.tensors:
        if tensor.name in drop:
            continue
        if tensor.name in tensors:
            writer.add_tensor(tensor.name, tensors.pop(tensor.name))
        else:
            writer.add_tensor(tensor.name, tensor.data,
                              raw_dtype=tensor.tensor_type)
    for name, values in tensors.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
