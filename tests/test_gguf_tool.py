"""What chapter 3's program says of files, against packages of others."""
import hashlib
import json
import os
import signal
import struct
import subprocess
import time

import gguf
import numpy as np
import pytest

import make_bad_files as raw

RUN = "./chapter-03/run"
TINY = "data/tiny.gguf"
KINDS = gguf.GGMLQuantizationType
SIZES = {**gguf.GGML_QUANT_SIZES, KINDS.Q8_1: (32, 36)}  # see chapter 1's
DECODED = ["F32", "F16", "BF16", "F64", "I8", "I16", "I32", "I64", "Q8_0",
           "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
           "Q6_K"]
PACKED = [k for k in SIZES if SIZES[k][0] > 1]


def run(*words, code=0):
    result = subprocess.run([RUN, *map(str, words)], capture_output=True)
    assert result.returncode == code, result
    return result.stdout if code == 0 else result


def told(*words, code=0):
    out = run(*words, "--json", code=code)
    return json.loads(out if code == 0 else out.stdout)


def sound_bytes(kind, n, random):
    """Blocks of any codes, with scales that are small numbers."""
    block, size = SIZES[kind]
    blocks = random.integers(0, 256, (n // block, size), dtype=np.uint8)
    if kind == KINDS.MXFP4:
        blocks[:, 0] = random.integers(100, 130, len(blocks))
    elif kind == KINDS.NVFP4:
        blocks[:, :4] = random.integers(0, 0x7f, (len(blocks), 4))
    else:
        for at in halves(kind):
            blocks[:, at + 1] &= 0x3b
        if kind == KINDS.IQ1_M:
            blocks[:, 55] &= 0x3f
    return blocks


def halves(kind):
    """Where a block holds F16 scales, found by asking the package: a byte
    whose value 0x7e makes the decoded block NaN is the upper one of a NaN."""
    block, size = SIZES[kind]
    found = []
    for at in range(1, size):
        row = np.zeros((1, size), np.uint8)
        row[0, at] = 0x7e
        with np.errstate(all="ignore"):
            values = gguf.quants.dequantize(row, kind)
        if np.isnan(values).any():
            found.append(at - 1)
    return found


def can_decode(kind):
    try:
        gguf.quants.dequantize(np.zeros((1, SIZES[kind][1]), np.uint8), kind)
    except NotImplementedError:
        return False
    return True


@pytest.fixture(scope="module")
def every_type(tmp_path_factory):
    """A tensor of 2 x 512 numbers of each type that there is."""
    path = tmp_path_factory.mktemp("types") / "types.gguf"
    random = np.random.default_rng(3)
    out = gguf.GGUFWriter(path, "types")
    out.add_uint32("general.quantization_version", 2)
    for kind, (block, size) in SIZES.items():
        if block == 1:
            numbers = random.standard_normal((2, 512)) * 100
            if kind == KINDS.BF16:
                data = (numbers.astype(np.float32).view(np.uint32)
                        >> 16).astype(np.uint16)
            else:
                data = numbers.astype(
                    {"F": "f", "I": "i"}[kind.name[0]] + str(size))
            out.add_tensor(kind.name, data.view(np.uint8), raw_dtype=kind)
        elif can_decode(kind):
            data = sound_bytes(kind, 1024, random)
            out.add_tensor(kind.name, data.reshape(2, -1), raw_dtype=kind)
        else:
            # Zeros: nothing that the package could decode for us. Q8_1 it
            # can not even size.
            if kind != KINDS.Q8_1:
                out.add_tensor(kind.name, np.zeros(
                    (2, 512 // block * size), np.uint8), raw_dtype=kind)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path


def test_every_type_is_there(every_type):
    found = told(every_type, "--tensors")
    assert "metadata" not in found
    reader = gguf.GGUFReader(every_type)
    assert len(found["tensors"]) == len(reader.tensors) == len(SIZES) - 1
    for entry, tensor in zip(found["tensors"], reader.tensors):
        assert entry == {
            "name": tensor.name, "type": tensor.tensor_type.name,
            "dims": [int(d) for d in tensor.shape],
            "bytes": tensor.n_bytes, "at": tensor.data_offset}
    assert run(every_type, "--verify") == (
        b"nothing found in 2 entries and 33 tensors\n")


def test_its_numbers(every_type):
    """Decoded as the package decodes them, or refused by name."""
    for tensor in gguf.GGUFReader(every_type).tensors:
        name = tensor.name
        if name not in DECODED:
            result = run(every_type, "--tensor", name, "--json", code=1)
            assert result.stdout == b""
            assert f"tensor {name}: its numbers are stored as {name}, " \
                in result.stderr.decode()
            text = run(every_type, "--tensor", name).decode()
            assert f"{name} is a type that we can not\n" in text
            continue
        if SIZES[tensor.tensor_type][0] == 1 and name != "BF16":
            want = np.asarray(tensor.data)
        else:
            want = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        want = want.astype(np.float64).reshape(-1)
        found = told(every_type, "--tensor", name)
        assert found["values"] == want.tolist(), name
        assert found["minimum"] == want.min()
        assert found["maximum"] == want.max()
        assert abs(found["mean"] - want.mean()) <= 1e-12 * abs(want).max()
        assert found["nan"] == found["infinite"] == 0
        edges = np.histogram(want, 15)[0]
        # A number on an edge may fall to either side.
        assert abs(np.array(found["histogram"]) - edges).max() <= 1, name
        assert sum(found["histogram"]) == 1024


def test_nan_and_infinity_are_counted(tmp_path):
    path = tmp_path / "a.gguf"
    numbers = np.array([np.nan, 1, -np.inf, 3, np.inf, np.nan, -2],
                       np.float32)
    out = gguf.GGUFWriter(path, "llama")
    out.add_tensor("t", numbers)
    out.add_tensor("nothing", np.full(3, np.nan, np.float32))
    out.add_tensor("far", np.array([-1.7e308, 1.7e308, 0]))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    found = told(path, "--tensor", "t")
    assert (found["nan"], found["infinite"]) == (2, 2)
    assert (found["minimum"], found["maximum"]) == (-2, 3)
    assert found["mean"] == 2 / 3 and sum(found["histogram"]) == 3
    found = told(path, "--tensor", "nothing")
    assert found["mean"] is found["minimum"] is None and found["nan"] == 3
    assert b"3 NaN, 0 infinite" in run(path, "--tensor", "nothing")
    found = told(path, "--tensor", "far")["histogram"]
    assert (found[0], found[7], found[14]) == (1, 1, 1)


@pytest.mark.parametrize("kind", PACKED, ids=lambda k: k.name)
def test_unsound_scales_are_found(tmp_path, kind):
    """Whatever byte of a block makes the package decode a NaN or infinity,
    --verify finds, and nothing else. Upper bytes of halves and of a float
    where the package has no decoder; and the two scales of one byte, which
    it takes for numbers where the OCP's definitions say NaN."""
    told_here = {KINDS.Q8_1: {1, 3}, KINDS.Q8_K: {3}, KINDS.Q1_0: {1},
                 KINDS.MXFP4: {0}, KINDS.NVFP4: {0, 1, 2, 3}}
    block, size = SIZES[kind]
    row = np.zeros((size, size), np.uint8)
    for at in range(size):
        row[at, at] = 0xff if kind == KINDS.MXFP4 else 0x7f
        if at > 0 and kind not in (KINDS.MXFP4, KINDS.NVFP4):
            row[at, at - 1] = 0x80      # of 0x7f80, NaN in F16 and F32
    if kind == KINDS.IQ1_M:     # a half in four upper halves of a byte
        row[55, 53] = 0xff
    path = tmp_path / "a.gguf"
    tensors = [raw.tensor(f"b{at}", [block], int(kind), 512 * at)
               for at in range(size)]
    data = b"".join(r.tobytes().ljust(512, b"\0") for r in row)
    path.write_bytes(raw.gguf(
        [raw.ARCH, raw.value("general.quantization_version", raw.U32, 2)],
        tensors, data))
    lines = told(path, "--verify", code=1)
    found = {int(line.split(":")[0][len("tensor b"):]) for line in lines
             if "of a block is NaN or infinite" in line}
    if kind in told_here:
        want = told_here[kind]
    else:
        with np.errstate(all="ignore"):
            values = gguf.quants.dequantize(row, kind)
        want = set(np.flatnonzero(~np.isfinite(values).all(axis=1)))
    assert found == want and want, kind.name


def broken_rules():
    v, t = raw.value, raw.tensor
    sound = [v("general.architecture", raw.STRING, "other")]
    words = [raw.text(w) for w in "abc"]
    tokens = v("tokenizer.ggml.tokens", raw.ARRAY,
               raw.array(raw.STRING, words))
    pad = b"\0" * 16
    yield "no-architecture", raw.gguf([v("a", raw.U8, 1)]), [
        "key general.architecture: missing, and required"]
    yield "architecture-type", raw.gguf(
        [v("general.architecture", raw.U32, 1)]), [
        "key general.architecture: found U32, expected STRING"]
    yield "architecture-form", raw.gguf(
        [v("general.architecture", raw.STRING, "Llama-2")]), [
        'key general.architecture: found "Llama-2", expected letters a to z '
        "and digits"]
    keys = ["a..b", ".a", "a.", "A", "a b", "a-b", "schlüssel", "\x1b[2J"]
    yield "keys", raw.gguf(sound + [v(k, raw.U8, 1) for k in keys]), [
        f"key {k}: expected lower_snake_case segments with points between "
        "them".replace("\x1b", "\\x1b") for k in keys]
    yield "quantized", raw.gguf(sound, [t("t", [32], 8)], b"\0" * 34), [
        "key general.quantization_version: missing, and required"]
    yield "general", raw.gguf(sound + [
        v("general.name", raw.U8, 1), v("general.file_type", raw.I32, 1)]), [
        "key general.name: found U8, expected STRING",
        "key general.file_type: found I32, expected U32"]
    yield "standard", raw.gguf(sound + [
        v("general.file_type", raw.U32, 77777),
        v("general.size_label", raw.U32, 1),
        v("general.tags", raw.ARRAY, raw.array(raw.U8, [b"\1"])),
        v("general.base_model.12.name", raw.U8, 1),
        v("general.base_model.12", raw.U8, 1),
        v("other.block_count", raw.STRING, "x"),
        v("other.context_length", raw.F32, float("nan")),
        v("other.rope.freq_base", raw.F64, 5),
        v("other.attention.head_count", raw.ARRAY, raw.array(
            raw.U32, [raw.u32(4)] * 3)),
        v("another.block_count", raw.STRING, "x"),
        v("a.inf", raw.ARRAY, raw.array(raw.F64, [
            struct.pack("<d", x) for x in (1e308, -np.inf, np.nan)])),
        v("a.fine", raw.F32, 3.4e38),
        v("tokenizer.ggml.tokens", raw.STRING, "x"),
        v("tokenizer.ggml.merges", raw.U32, 1),
        v("tokenizer.ggml.bos_token_id", raw.STRING, "x")]), [
        "key general.size_label: found U32, expected STRING",
        "key general.tags: found an ARRAY of U8, expected an ARRAY of STRING",
        "key general.base_model.12.name: found U8, expected STRING",
        "key other.block_count: found STRING, expected a whole number",
        "key other.context_length: found F32, expected a whole number",
        "key other.rope.freq_base: found F64, expected F32",
        "key tokenizer.ggml.tokens: found STRING, expected an ARRAY of "
        "STRING",
        "key tokenizer.ggml.merges: found U32, expected an ARRAY of STRING",
        "key tokenizer.ggml.bos_token_id: found STRING, expected U32",
        "key general.file_type: found 77777, expected 0 to 40",
        "key other.context_length: 1 number is NaN or infinite",
        "key a.inf: 2 numbers are NaN or infinite"]
    yield "required", raw.gguf([raw.ARCH], [t("t", [4], 0, 0)],
                               b"\0" * 16), [
        f"key llama.{k}: missing, and required" for k in (
            "context_length", "embedding_length", "block_count",
            "feed_forward_length", "rope.dimension_count",
            "attention.head_count", "attention.layer_norm_rms_epsilon")]
    yield "long-names", raw.gguf(
        sound + [v("X" * 480, raw.U8, 1), v("ab\0CD", raw.U8, 1)],
        [t("n" * 64, [4], 0, 0)], b"\0" * 16), [
        f"key {'X' * 61}...{'X' * 63}: expected lower_snake_case segments "
        "with points between them",
        "key ab\\x00CD: expected lower_snake_case segments with points "
        "between them",
        f"tensor {'n' * 64}: a name of 64 bytes, expected at most 63: "
        "llama.cpp refuses it"]
    yield "twins", raw.gguf(sound + [
        v("tokenizer.ggml.tokens", raw.ARRAY, raw.array(
            raw.STRING, [raw.text(w) for w in "abcab"])),
        v("tokenizer.ggml.token_type", raw.ARRAY, raw.array(
            raw.I32, [raw.u32(k) for k in (1, 6, 77, 2, 0)]))]), [
        "key tokenizer.ggml.token_type: item 2 is 77, expected 1 to 6",
        'key tokenizer.ggml.tokens: 2 tokens were there before, "a" for one']
    one = raw.gguf(sound)
    yield "behind-the-lists", one + b"\0" * (-len(one) % 32) + b"junk", [
        f"byte {len(one) + -len(one) % 32}: 4 bytes behind the lists, "
        "expected the end of the file"]
    bad = [raw.text(b"\xff"), raw.text("é"), raw.text(b"\xc3"),
           raw.text(b"\xed\xa0\x80"), raw.text(b"\xc2\x80"),
           raw.text(b"\xc0\x80"), raw.text(b"\x00")]
    yield "texts", raw.gguf(sound + [
        v("a", raw.STRING, raw.text(b"\xff")),
        v("b", raw.ARRAY, raw.array(raw.STRING, bad)),
        v("c", raw.ARRAY, raw.array(raw.ARRAY, [raw.array(
            raw.STRING, bad[:1])]))]), [
        "key a: 1 text is not UTF-8", "key b: 4 texts are not UTF-8",
        "key c: 1 text is not UTF-8"]
    yield "vocabulary", raw.gguf(sound + [
        tokens, v("tokenizer.ggml.scores", raw.ARRAY, raw.array(
            raw.F32, [b"\0" * 4] * 2)),
        v("tokenizer.ggml.token_type", raw.ARRAY, raw.array(
            raw.I32, [b"\1\0\0\0"] * 4)),
        v("tokenizer.ggml.bos_token_id", raw.U32, 2),
        v("tokenizer.ggml.eos_token_id", raw.U32, 3)]), [
        "key tokenizer.ggml.scores: found 2 items, expected one for each of "
        "3 tokens",
        "key tokenizer.ggml.token_type: found 4 items, expected one for "
        "each of 3 tokens",
        "key tokenizer.ggml.eos_token_id: found 3, expected the number of "
        "one of 3 tokens"]
    names = [t(b"", [4], 0, 0), t(b"\xff", [4], 0, 32)]
    yield "names", raw.gguf(sound, names, b"\0" * 48), [
        "tensor 0 of the list: has no name",
        "tensor \\xff: its name is not UTF-8"]
    yield "padding", raw.gguf(sound, [t("t", [4], 0, 0), t("u", [4], 0, 32)],
                              b"\0" * 16 + b"\0" * 15 + b"\1" + b"\0" * 16), [
        "byte 191: the padding behind tensor t is not zero"]
    gap = raw.gguf(sound, [t("t", [4], 0, 64), t("u", [4], 0, 0)],
                   b"\0" * 80)
    yield "order", gap, [
        "tensor t: its data begin at byte 224, expected 160, right behind "
        "those in front: some readers refuse it",
        "tensor u: its data begin at byte 160, expected 256, right behind "
        "those in front: some readers refuse it"]
    yield "tail", raw.gguf(sound, [t("t", [4], 0, 0)], b"\0" * 42), [
        "byte 160: 10 bytes behind the last tensor, expected the end of the "
        "file"]
    one = raw.gguf(sound, [t("t", [4], 0, 0)])
    yield "list-padding", one + b"\1" + b"\0" * (-len(one) % 32 - 1 + 16), [
        "byte 102: the padding behind the lists is not zero"]
    nan, infinite = struct.pack("<f", float("nan")), b"\0\0\x80\x7f"
    yield "nan", raw.gguf(
        sound, [t("t", [4], 0, 0), t("h", [4], 1, 32), t("b", [4], 30, 64),
                t("d", [2], 28, 96)],
        b"\0" * 4 + nan + infinite + b"\0" * 4 + pad
        + b"\0\0\0\0\0\x7c\xff\x7b" + pad + b"\0" * 8
        + b"\x7f\x7f\x80\xff\0\0\x81\x7f" + pad + b"\0" * 8
        + b"\0\0\0\0\0\0\xf0\xff" + b"\xff" * 6 + b"\xef\x7f"), [
        "tensor t: 2 numbers are NaN or infinite, the first at number 1",
        "tensor h: 1 number is NaN or infinite, the first at number 2",
        "tensor b: 2 numbers are NaN or infinite, the first at number 1",
        "tensor d: 1 number is NaN or infinite, the first at number 0"]


RULES = list(broken_rules())


@pytest.mark.parametrize("name,content,sentences", RULES,
                         ids=[r[0] for r in RULES])
def test_verify_lists_every_finding(tmp_path, name, content, sentences):
    path = tmp_path / "a.gguf"
    path.write_bytes(content)
    assert told(path, "--verify", code=1) == sentences
    result = run(path, "--verify", code=1)
    assert result.stdout.decode().splitlines() == sentences
    plural = "" if len(sentences) == 1 else "s"
    assert result.stderr.decode() == (
        f"error: {path}: {len(sentences)} finding{plural}\n")


def test_verify_looks_behind_the_lists_of_every_part(tmp_path):
    """The first part of a model often has no tensors."""
    v = raw.value
    first, second = (tmp_path / f"m-0000{i}-of-00002.gguf" for i in (1, 2))
    keys = [[v("split.no", raw.U16, i), v("split.count", raw.U16, 2)]
            for i in (0, 1)]
    lists = raw.gguf([v("general.architecture", raw.STRING, "x"), *keys[0]])
    lists += b"\0" * (-len(lists) % 32)
    tensor = raw.gguf(keys[1], [raw.tensor("t", [8])], b"\0" * 32)
    first.write_bytes(lists)
    second.write_bytes(tensor)
    assert told(first, "--verify") == []
    first.write_bytes(lists + b"junk")
    second.write_bytes(tensor + b"more junk")
    assert told(first, "--verify", code=1) == [
        f"part 1, byte {len(lists)}: 4 bytes behind the lists, expected the "
        "end of the file",
        f"part 2, byte {len(tensor)}: 9 bytes behind the last tensor, "
        "expected the end of the file"]


def test_verify_finds_nothing_in_what_we_write(tmp_path):
    """Chapter 3 copies, chapter 4 trains, chapter 7 converts."""
    made = [tmp_path / f"{i}.gguf" for i in range(6)]
    run("data/trace.gguf", "--copy", made[0])
    subprocess.run(["./chapter-04/run", "--train", "README.md",
                    "--vocab-size", "300", "-o", made[1]], check=True,
                   capture_output=True)
    for path, source, kind in ((made[2], TINY, "f16"),
                               (made[3], TINY, "q4_0"),
                               (made[4], "data/trace.gguf", "q8_0"),
                               (made[5], made[4], "f32")):
        subprocess.run(["./chapter-07/run", "convert", source, path,
                        "--type", kind], check=True, capture_output=True)
    for path in [TINY, *made]:
        assert told(path, "--verify") == [], path


def test_verify_finds_nothing_in_good_files(smollm2):
    for path in (smollm2, "data/trace.gguf"):
        assert run(path, "--verify").startswith(b"nothing found in ")
    assert told(smollm2, "--verify") == []


def test_hash_is_sha256(tmp_path):
    with open(TINY, "rb") as file:
        want = hashlib.sha256(file.read()).hexdigest()
    assert run(TINY, "--hash").decode().startswith(f"{want}  {TINY}\n# ")
    for n in (0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000):
        path = tmp_path / "a.gguf"
        path.write_bytes(raw.gguf([raw.value("a", raw.STRING, "x" * n)]))
        assert told(path, "--hash")["files"] == [{
            "path": str(path),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}]


def weights_hash(path):
    """Again, from the description in the chapter."""
    lines = []
    for t in gguf.GGUFReader(path).tensors:
        digest = hashlib.sha256(t.data.tobytes()).hexdigest()
        dims = "x".join(str(int(d)) for d in t.shape)
        lines.append((t.name.encode(), (f"{digest}  {t.tensor_type.name}  "
                                        f"{dims}  {t.name}\n").encode()))
    text = b"".join(line for _, line in sorted(lines))
    return text, hashlib.sha256(text).hexdigest()


def test_hash_of_the_weights(tmp_path):
    text, want = weights_hash(TINY)
    assert run(TINY, "--hash", "--tensors") == text
    assert told(TINY, "--hash", "--tensors")["tensors"] == [
        {"name": line.split()[3], "sha256": line.split()[0]}
        for line in text.decode().splitlines()]
    assert "tensors" not in told(TINY, "--hash")
    assert run(TINY, "--hash").decode().endswith(
        f"\n# {want}  the weights alone\n")
    # Another order, other metadata, another alignment: the same weights.
    path = tmp_path / "other.gguf"
    out = gguf.GGUFWriter(path, "qwen2")
    out.add_custom_alignment(64)
    reader = gguf.GGUFReader(TINY)
    for t in reversed(reader.tensors):
        out.add_tensor(t.name, t.data, raw_dtype=t.tensor_type)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    assert told(path, "--hash")["weights"] == want
    content = bytearray(path.read_bytes())
    content[gguf.GGUFReader(path).tensors[3].data_offset] ^= 1
    path.write_bytes(content)
    assert told(path, "--hash")["weights"] != want


def test_equal_files(tmp_path):
    copy = tmp_path / "copy.gguf"
    run(TINY, "--copy", copy)
    assert run("--compare", TINY, copy) == (
        b"the same metadata, the same tensors\n")
    assert told("--compare", "-m", TINY, copy) == []


def test_compare(tmp_path):
    v, t = raw.value, raw.tensor
    a, b = tmp_path / "a.gguf", tmp_path / "b.gguf"
    nested = [raw.array(raw.U8, [b"\1", b"\2"]), raw.array(raw.U8, [b"\3"])]
    other = [raw.array(raw.U8, [b"\1"]), raw.array(raw.U8, [b"\2", b"\3"])]
    numbers = np.array([1, 2, 3, 4, np.nan, np.inf], np.float32)
    moved = np.array([1, 2.5, 3, 4.25, np.nan, 1], np.float32)
    a.write_bytes(raw.gguf(
        [raw.ARCH, v("a.gone", raw.U8, 1), v("a.same", raw.F32, 0.5),
         v("a.kind", raw.U8, 7), v("a.nested", raw.ARRAY, raw.array(
             raw.ARRAY, nested))],
        [t("gone", [2], 0, 0), t("moved", [6], 0, 32),
         t("odd", [32], 2, 64), t("shape", [2, 3], 0, 96),
         t("iq", [32], 20, 128), t("twin", [2], 0, 160)],
        numbers[:2].tobytes().ljust(32, b"\0") + numbers.tobytes().ljust(
            32, b"\0") + (b"\0\x3c" + b"\x99" * 16).ljust(32, b"\0")
        + b"\0" * 32 + b"\1" * 32 + b"\2" * 8))
    b.write_bytes(raw.gguf(
        [v("a.new", raw.STRING, "x"), v("a.same", raw.F32, 0.5), raw.ARCH,
         v("a.kind", raw.U16, 7), v("a.nested", raw.ARRAY, raw.array(
             raw.ARRAY, other))],
        [t("twin", [2], 0, 0), t("new", [2], 1, 32), t("odd", [32], 8, 64),
         t("moved", [6], 0, 128), t("shape", [3, 2], 0, 160),
         t("iq", [32], 20, 192)],
        b"\2" * 8 + b"\0" * 56 + (b"\0\x3c" + b"\2" * 32).ljust(64, b"\0")
        + moved.tobytes().ljust(32, b"\0") + b"\0" * 32 + b"\0" * 18))

    def u8(n):
        return {"type": "U8", "value": n}
    assert told("--compare", a, b, code=1) == [
        {"key": "a.gone", "change": "removed", "from": u8(1)},
        {"key": "a.kind", "change": "changed", "from": u8(7),
         "to": {"type": "U16", "value": 7}},
        {"key": "a.nested", "change": "changed",
         "from": {"type": "ARRAY", "item_type": "ARRAY",
                  "value": [[1, 2], [3]]},
         "to": {"type": "ARRAY", "item_type": "ARRAY",
                "value": [[1], [2, 3]]}},
        {"key": "a.new", "change": "added",
         "to": {"type": "STRING", "value": "x"}},
        {"tensor": "gone", "change": "removed", "from": "F32 2"},
        {"tensor": "iq", "change": "changed", "from": "IQ4_NL 32"},
        {"tensor": "moved", "change": "changed", "from": "F32 6",
         "differ": 3, "not_finite": 1, "largest": 0.5,
         "rms": np.sqrt((0.25 + 0.0625) / 6)},
        {"tensor": "new", "change": "added", "to": "F16 2"},
        {"tensor": "odd", "change": "changed", "from": "Q4_0 32",
         "to": "Q8_0 32", "differ": 32, "not_finite": 0, "largest": 1.0,
         "rms": 1.0},
        {"tensor": "shape", "change": "changed", "from": "F32 2 x 3",
         "to": "F32 3 x 2"}]
    result = run("--compare", a, b, code=1)
    lines = result.stdout.decode().splitlines()
    at = lines.index("~ key a.nested: ARRAY 2 x ARRAY: [1 ...], [3]")
    assert lines[at + 1] == "    -> ARRAY 2 x ARRAY: [1], [2 ...]"
    assert "    3 of 6 numbers differ, by at most 0.5 (number 1), RMS " \
        "0.228218; 1 are not finite" in lines
    assert result.stderr.decode() == (
        f"error: {a} and {b} differ: keys 4, tensors 6\n")


def test_a_tensor_with_a_nul_is_found_as_it_is_printed(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(raw.gguf([raw.ARCH], [
        raw.tensor(b"a\0b", [4], 0, 0), raw.tensor(b"\\x41\xff", [4], 0, 32)],
        b"\0" * 48))
    for name, at in ((r"a\x00b", 160), (r"\x5cx41\xff", 192)):
        assert told(path, "--tensor", name)["tensor"]["at"] == at
        assert f"tensor      {name}".replace(r"\x5c", "\\").encode() in run(
            path, "--tensor", name)
    for name in ("a", r"a\x0", r"a\x00", "\\", r"\x", r"a\x00b" + "b" * 80):
        run(path, "--tensor", name, code=1)


def test_two_keys_stay_two_in_json(tmp_path):
    path = tmp_path / "a.gguf"
    keys = [b"\xff", b"\xfe", b"\\xff", b"a\xc3", b"\xc3\xa9", b"a\nb",
            b"n\0", b"n\\x00"]
    path.write_bytes(raw.gguf([raw.value(k, raw.U8, i)
                               for i, k in enumerate(keys)]))
    found = told(path, "--metadata")["metadata"]
    assert {k: v["value"] for k, v in found.items()} == {
        r"\xff": 0, r"\xfe": 1, r"\x5cxff": 2, r"a\xc3": 3, "é": 4,
        "a\nb": 5, "n\0": 6, r"n\x5cx00": 7}


def test_comparing_fits_a_screen(smollm2):
    for words in ((smollm2, TINY), (TINY, smollm2)):
        result = run("--compare", *words, code=1)
        assert max(map(len, result.stdout.decode().splitlines())) <= 80


def test_nested_arrays(tmp_path):
    """Of every type, eight deep; --json gives them whole."""
    path = tmp_path / "a.gguf"
    values, want = [raw.ARCH], {}
    for kind in raw.PACK:
        items = [raw.number(kind, n) for n in (0, 1, 1)]
        inner = [raw.array(kind, items), raw.array(kind, []),
                 raw.array(raw.STRING, [raw.text("é"), raw.text("")])]
        values.append(raw.value(f"a.k{kind}", raw.ARRAY, raw.array(
            raw.ARRAY, inner)))
        want[f"a.k{kind}"] = [[0, 1, 1], [], ["é", ""]]
    deep, value = raw.array(raw.U8, [b"\5"]), [5]
    for _ in range(7):
        deep, value = raw.array(raw.ARRAY, [deep, raw.array(raw.U8, [])]), [
            value, []]
    values.append(raw.value("a.deep", raw.ARRAY, deep))
    want["a.deep"] = value
    path.write_bytes(raw.gguf(values))
    found = told(path, "--metadata")
    assert "tensors" not in found
    for key, value in want.items():
        assert found["metadata"][key]["value"] == value, key
    lines = run(path, "--metadata").decode().splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(want)
    assert "3 x ARRAY: [0 ...], [], [é ...]" in lines[1]
    copy = tmp_path / "copy.gguf"
    run(path, "--copy", copy)
    whole, copied = path.read_bytes(), copy.read_bytes()
    assert copied.startswith(whole)     # and perhaps padding before no data
    assert not any(copied[len(whole):])


def test_the_label_fits_a_screen(tmp_path, every_type, smollm2):
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    long_name = deep / "name.gguf"
    keys = ("block_count", "embedding_length", "feed_forward_length",
            "attention.head_count", "attention.head_count_kv",
            "context_length", "rope.freq_base")
    many = raw.array(raw.U32, [raw.u32(4294967295)] * 100)
    random = raw.gguf(
        [raw.ARCH, raw.value("general.name", raw.STRING, "é" * 500),
         raw.value("general.license", raw.STRING, "\x1b" * 10),
         raw.value("tokenizer.ggml.model", raw.STRING, "m" * 99),
         raw.value("tokenizer.ggml.tokens", raw.ARRAY, raw.array(
             raw.STRING, [raw.text("x" * 99)] * 9))]
        + [raw.value(f"llama.{k}", raw.ARRAY, many) for k in keys])
    long_name.write_bytes(random)
    for path in (long_name, every_type, smollm2, TINY):
        lines = run(path).decode().splitlines()
        assert len(lines) <= 23, path
        assert max(map(len, lines)) <= 80, path
    assert len(run(every_type).decode().splitlines()) > 8
    assert run(long_name).decode().splitlines()[0].endswith("eee/name.gguf")


def test_hex_as_json():
    fields = told(TINY, "--hex")
    content = open(TINY, "rb").read()
    assert [f["at"] for f in fields[:4]] == [0, 4, 8, 16]
    for f in fields:
        shown = bytes.fromhex(f["hex"])
        assert content[f["at"]:f["at"] + f["bytes"]].startswith(shown)
        assert len(shown) == min(f["bytes"], 16)
    text = run(TINY, "--hex").decode()
    assert all(f["meaning"] in text for f in fields)
    assert fields[-2]["meaning"] == "padding" and fields[-1]["at"] == (
        fields[-2]["at"] + fields[-2]["bytes"])


@pytest.mark.parametrize("kind,number,text", [
    (raw.U8, 200, "200"), (raw.I8, -3, "-3"), (raw.U16, 65535, "65535"),
    (raw.I16, -300, "-300"), (raw.U32, 7, "7"), (raw.F32, 1.5, "1.5"),
    (raw.BOOL, 1, "true"), (raw.U64, 2 ** 64 - 1, str(2 ** 64 - 1)),
    (raw.I64, -5, "-5"), (raw.F64, 0.1, "0.1")])
def test_hex_decodes_numbers(tmp_path, kind, number, text):
    path = tmp_path / "a.gguf"
    path.write_bytes(raw.gguf([raw.value("a", kind, number)]))
    assert told(path, "--hex")[-1]["meaning"] == f"the value: {text}"


def test_an_empty_text_is_seen(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(raw.gguf([
        raw.value("a", raw.STRING, ""), raw.value("b", raw.ARRAY, raw.array(
            raw.STRING, [raw.text(""), raw.text("x")]))]))
    lines = run(path, "--metadata").decode().splitlines()
    assert lines[0].endswith(' ""') and lines[1].endswith(': "", x')


def test_a_full_bar_ends_before_its_number(tmp_path):
    path = tmp_path / "a.gguf"
    path.write_bytes(raw.gguf([raw.ARCH], [raw.tensor("t", [4])], b"\0" * 16))
    assert run(path).decode().splitlines()[-1].endswith("# 100.0 %")


def test_the_story_uses_the_folder_for_temporary_files(tmp_path):
    for folder, code in ((tmp_path, 0), (tmp_path / "missing", 1)):
        result = subprocess.run([RUN], capture_output=True, env={
            **os.environ, "TMPDIR": str(folder)})
        assert result.returncode == code, result
    assert list(tmp_path.iterdir()) == []


def test_a_gigabyte_opens_without_reading_it(tmp_path):
    """Sparse, so that reading it would show as pages of zeros."""
    small, large = tmp_path / "small.gguf", tmp_path / "large.gguf"
    n = 2 ** 28
    cost = {}
    for path, count in ((small, 8), (large, n)):
        with open(path, "wb") as out:
            out.write(raw.gguf([raw.ARCH], [raw.tensor("t", [count])],
                               b"\0"))
            out.truncate(256 + 4 * count)
        best = 9e9
        for _ in range(5):
            start = time.monotonic()
            child = os.posix_spawn(RUN, [RUN, str(path)], os.environ,
                                   file_actions=[(
                                       os.POSIX_SPAWN_OPEN, 1, os.devnull,
                                       os.O_WRONLY, 0)])
            _, status, usage = os.wait4(child, 0)
            best = min(best, time.monotonic() - start)
            assert status == 0
        cost[path] = (best, usage.ru_minflt + usage.ru_majflt)
    print(f"1 GiB: {1000 * cost[large][0]:.1f} ms with starting the program,"
          f" {cost[large][1] - cost[small][1]} page faults more than 1 KB")
    assert cost[large][0] < 0.05
    assert cost[large][1] - cost[small][1] < 64


def test_names_chosen_against_us(tmp_path):
    """50,000 keys that differ in the last bytes, in the worst order for a
    list, and for a hash table that nobody has any more."""
    n, path = 50_000, tmp_path / "a.gguf"
    keys = [f"{'k' * 40}{(i * 7919) % n:06}" for i in range(n)]
    for order in (keys, sorted(keys), sorted(keys, reverse=True)):
        path.write_bytes(raw.gguf([raw.value(k, raw.U8, 1) for k in order]))
        start = time.monotonic()
        run(path)
        assert time.monotonic() - start < 2     # 0.02; n^2 would be 10


def test_without_a_file_it_is_the_tiny_one():
    for words in (["--verify"], ["--hex"], ["--metadata", "--json"]):
        assert run(*words) == run(*words, TINY)


@pytest.mark.parametrize("words", [
    ["--compare", TINY], ["--compare", TINY, TINY, TINY], [TINY, TINY],
    ["-m", TINY, TINY], ["--verify", "--hash", TINY], ["--compare"],
    ["--tensor", "t", "--copy", "x", TINY], ["--verify", "--hex", TINY],
    ["--copy", "x", "--json", TINY], ["--hex", "--tensors", "--json", TINY],
    ["--hash", "--metadata", TINY]])
def test_wrong_usage(words):
    result = run(*words, code=2)
    assert result.stdout == b"" and b"--help" in result.stderr


def test_a_reader_that_goes_away():
    """As `| head -1`: the program ends, and says nothing about it."""
    child = subprocess.Popen(
        [RUN, "data/trace.gguf", "--tensor", "blk.1.input", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.read(10)
    child.stdout.close()
    assert child.wait() in (-signal.SIGPIPE, 0)
    assert child.stderr.read() == b""


def test_colour_only_where_it_is_wanted(tmp_path):
    """On a terminal, unless NO_COLOR says otherwise."""
    for extra, wanted in (({}, True), ({"NO_COLOR": "1"}, False)):
        master, slave = os.openpty()
        environment = {k: v for k, v in os.environ.items()
                       if k != "NO_COLOR"}
        environment.update(TERM="xterm", **extra)
        subprocess.run([RUN, TINY], stdout=slave, env=environment,
                       check=True)
        os.close(slave)
        text = b""
        try:
            while part := os.read(master, 65536):
                text += part
        except OSError:
            pass
        os.close(master)
        assert (b"\x1b[" in text) == wanted
