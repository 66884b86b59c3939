"""The tokenizer of common/ as a library for the tests, faster than a process
for each of thousands of texts; vocabularies and texts made at random."""

import ctypes
import json
import subprocess
from pathlib import Path

import gguf
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

ROOT = Path(__file__).resolve().parent.parent
CORPUS = sorted((ROOT / "tests/corpus").glob("*.txt"))
SPECIAL = 2
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6


def sources():
    """The modules of chapters 01, 03 and 04, and the sizes of 02."""
    modules = []
    for line in (ROOT / "chapters/order.txt").read_text().splitlines():
        taught = line.split("ahead:")[0].split()[2:]
        if line[:2] == "02":
            modules += [m for m in taught if m.startswith("plan")]
        elif line[:2] in ("01", "03", "04"):
            modules += taught
    return [f"common/{m}.c" for m in modules]


def build(target, *options):
    subprocess.run(["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L",
                    "-D_DARWIN_C_SOURCE", "-I.", "-O2", *options,
                    "-o", str(target), *sources(), "-lm"],
                   cwd=ROOT, check=True)
    return target


def library(folder):
    return ctypes.CDLL(str(build(folder / "words.so", "-fPIC", "-shared")))


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("text", ctypes.c_char * 512)]


class Stream(ctypes.Structure):
    _fields_ = [("held", ctypes.c_ubyte * 4), ("n_held", ctypes.c_int),
                ("at_start", ctypes.c_bool)]


class Words:
    def __init__(self, lib, path):
        self.lib, self.path, self.err = lib, path, Error()
        # Larger than the structs, whose fields do not matter here.
        self.file = ctypes.create_string_buffer(1 << 13)
        self.words = ctypes.create_string_buffer(1 << 14)
        for status in (
                lib.gguf_open(self.file, str(path).encode(),
                              ctypes.byref(self.err)),
                lib.tokenizer_init(self.words, self.file, None,
                                   ctypes.byref(self.err))):
            assert status == 0, self.err.text
        for name in ("tokenizer_decode", "utf8_stream_push",
                     "utf8_stream_flush"):
            getattr(lib, name).restype = ctypes.c_size_t

    def encode_only(self, data, flags=SPECIAL):
        """A C array and how many of it are the ids."""
        if len(getattr(self, "room", ())) < 2 * len(data) + 2:
            self.room = (ctypes.c_int32 * (2 * len(data) + 2))()
        ids, n = self.room, ctypes.c_size_t()
        status = self.lib.tokenizer_encode(
            self.words, data, ctypes.c_size_t(len(data)), flags, ids,
            ctypes.c_size_t(len(ids)), ctypes.byref(n),
            ctypes.byref(self.err))
        assert status == 0, self.err.text
        return ids, n.value

    def encode(self, data, flags=SPECIAL):
        ids, n = self.encode_only(data, flags)
        return ids[:n]

    def decode(self, ids):
        array = (ctypes.c_int32 * max(1, len(ids)))(*ids)
        count = ctypes.c_size_t(len(ids))
        n = self.lib.tokenizer_decode(self.words, array, count, True, None,
                                      ctypes.c_size_t(0))
        out = (ctypes.c_char * (n + 1))()
        self.lib.tokenizer_decode(self.words, array, count, True, out,
                                  ctypes.c_size_t(n))
        return out.raw[:n]

    def stream(self, ids):
        """What comes out after each token, and at the end."""
        stream, out = Stream(at_start=True), (ctypes.c_char * (1 << 12))()
        room, parts = ctypes.c_size_t(len(out)), []
        for i in ids:
            n = self.lib.utf8_stream_push(ctypes.byref(stream), self.words,
                                          i, True, out, room)
            parts.append(out.raw[:n])
        n = self.lib.utf8_stream_flush(ctypes.byref(stream), out, room)
        return parts + [out.raw[:n]]

    def unspelled(self):
        return bytes(b for b in range(256) if not self.encode(bytes([b])))


def names(lib):
    """The names of each pre-tokenizer, a list for each row of the table."""
    lib.pretokenize_names.restype = ctypes.c_char_p
    rows = []
    while True:
        row = lib.pretokenize_names(ctypes.c_size_t(len(rows)))
        if row is None:
            return rows
        rows.append(row.decode().split())


def pieces(lib, name, data):
    """Bytes as a pre-tokenizer cuts them."""
    rules, scan = ctypes.c_void_p(), ctypes.create_string_buffer(1 << 12)
    begin, end = ctypes.c_size_t(), ctypes.c_size_t()
    lib.pretokenize_next.restype = ctypes.c_bool
    assert lib.pretokenize_find(name.encode(), ctypes.c_size_t(len(name)),
                                ctypes.byref(rules), None) == 0
    lib.pretokenize_begin(scan, rules, data, ctypes.c_size_t(len(data)))
    found = []
    while lib.pretokenize_next(scan, ctypes.byref(begin), ctypes.byref(end)):
        found.append(data[begin.value:end.value])
    return found


# Where expressions differ: apostrophes, digits of all kinds, marks, spaces
# of all kinds, both ends of every range, what is no character.
TRAPS = list(" \t\r\n   ''’stredlvmSTREDLVMaZ.,!?+$`~0123456789éßſ½²Ⅷ٣中あアー一"
             "龥\u9fa6\u07ff\u0800\uabff\uac00\ud7ff한ｶ😀\u200d\u0301\u0903שמ"
             "م\u3000\u3002\u2018”…\u00a0\u0085\u1680\u2028\u2029\u200b\ufeff"
             "\x00\x0b\x0c\x1c\x1f=<>^|_@#/\\-{}[]()\ue000\U000f0000\u0378"
             "👨🏽ǅªº\u2160\u3007\u00ad\u0600！～")


def random_text(draw, longest=40):
    kind = draw.random()
    if kind < 0.6:
        return "".join(draw.choices(TRAPS, k=draw.randrange(1, longest)))
    if kind < 0.8:
        return "".join(draw.choice(TRAPS) * draw.choice([1, 1, 2, 3, 4, 5, 7])
                       for _ in range(draw.randrange(1, 14)))
    points = []
    for _ in range(draw.randrange(1, 20)):
        code = draw.randrange(draw.choice([0x80, 0x800, 0x10000, 0x20000,
                                           0x110000]))
        points.append(" " if 0xD800 <= code < 0xE000 else chr(code))
    return "".join(points)


def training_lines(draw, n_random=2000):
    texts = [path.read_bytes().decode() for path in CORPUS]
    lines = [t[i:i + 60] for t in texts for i in range(0, len(t), 60)]
    return lines + [random_text(draw, 16) for _ in range(n_random)]


def trained(tokenizer, lines, size, **more):
    """Tokens in order, and merges, of the `tokenizers` package's trainer."""
    tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=size, show_progress=False, **more))
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    return tokens, [m if isinstance(m, str) else " ".join(m)
                    for m in model["merges"]]


def byte_level(draw, size=1200):
    """A vocabulary whose tokens cross every border between words: whatever
    a pre-tokenizer cuts elsewhere gives other tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(
        add_prefix_space=False, use_regex=False)
    return trained(tokenizer, training_lines(draw), size,
                   initial_alphabet=pre_tokenizers.ByteLevel.alphabet())


def write_vocabulary(path, model, tokens, types, **keys):
    """A GGUF file with a vocabulary and nothing else. Keys are those of
    tokenizer.ggml, or chat_template, and lists are written as what they
    hold."""
    out = gguf.GGUFWriter(path, "llama")
    out.add_tokenizer_model(model)
    out.add_token_list(tokens)
    out.add_token_types(types)
    for key, value in keys.items():
        where = "" if key == "chat_template" else "ggml."
        key = f"tokenizer.{where}{key}"
        if isinstance(value, list):
            out.add_array(key, value)
        elif isinstance(value, str):
            out.add_string(key, value)
        elif isinstance(value, bool):
            out.add_bool(key, value)
        else:
            out.add_uint32(key, value)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path
