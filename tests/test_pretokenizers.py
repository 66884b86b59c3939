"""Every pre-tokenizer beside the regular expressions that models publish, run
by two engines that are not ours: PCRE2, and the one inside `tokenizers`.

    python tests/test_pretokenizers.py 100000     so many texts a family
"""

import ctypes
import ctypes.util
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Regex, pre_tokenizers

import words

# What the rows of common/pretokenize_rules.c stand for, one expression a
# pass. Sources: the tokenizer.json of each model.
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+" \
       r"|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+" \
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")
QWEN35 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+" \
         r"|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
ASIA = r"[\x{4e00}-\x{9fa5}\x{0800}-\x{4e00}\x{ac00}-\x{d7ff}]+"
# As published, with numbers for those that editors like to replace by others
# which look the same.
CASED = (
    r"A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽ"
    r"Ა-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\x{1f7d}ᾀ-ᾴᾶ-ᾼ\x{1fbe}ῂ-ῄῆ-ῌ"
    r"ῐ-\x{1fd3}ῖ-\x{1fdb}ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\x{2126}ℨ\x{212a}-ℭℯ-ℴℹℼ-ℿ"
    r"ⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮ\x{2cf2}\x{2cf3}Ꙁ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓"
    r"𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃")
FAMILIES = {
    "gpt-2": [GPT2],
    "smollm": [r"\p{N}", GPT2],
    "llama-bpe": [LLAMA3],
    "minicpm5": [r"\p{N}{1,3}", LLAMA3.replace("{1,3}", "+")],
    "dbrx": [LLAMA3],
    "qwen2": [QWEN2],
    "qwen35": [QWEN35],
    "falcon": [r"[\p{P}\$\+<=>\^~\|`]+", GPT2, r"[0-9][0-9][0-9]"],
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+",
                r"[0-9][0-9][0-9]"],
    "deepseek-llm": [r"[\r\n]", rf"\s?[{CASED}]+",
                     r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", ASIA,
                     r"\p{N}+"],
    "deepseek-coder": [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", ASIA,
                       r"\p{N}"],
    "deepseek-v3": [
        r"\p{N}{1,3}", r"[\x{4e00}-\x{9fa5}\x{3040}-\x{30ff}]+",
        r"[!-/:-@\[-`{-~][A-Za-z]+"
        r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"],
}


class Pcre2:
    """What of the library is needed, through ctypes. Newlines are not in
    the way: no expression here has a point or a caret."""
    UTF, UCP, NO_UTF_CHECK = 0x80000, 0x20000, 0x40000000

    def __init__(self, pattern):
        name = ctypes.util.find_library("pcre2-8")
        assert name, "the tests need PCRE2: apt-get install libpcre2-8-0"
        self.lib = lib = ctypes.CDLL(name)
        lib.pcre2_compile_8.restype = ctypes.c_void_p
        lib.pcre2_match_data_create_from_pattern_8.restype = ctypes.c_void_p
        lib.pcre2_get_ovector_pointer_8.restype = \
            ctypes.POINTER(ctypes.c_size_t)
        code, at, raw = ctypes.c_int(), ctypes.c_size_t(), pattern.encode()
        self.code = ctypes.c_void_p(lib.pcre2_compile_8(
            raw, ctypes.c_size_t(len(raw)), self.UTF | self.UCP,
            ctypes.byref(code), ctypes.byref(at), None))
        assert self.code, (pattern, code.value, at.value)
        lib.pcre2_jit_compile_8(self.code, 1)
        self.data = ctypes.c_void_p(
            lib.pcre2_match_data_create_from_pattern_8(self.code, None))
        self.found = lib.pcre2_get_ovector_pointer_8(self.data)

    def spans(self, data):
        at = 0
        while self.lib.pcre2_match_8(
                self.code, data, ctypes.c_size_t(len(data)),
                ctypes.c_size_t(at), self.NO_UTF_CHECK, self.data,
                None) > 0:
            begin, end = self.found[0], self.found[1]
            yield begin, end
            at = end

    def cut(self, data):
        """Matches, and what lies between them."""
        found, done = [], 0
        for begin, end in self.spans(data):
            found += [data[done:begin], data[begin:end]]
            done = end
        return [piece for piece in found + [data[done:]] if piece]


def cut_by(passes, data):
    found = [data]
    for expression in passes:
        found = [part for piece in found for part in expression.cut(piece)]
    return found


# The bits of common/unicode.h.
KINDS = {1: "L", 2: "N", 4: "M", 8: "P", 16: "S"}


def newer(lib):
    """The code points that PCRE2's Unicode, an older one, sees in another
    way, and those that it does not know."""
    points = np.array([c for c in range(0x110000)
                       if not 0xD800 <= c < 0xE000])
    text = "".join(map(chr, points)).encode()
    lengths = 1 + (points > 0x7F) + (points > 0x7FF) + (points > 0xFFFF)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    theirs = np.zeros(len(points), dtype=int)
    UNKNOWN = 1 << 10
    classes = {bit: rf"\p{{{kind}}}" for bit, kind in KINDS.items()}
    for bit, expression in [*classes.items(), (32, r"\s"),
                            (UNKNOWN, r"\p{Cn}")]:
        for span in Pcre2(expression + "+").spans(text):
            begin, end = np.searchsorted(starts, span)
            theirs[begin:end] |= bit
    kind = lib.unicode_kind
    ours = np.array([kind(c) & 63 for c in points.tolist()])
    return set(points[ours != theirs & 63].tolist()), \
        set(points[theirs >= UNKNOWN].tolist())


@pytest.fixture(scope="module", name="differences")
def from_all(library):
    return newer(library)


@pytest.fixture(scope="module", name="strange")
def of_newer(differences):
    return differences[0]


def test_kinds_of_every_code_point(differences):
    different, unknown = differences
    # U+180E is a space to Perl and was one to Unicode before 6.3.
    assert different - unknown <= {0x180E}, sorted(different - unknown)
    assert len(different) < 20000       # all of Unicode 15 and 16, no more


def compare(library, name, n_texts, seed, strange):
    passes = [Pcre2(expression) for expression in FAMILIES[name]]
    draw = random.Random(f"{name} {seed}")
    texts = [path.read_bytes().decode() for path in words.CORPUS]
    texts += [words.random_text(draw) for _ in range(n_texts)]
    for text in texts:
        data = "".join(c for c in text if ord(c) not in strange).encode()
        assert words.pieces(library, name, data) == cut_by(passes, data), \
            ascii(text)


@pytest.mark.parametrize("name", FAMILIES)
def test_cut_as_pcre2_does(library, strange, name):
    compare(library, name, 300, 1, strange)


# Both ends of every range of every rule are in these.
NEAR = [*range(0x3110), *range(0x4DF0, 0x4E10), *range(0x9F90, 0xA000),
        *range(0xA630, 0xAC10), *range(0xD7F0, 0xD800),
        *range(0xFAF0, 0x10000), *range(0x103F0, 0x10500),
        *range(0x10C70, 0x10D00), *range(0x11890, 0x118F0),
        *range(0x1E8F0, 0x1E950)]


@pytest.mark.parametrize("name", FAMILIES)
def test_ranges_end_where_they_do(library, strange, name):
    passes = [Pcre2(expression) for expression in FAMILIES[name]]
    points = [chr(c) for c in NEAR if c not in strange]
    for i in range(0, len(points), 100):
        data = "".join(f"¡{c} {c}a" for c in points[i:i + 100]).encode()
        assert words.pieces(library, name, data) == cut_by(passes, data)


@pytest.mark.parametrize("name", FAMILIES)
def test_cut_as_tokenizers_does(library, name):
    expected = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(p), "isolated") for p in FAMILIES[name]])
    texts = [path.read_bytes().decode() for path in words.CORPUS]
    draw = random.Random(name)
    # Its Unicode differs in other places: traps alone.
    texts += ["".join(draw.choices(words.TRAPS, k=draw.randrange(40)))
              for _ in range(500)]
    for text in texts:
        assert words.pieces(library, name, text.encode()) == \
            [p.encode() for p, _ in expected.pre_tokenize_str(text)], \
            ascii(text)


# Bytes that are no UTF-8 have no expression. They count as characters
# without a kind, which U+F0000 and on are, too.
INVALID = [b"\x80", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xc3",
           b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf0\x9f\x98", b"\xbf\xbf"]


@pytest.mark.parametrize("name", FAMILIES)
def test_any_byte_is_a_character(library, strange, name):
    passes = [Pcre2(expression) for expression in FAMILIES[name]]
    draw = random.Random(name)
    for _ in range(100):
        ours = theirs = b""
        for _ in range(draw.randrange(1, 8)):
            text = "".join(c for c in words.random_text(draw, 6)
                           if ord(c) not in strange).encode()
            bad = draw.choice(INVALID)
            ours += text + bad
            theirs += text + b"".join(chr(0xF0000 + b).encode() for b in bad)
            # Not a character together with what follows.
            ours += b"x"
            theirs += b"x"
        want = [bytes(ord(c) - 0xF0000 for c in p.decode())
                if all(0xF0080 <= ord(c) < 0xF0100
                       for c in p.decode())
                else b"".join(bytes([ord(c) - 0xF0000])
                              if 0xF0080 <= ord(c) < 0xF0100 else c.encode()
                              for c in p.decode())
                for p in cut_by(passes, theirs)]
        assert words.pieces(library, name, ours) == want, ours


def test_the_table_is_what_its_generator_makes():
    subprocess.run([sys.executable, "reference/make_unicode_table.py",
                    "--check"], cwd=words.ROOT, check=True)


def test_every_name_has_an_expression(library):
    """One of each row, so that no row is without an oracle."""
    for row in words.names(library):
        assert len(set(row) & set(FAMILIES)) == 1, row


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        built = words.library(Path(folder))
        odd = newer(built)[0]
        for family in FAMILIES:
            compare(built, family, int(sys.argv[1]), 2, odd)
            print(f"{family}: {sys.argv[1]} texts, cut alike", flush=True)
