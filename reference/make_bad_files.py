"""Broken GGUF files, each with the one sentence that must refuse it.

    python reference/make_bad_files.py FOLDER

writes the files and FOLDER/expected.json: {name: sentence}, where {path}
stands for the file's path. FOLDER/models/ has models in several parts, each
in a folder of its own, {folder} in the sentence. FOLDER/good/ has files that
are unusual and must load. Written from docs/gguf.md, without the C code, so
that both can be wrong only independently.
"""
import json
import pathlib
import struct
import sys

(U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64,
 F64) = range(13)
PACK = {U8: "<B", I8: "<b", U16: "<H", I16: "<h", U32: "<I", I32: "<i",
        F32: "<f", BOOL: "<B", U64: "<Q", I64: "<q", F64: "<d"}
AGAIN = "it is cut off or damaged: fetch it again"


def u32(n):
    return struct.pack("<I", n)


def u64(n):
    return struct.pack("<Q", n)


def text(s, length=None):
    raw = s if isinstance(s, bytes) else s.encode()
    return u64(len(raw) if length is None else length) + raw


def number(kind, n):
    return struct.pack(PACK[kind], n)


def value(key, kind, payload):
    """A metadata entry: payload is bytes, or a number, or a text."""
    if isinstance(payload, str):
        payload = text(payload)
    elif not isinstance(payload, bytes):
        payload = number(kind, payload)
    return text(key) + u32(kind) + payload


def array(kind, items, count=None):
    """The payload of an array; items are bytes each."""
    n = len(items) if count is None else count
    return u32(kind) + u64(n) + b"".join(items)


def tensor(name, dims, kind=0, offset=0, n_dims=None):
    n = len(dims) if n_dims is None else n_dims
    return (text(name) + u32(n) + b"".join(u64(d) for d in dims) + u32(kind)
            + u64(offset))


def gguf(values=(), tensors=(), data=b"", align=32, version=3, n_values=None,
         n_tensors=None):
    head = b"GGUF" + u32(version)
    head += u64(len(tensors) if n_tensors is None else n_tensors)
    head += u64(len(values) if n_values is None else n_values)
    head += b"".join(values) + b"".join(tensors)
    if data:
        head += b"\0" * (-len(head) % align) + data
    return head


ARCH = value("general.architecture", STRING, "llama")   # ends at byte 69
PLAIN = b"\0" * 128


def small_good_file():
    """For truncation: some of everything, 12 values and 3 tensors."""
    values = [
        ARCH,
        value("general.alignment", U32, 32),
        value("a.u8", U8, 255), value("a.i8", I8, -1),
        value("a.i16", I16, -300), value("a.f32", F32, 1.5),
        value("a.f64", F64, 0.1), value("a.u64", U64, 2 ** 64 - 1),
        value("a.yes", BOOL, 1),
        value("a.texts", ARRAY, array(STRING, [text("x"), text("")])),
        value("a.numbers", ARRAY, array(I32, [u32(1), u32(2)])),
        value("a.nested", ARRAY, array(ARRAY, [array(U8, [b"\1", b"\2"]),
                                               array(STRING, [text("é")])])),
    ]
    tensors = [tensor("one", [4], 0, 0), tensor("two", [32, 2], 8, 32),
               tensor("three", [3, 2], 1, 128)]
    return gguf(values, tensors, b"\1" * 140)


def not_gguf():
    def found(what, remedy):
        return ("{path}: byte 0: header: found " + what + ", expected a GGUF "
                "file; " + remedy)
    page = found("a web page or XML", "fetch the file itself, not the page "
                 "about it")
    again = "convert the model again"
    yield "empty", b"", ("{path}: found an empty file; fetch or write it "
                         "again")
    yield "html", b"<!DOCTYPE html><html><body>404</body></html>", page
    yield "html-blank-lines", b"\r\n\n  <html></html>", page
    yield "lfs", (b"version https://git-lfs.github.com/spec/v1\noid sha256:0"
                  b"\nsize 98362432\n"), found(
        "a Git LFS pointer, which stands for a file that was not fetched",
        'run "git lfs pull" where it came from')
    yield "json", b'{"error":"Repository not found"}', found(
        "JSON, perhaps a server's error message", "look at what it says")
    yield "zip", b"PK\3\4" + PLAIN, found(
        "a zip archive or a PyTorch checkpoint", "convert it to GGUF first")
    yield "gzip", b"\x1f\x8b\x08" + PLAIN, found("a gzip archive",
                                                 "unpack it first")
    yield "magic-swapped", b"FUGG" + PLAIN, found(
        "GGUF for a big-endian machine", "convert it to little-endian")
    yield "ggjt", b"tjgg" + PLAIN, found("a GGJT file, older than GGUF",
                                         again)
    yield "ggml", b"lmgg" + PLAIN, found("a GGML file, older than GGUF",
                                         again)
    yield "safetensors", u64(64) + b'{"a":{}}' + PLAIN, found(
        "a safetensors file", "convert it first")
    yield "text", b"hello, world", (
        '{path}: byte 0: header: found "hell", expected "GGUF"; is this a '
        "model file?")
    yield "escape", b"\x1b[2J!!!!!!", (
        '{path}: byte 0: header: found "\\x1b[2J", expected "GGUF"; is this '
        "a model file?")
    yield "one-byte", b"x", (
        '{path}: byte 0: header: found "x", expected "GGUF"; is this a model '
        "file?")


def bad_header():
    def rest(at, n, what, remain):
        return (f"{{path}}: byte {at}: header: {n} {what}, but only {remain} "
                f"bytes remain in the file; {AGAIN}")
    yield "two-bytes", b"GG", rest(0, 4, 'bytes of "GGUF" are needed', 2)
    yield "ten-bytes", b"GGUF" + u32(3) + b"\0\0", rest(
        8, 8, "more bytes are needed", 2)
    for v in (0, 1, 4):
        yield f"version-{v}", gguf([ARCH], version=v), (
            f"{{path}}: byte 4: header: GGUF version {v}, expected 2 or 3; "
            "convert the model again")
    yield "version-swapped", gguf([ARCH], version=3 << 24), (
        "{path}: byte 4: header: version 50331648 is 3 with its bytes "
        "swapped: a file for a big-endian machine; convert it to "
        "little-endian")
    yield "tensors-2-64", gguf([ARCH], n_tensors=2 ** 64 - 1), rest(
        24, 2 ** 64 - 1, "tensors are announced", 45)
    yield "tensors-two", gguf([ARCH], n_tensors=2), rest(
        24, 2, "tensors are announced", 45)
    yield "values-2-63", gguf([ARCH], n_values=2 ** 63), rest(
        24, 2 ** 63, "metadata entries are announced", 45)
    for values, tensors in ((2 ** 16 + 1, 0), (1, 2 ** 16 + 1)):
        yield f"list-of-{max(values, tensors)}-" + "vt"[tensors > 1], \
            gguf(n_values=values, n_tensors=tensors) + b"\0" * 2 ** 22, (
                f"{{path}}: byte 8: header: {tensors} tensors and {values} "
                "metadata entries, expected at most 65536 of each")
    yield "values-two", gguf([ARCH], n_values=2), (
        "{path}: byte 69: key: 8 more bytes are needed, but only 0 bytes "
        f"remain in the file; {AGAIN}")


def bad_values():
    def at(byte, rest):
        return f"{{path}}: byte {byte}: key{rest}"

    def short(n, what, remain):
        return f"{n} {what}, but only {remain} bytes remain in the file; " \
            + AGAIN
    yield "key-length", gguf([u64(2 ** 64 - 1) + b"general" + PLAIN]), at(
        32, ": " + short(2 ** 64 - 1, "bytes of text are announced", 135))
    yield "key-empty", gguf([value("", U8, 1)]), at(
        24, ": a key of 0 bytes, expected 1 to 65535")
    yield "key-long", gguf([text("k" * 65536) + u32(0) + b"\0"]), at(
        24, " " + "k" * 61 + "..." + "k" * 63 + ": a key of 65536 bytes, "
        "expected 1 to 65535")
    yield "value-type", gguf([value("a", 13, PLAIN)]), at(
        33, " a: value type 13, expected 0 to 12")
    yield "item-type", gguf([value("a", ARRAY, u32(99) + u64(0))]), at(
        37, " a: value type 99, expected 0 to 12")
    yield "array-overflow", gguf(
        [value("a", ARRAY, array(U64, [u64(0)], 2 ** 61))]), at(
        49, " a: " + short(2 ** 61, "numbers are announced", 8))
    yield "array-of-texts", gguf(
        [value("a", ARRAY, array(STRING, [text("x")], 2 ** 60))]), at(
        49, " a: " + short(2 ** 60, "texts are announced", 9))
    yield "text-in-array", gguf(
        [value("a", ARRAY, array(STRING, [text("x"), text("y", 1000)]))]), at(
        66, " a: " + short(1000, "bytes of text are announced", 1))
    yield "array-of-arrays", gguf(
        [value("a", ARRAY, array(ARRAY, [PLAIN], 2 ** 59))]), at(
        49, " a: " + short(2 ** 59, "arrays are announced", 128))
    deep = array(U8, [])
    for _ in range(8):
        deep = array(ARRAY, [deep])
    yield "array-depth", gguf([value("a", ARRAY, deep)]), at(
        37 + 8 * 12, " a: arrays nested more than 8 deep")
    yield "array-depth-100000", gguf(
        [value("a", ARRAY, (u32(ARRAY) + u64(1)) * 100000)]), at(
        37 + 8 * 12, " a: arrays nested more than 8 deep")
    many = "2097153 texts are announced, expected at most 2097152 in a file"
    yield "texts-many", gguf([value("a", ARRAY, array(
        STRING, [text("")] * 2097153))]), at(49, " a: " + many)
    yield "bool-2", gguf([value("a", BOOL, 2)]), at(
        37, " a: a BOOL of 2, expected 0 or 1")
    yield "bool-array", gguf(
        [value("a", ARRAY, array(BOOL, [b"\1", b"\0", b"\xff"]))]), at(
        51, " a: a BOOL of 255, expected 0 or 1")
    yield "key-twice", gguf([ARCH, value("a", U8, 1), ARCH]), at(
        69 + 14, " general.architecture: the key is there a second time, "
        "expected once")
    yield "key-with-escape", gguf([value("a\x1b]0;x\7\nb", 77, b"")]), at(
        41, " a\\x1b]0;x\\x07\\x0ab: value type 77, expected 0 to 12")
    yield "key-not-utf8", gguf([value(b"a\xff\xc3", 77, b"")]), at(
        35, " a\\xff\\xc3: value type 77, expected 0 to 12")
    power = "expected a power of two from 8 to 65536"
    for n in (0, 4, 48, 2 ** 31):
        entry = value("general.alignment", U32, n)
        yield f"alignment-{n}", gguf([entry]), at(
            53, f" general.alignment: found {n}, {power}")
    entry = value("general.alignment", STRING, "32")
    yield "alignment-text", gguf([entry]), \
        at(53, " general.alignment: found STRING, expected U32")
    # Nothing follows it, not even the rest of a page.
    entry = value("general.alignment", ARRAY, array(U64, []))
    before = value("a", STRING, "x" * (4096 - 24 - len(entry) - 21))
    yield "alignment-nothing", gguf([before, entry]), \
        at(4096, " general.alignment: found ARRAY, expected U32")
    # The shortest entries there can be, and one that ends too early.
    yield "truncated-number", gguf([value("abc", U64, b"\0" * 7)]), at(
        39, " abc: " + short(1, "numbers are announced", 7))


def cut_off():
    """Files that end in the middle of something, wherever that is."""
    def short(byte, kind, n, remain):
        return (f"{{path}}: byte {byte}: {kind}: {n} more bytes are needed, "
                f"but only {remain} bytes remain in the file; {AGAIN}")
    head = gguf(n_values=1)
    key = text("a.key.of.some.length")          # ends at byte 52
    yield "cut-value-type", head + key + b"\0\0", short(
        52, "key a.key.of.some.length", 4, 2)
    yield "cut-item-type", head + key + u32(ARRAY) + b"\0", short(
        56, "key a.key.of.some.length", 4, 1)
    yield "cut-count", head + key + u32(ARRAY) + u32(U8) + b"\0" * 7, short(
        60, "key a.key.of.some.length", 8, 7)
    head = gguf(n_tensors=1)
    name = text("a.tensor.of.some.length.weight")       # ends at byte 62
    kind = "tensor a.tensor.of.some.length.weight"
    entry = name + u32(4) + u64(1) * 4 + u32(0)
    yield "cut-dims-count", head + name + b"\2", short(62, kind, 4, 1)
    yield "cut-dims", head + entry[:-5], short(90, kind, 8, 7)
    yield "cut-tensor-type", head + entry[:-2], short(98, kind, 4, 2)
    yield "cut-offset", head + entry + b"\0" * 7, short(102, kind, 8, 7)
    yield "cut-name-length", gguf(n_tensors=2) + tensor(
        "n" * 40, [1]) + b"\0\0", short(96, "tensor", 8, 2)
    yield "cut-name", gguf(n_tensors=2) + tensor("n" * 40, [1]) + text(
        "abc", 64), (
            "{path}: byte 104: tensor: 64 bytes of text are announced, but "
            f"only 3 bytes remain in the file; {AGAIN}")


def bad_tensors():
    def at(byte, name, rest):
        return f"{{path}}: byte {byte}: tensor {name}: {rest}"

    def one(entry, data=PLAIN):
        return gguf([], [entry], data)
    # An entry begins at 24; its name of one letter ends at 33, and with one
    # dimension its offset is at 49 and the data at 64.
    yield "dims-0", one(tensor("t", [])), at(
        33, "t", "0 dimensions, expected 1 to 4")
    yield "dims-5", one(tensor("t", [1, 1, 1, 1, 1])), at(
        33, "t", "5 dimensions, expected 1 to 4")
    yield "dims-2-32", one(tensor("t", [1], n_dims=2 ** 32 - 1)), at(
        33, "t", "4294967295 dimensions, expected 1 to 4")
    yield "dim-zero", one(tensor("t", [4, 0])), at(
        33, "t", "tensor shape 0 x 4: dimension 1 is 0, expected at least 1")
    yield "elements-overflow", one(tensor("t", [2 ** 32, 2 ** 32])), at(
        33, "t", "tensor size overflow: 4294967296 x 4294967296 does not fit "
        "in 64 bits")
    yield "bytes-overflow", one(tensor("t", [2 ** 31, 2 ** 31])), at(
        33, "t", "tensor size overflow: 2147483648 x 2147483648 in bytes "
        "does not fit in 64 bits")
    for kind in (4, 31, 42, 2 ** 32 - 1):
        yield f"type-{kind}", one(tensor("t", [32], kind)), at(
            33, "t", f"its numbers are stored as type {kind}, which we do "
            "not know; convert the model to another type")
    yield "row-and-block", one(tensor("t", [33, 2], 8)), at(
        33, "t", "tensor shape 2 x 33: rows of 33 are not whole blocks of 32 "
        "(Q8_0)")
    yield "offset-odd", one(tensor("t", [4], 0, 4)), at(
        49, "t", "its data is at offset 4, expected a multiple of the "
        "alignment, 32")
    yield "offset-far", one(tensor("t", [4], 0, 4096)), at(
        49, "t", "its 16 bytes begin at offset 4096 of the data, of which "
        f"the file holds 128 bytes; {AGAIN}")
    yield "offset-2-64", one(tensor("t", [4], 0, 2 ** 64 - 32)), at(
        49, "t", f"its 16 bytes begin at offset {2 ** 64 - 32} of the data, "
        f"of which the file holds 128 bytes; {AGAIN}")
    yield "data-short", one(tensor("t", [64])), at(
        49, "t", "its 256 bytes begin at offset 0 of the data, of which the "
        f"file holds 128 bytes; {AGAIN}")
    yield "data-none", one(tensor("t", [64]), b""), at(
        49, "t", "its 256 bytes begin at offset 0 of the data, of which the "
        f"file holds 0 bytes; {AGAIN}")
    yield "overlap", gguf([], [tensor("a", [16], 0, 0),
                               tensor("b", [4], 0, 32)], PLAIN), at(
        96 + 32, "b", "its data begins 32 bytes before the tensor in front "
        "of it ends")
    yield "overlap-unsorted", gguf(
        [], [tensor("c", [8], 0, 64), tensor("b", [8], 0, 32),
             tensor("a", [9], 0, 0)], PLAIN), at(
        128 + 32, "b", "its data begins 4 bytes before the tensor in front "
        "of it ends")
    yield "tensor-twice", gguf([], [tensor("t", [4], 0, 0),
                                    tensor("t", [4], 0, 32)], PLAIN), at(
        24 + 33, "t", "the tensor is there a second time, expected once")
    yield "name-long", one(tensor("n" * 65, [4])), at(
        24, "n" * 65, "a name of 65 bytes, expected at most 64")
    yield "name-with-escape", one(tensor("t\x1b[31m\r", [4], 99)), at(
        39, "t\\x1b[31m\\x0d", "its numbers are stored as type 99, which we "
        "do not know; convert the model to another type")
    yield "name-with-nul", one(tensor("t\0u", [4], 99)), at(
        35, "t\\x00u", "its numbers are stored as type 99, which we do not "
        "know; convert the model to another type")


def part(i, count, total=None, name=None):
    """One part of a model, with one tensor of 16 bytes."""
    values = [value("split.no", U16, i), value("split.count", U16, count)]
    if total is not None:
        values.append(value("split.tensors.count", I32, total))
    return gguf(values, [tensor(name or f"part{i}", [4])], PLAIN[:16])


def names(count):
    return [f"m-{i + 1:05}-of-{count:05}.gguf" for i in range(count)]


def bad_models():
    """name, {file: bytes} of which the first is opened, sentence"""
    def three(first, second, third):
        parts = first, second, third
        return {n: raw for n, raw in zip(names(3), parts) if raw is not None}
    one, two, all_three = ("{folder}/" + n for n in names(3))
    right = [part(i, 3, 3) for i in range(3)]
    yield "second-part", {names(3)[1]: right[1]}, (
        f"{two}: found part 2 of 3 of a model, expected the first; open "
        f"{one}")
    yield "renamed-second", {"x.gguf": right[1]}, (
        "{folder}/x.gguf: found part 2 of 3 of a model, expected the first; "
        "open part 1")
    yield "renamed-first", {"x.gguf": right[0]}, (
        "{folder}/x.gguf: found the first of 3 parts of a model, expected a "
        "name that ends in -00001-of-00003.gguf; give all parts their names "
        "again")
    yield "missing-part", three(right[0], right[1], None), (
        f"{all_three}: cannot open it: No such file or directory; check the "
        f"name and the folder; it is part 3 of 3 of {one}, which needs them "
        "all beside it")
    yield "swapped-parts", three(right[0], right[2], right[1]), (
        f"{two}: found part 3 of 3, expected part 2 of 3 of {one}; were the "
        "files renamed?")
    yield "whole-as-part", three(right[0], gguf([ARCH]), right[2]), (
        f"{two}: found a whole model, expected part 2 of 3 of {one}")
    yield "other-model", three(right[0], part(1, 3, 4), right[2]), (
        f"{two}: found a part of a model of 4 tensors, expected one of the 3 "
        f"of {one}; fetch all parts of one model")
    yield "wrong-total", three(*(part(i, 3, 4) for i in range(3))), (
        f"{one}: key split.tensors.count: found 3 tensors in its 3 parts, "
        "expected 4; fetch all parts again")
    yield "tensor-in-two-parts", three(
        right[0], right[1], part(2, 3, 3, "part0")), (
            f"{all_three}: byte 106: tensor part0: the tensor is there a "
            "second time, expected once")
    yield "broken-part", three(right[0], right[1][:-1], right[2]), (
        f"{two}: byte 135: tensor part1: its 16 bytes begin at offset 0 of "
        f"the data, of which the file holds 15 bytes; {AGAIN}")
    whole = [value("split.count", U16, 3)]
    for name, key, kind, number_, most in (
            ("split-no", "split.no", U16, 3, 2),
            ("split-count", "split.count", U32, 2 ** 31, 99999)):
        entries = [value(key, kind, number_)]
        if key == "split.no":
            entries += whole
        yield name, {names(3)[0]: gguf(entries)}, (
            f"{one}: key {key}: found {number_}, expected 0 to {most}")
    yield "split-count-text", {names(3)[0]: gguf(
        [value("split.count", STRING, "3")])}, (
            f"{one}: byte 47: key split.count: found STRING, "
            "expected a whole number, not negative")
    yield "split-count-in-part", three(right[0], gguf(
        [value("split.count", STRING, "3")]), right[2]), (
            f"{two}: byte 47: key split.count: found STRING, "
            "expected a whole number, not negative")


def good_models():
    yield "three-parts", dict(zip(names(3), (part(i, 3, 3)
                                             for i in range(3))))
    yield "no-total", dict(zip(names(2), (part(i, 2) for i in range(2))))
    yield "no-tensors-in-one", {
        names(2)[0]: gguf([value("split.count", U16, 2),
                           value("split.no", U16, 0)]),
        names(2)[1]: part(1, 2)}
    yield "nothing-split", {"x.gguf": gguf([value("split.count", U16, 0)])}
    # More parts than nine, so that a name's digits carry.
    yield "eleven-parts", dict(zip(names(11), (part(i, 11, 11)
                                               for i in range(11))))


def good():
    """Unusual files that break no rule: name, bytes."""
    yield "nothing", gguf()
    yield "version-2", gguf([ARCH], [tensor("t", [4])], PLAIN, version=2)
    for n in (8, 16, 64, 4096, 65536):
        yield f"alignment-{n}", gguf(
            [value("general.alignment", U32, n)],
            [tensor("a", [1]), tensor("b", [1], 0, n)],
            b"\1" * (n + 4), align=n)
    yield "alignment-last", gguf(
        [ARCH, value("general.alignment", U32, 64)],
        [tensor("a", [1])], b"\1" * 4, align=64)
    yield "unsorted", gguf([], [tensor("b", [4], 0, 64),
                                tensor("a", [4], 0, 0)], PLAIN)
    yield "gaps-and-tail", gguf([], [tensor("a", [1], 0, 96)],
                                b"\1" * 1000)
    yield "four-dims", gguf([], [tensor("a", [2, 1, 3, 1], 1)], PLAIN)
    yield "no-tensors", gguf([ARCH])
    yield "no-metadata", gguf([], [tensor("a", [8])], PLAIN)
    yield "unicode", gguf([value("ключ.鍵", STRING, "värde 🦙")],
                          [tensor("gewicht.ß", [8])], PLAIN)
    yield "name-of-64", gguf([], [tensor("n" * 64, [8])], PLAIN)
    yield "empty-things", gguf(
        [value("a", STRING, ""), value("b", ARRAY, array(STRING, [])),
         value("c", ARRAY, array(U8, [])), value("d", ARRAY,
                                                 array(ARRAY, []))],
        [tensor("", [1])], PLAIN)
    deep = array(U8, [b"\7"])
    for _ in range(7):
        deep = array(ARRAY, [deep])
    yield "nested-eight-deep", gguf([value("a", ARRAY, deep)])
    yield "texts-not-utf8", gguf([value("a", STRING, text(b"\xff\0\x80"))])
    yield "everything", small_good_file()


def bad():
    """name, bytes, sentence with {path}"""
    for some in (not_gguf, bad_header, bad_values, cut_off, bad_tensors):
        yield from some()


def write_model(folder, files):
    """All parts in one folder; the path of the one to open."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    return str(folder / next(iter(files)))


def main(folder):
    (folder / "good").mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, raw, sentence in bad():
        assert name not in expected, name
        (folder / (name + ".gguf")).write_bytes(raw)
        expected[name] = sentence
    for name, raw in good():
        (folder / "good" / (name + ".gguf")).write_bytes(raw)
    for name, files, sentence in bad_models():
        expected[write_model(folder / "models" / name, files)] = sentence
    for name, files in good_models():
        write_model(folder / "good" / name, files)
    (folder / "expected.json").write_text(
        json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(expected)} broken files and {len(list(good()))} unusual "
          f"ones in {folder}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
