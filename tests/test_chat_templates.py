"""Conversations as numbers, against jinja2, which runs the templates."""

import ctypes
import time
from types import SimpleNamespace

import jinja2
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

import words
from chat_templates import (COMPUTED, DEFAULTS, HERMES, KNOWN, LLAMA3,
                            LLAMA3_2, MISTRAL_7_TEKKEN, SMOLLM2, UNKNOWN)

ROLES = ["system", "user", "assistant"]
MARKS = ["<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>",
         "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
TEKKEN = ["[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"]
MOST = 4096


class Message(ctypes.Structure):
    _fields_ = [("role", ctypes.c_int), ("text", ctypes.c_char_p),
                ("n_bytes", ctypes.c_size_t)]


class Room(ctypes.Structure):
    _fields_ = [("encoder", ctypes.c_void_p), ("text", ctypes.c_void_p),
                ("n_bytes", ctypes.c_size_t)]


class Format(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p)]


class Template(ctypes.Structure):
    _fields_ = [("format", ctypes.POINTER(Format)),
                ("begins_with_bos", ctypes.c_bool),
                ("has_system", ctypes.c_bool),
                ("default_system", ctypes.c_char_p),
                ("default_system_bytes", ctypes.c_size_t),
                ("wants_system", ctypes.c_bool),
                ("note", ctypes.c_char_p)]


@pytest.fixture(scope="module")
def chat_library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chat")
    lib = ctypes.CDLL(str(words.build(
        folder / "chat.so", "-fPIC", "-shared", "common/chat.c",
        "common/chat_formats.c")))
    lib.tokenizer_room.restype = ctypes.c_size_t
    return SimpleNamespace(lib=lib, folder=folder)


def byte_level_tokens():
    letters = [chr(b) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255
               else None for b in range(256)]
    more = iter(range(256, 512))
    letters = [c if c else chr(next(more)) for c in letters]
    merges = ["Ġ t", "h e", "Ġt he", "i n", "Ġ Ġ", "Ċ Ċ", "u s", "e r",
              "us er", "Ġ [", "] Ċ", "Ċ Ġ", "I N", "Ġ a"]
    joined = [m.replace(" ", "") for m in merges]
    return letters + joined, merges


def vocabulary(folder, kind, marks, template, **keys):
    """A file with a vocabulary, these marks as tokens, and a template."""
    path = folder / f"{kind}.gguf"
    if kind == "bytes":
        tokens, merges = byte_level_tokens()
        more = {"merges": merges, "pre": "llama-bpe"}
        types = [words.NORMAL] * len(tokens)
    else:
        tokens = [f"<0x{b:02X}>" for b in range(256)]
        types = [words.BYTE] * 256
        text = list("▁abehinstu[]/INST<>\n") + [
            "▁t", "he", "▁the", "in", "▁▁", "us", "er", "user", "▁[", "▁a"]
        text = list(dict.fromkeys(text))
        tokens += text
        types += [words.NORMAL] * len(text)
        more = {"scores": [0.0] * (len(marks) + 256)
                + [-float(i) for i in range(len(text))],
                "add_space_prefix": True}
    keys = {"bos_token_id": 0, "eos_token_id": 1, "unknown_token_id": 2,
            "add_bos_token": False, **more, **keys}
    if template is not None:
        keys["chat_template"] = template
    words.write_vocabulary(
        path, "gpt2" if kind == "bytes" else "llama", marks + tokens,
        [words.CONTROL] * len(marks) + types, **keys)
    return path


class Talker:
    """A template in a file, and jinja2 with the same."""

    def __init__(self, library, kind, template, marks=(), name=None, **keys):
        self.lib = library.lib
        self.words = words.Words(library.lib, vocabulary(
            library.folder, kind, [*MARKS, *marks], template, **keys))
        self.err = words.Error()
        self.template = Template()
        self.status = self.lib.chat_recognise(
            ctypes.byref(self.template), self.words.file, self.words.words,
            name, ctypes.byref(self.err))
        size = self.lib.tokenizer_room(ctypes.c_size_t(MOST))
        self.encoder = ctypes.create_string_buffer(size + 16)
        self.text = ctypes.create_string_buffer(MOST)
        at = ctypes.addressof(self.encoder)
        self.room = Room(at + -at % 16, ctypes.addressof(self.text), MOST)
        self.n_marks = len(MARKS) + len(marks)
        # As transformers runs them.
        world = ImmutableSandboxedEnvironment(trim_blocks=True,
                                              lstrip_blocks=True)
        world.globals["raise_exception"] = self.fail
        self.jinja = world.from_string(template or "")

    @staticmethod
    def fail(text):
        raise jinja2.exceptions.TemplateError(text)

    def format(self):
        assert self.status == 0, self.err.text
        return self.template.format.contents.name.decode()

    def encode(self, messages, first=True):
        """Ids, or None where it is refused."""
        raw = [(ROLES.index(role), text.encode()) for role, text in messages]
        array = (Message * max(1, len(raw)))(
            *[Message(role, text, len(text)) for role, text in raw])
        ids, n = (ctypes.c_int32 * MOST)(), ctypes.c_size_t(77)
        status = self.lib.chat_encode(
            ctypes.byref(self.template), self.words.words, array, len(raw),
            first, ctypes.byref(self.room), ids, ctypes.c_size_t(MOST),
            ctypes.byref(n), ctypes.byref(self.err))
        if status:
            assert n.value == 77 and self.err.text
            return None
        return ids[:n.value]

    def render(self, messages, **more):
        """The template's text, or None where it raises."""
        try:
            return self.jinja.render(
                messages=[{"role": r, "content": t} for r, t in messages],
                bos_token="<s>", eos_token="</s>",
                add_generation_prompt=True, **more)
        except jinja2.exceptions.TemplateError:
            return None


CASES = [(kind, name, template, marks) for name, template in KNOWN
         for kind in ("bytes", "spm")
         for marks in ([], TEKKEN)[:2 if "mistral" in name else 1]]


@pytest.mark.parametrize("name, template", KNOWN)
def test_templates_are_recognised(name, template, chat_library):
    assert Talker(chat_library, "bytes", template).format() == name


@pytest.mark.parametrize("template", UNKNOWN)
def test_others_are_refused(template, chat_library):
    talker = Talker(chat_library, "bytes", template)
    assert talker.status != 0
    text = talker.err.text.decode()
    assert "tokenizer.chat_template" in text
    assert "--chat-template NAME" in text
    # It is as the user says, then.
    named = Talker(chat_library, "bytes", template, name=b"chatml")
    assert named.format() == "chatml"
    assert named.encode([("user", "a")]) == Talker(
        chat_library, "bytes", HERMES).encode([("user", "a")])


SPACES = " \t\n\r\x0b\x0c\x1c\x1f\x85\xa0\u1680\u2003\u2028\u3000"
BITS = ["the", " the", "user", "a", "in", "\n", "\n\n", "ß", "日本", "🦙",
        "é", "\u200b", "[", "/", "{{ messages }}", "{bos}", "'", '"', "\\n"]
# What looks like a token or like a piece of a template.
TRAPS = [*MARKS, *TEKKEN, "<<SYS>>\n", "\n<</SYS>>\n\n", "{eos}",
         "<|user|>\n", "<|assistant|>", "<|im_", "end|>"]


def texts(bits):
    return st.lists(st.one_of(st.sampled_from(bits),
                              st.sampled_from(list(SPACES))),
                    max_size=6).map("".join)


@st.composite
def talks(draw, bits):
    n = draw(st.integers(1, 5))
    talk = [(ROLES[1 + i % 2], draw(texts(bits))) for i in range(n)]
    if draw(st.booleans()):
        talk.insert(0, ("system", draw(texts(bits))))
    if draw(st.integers(0, 7)) == 0:
        talk.append(talk[-1])           # out of turn
    return talk


def same_refusals(talker, talk, got, want):
    """Both refuse, or we did what the template cannot be asked for."""
    if talker.template.wants_system and talk[0][0] != "system":
        assert got is None
        return True
    if got is None or want is None:
        assert (got is None) == (want is None), (talk, want, talker.err.text)
        return True
    return False


def expected(talker, talk):
    return talker.render(talk, **({"strftime_now": str}
                                  if talker.template.wants_system else {}))


@pytest.mark.parametrize("kind, name, template, marks", CASES)
def test_same_ids_as_the_rendered_text(kind, name, template, marks,
                                       chat_library):
    talker = Talker(chat_library, kind, template, marks)

    @settings(max_examples=20, deadline=None, derandomize=True,
              suppress_health_check=list(HealthCheck))
    @example([("system", ""), ("user", "")])
    @example([("system", "a"), ("user", " \n")])
    @example([("user", " a "), ("assistant", " b "), ("user", "\n")])
    @given(talks(BITS))
    def check(talk):
        got, want = talker.encode(talk), expected(talker, talk)
        if not same_refusals(talker, talk, got, want):
            assert got == talker.words.encode(want.encode()), (talk, want)
    check()


@pytest.mark.parametrize("name, template", KNOWN)
def test_what_is_said_stays_text(name, template, chat_library):
    """Whatever it looks like: no token that the template did not write."""
    talker = Talker(chat_library, "bytes", template, TEKKEN)

    @settings(max_examples=20, deadline=None, derandomize=True,
              suppress_health_check=list(HealthCheck))
    @given(talks(BITS + TRAPS))
    def check(talk):
        got, want = talker.encode(talk), expected(talker, talk)
        if same_refusals(talker, talk, got, want):
            return
        assert talker.words.decode(got) == want.encode()
        plain = expected(talker, [(role, "a") for role, _ in talk])
        special = [i for i in talker.words.encode(plain.encode())
                   if i < talker.n_marks]
        assert [i for i in got if i < talker.n_marks] == special
    check()


@pytest.mark.parametrize("kind, name, template, marks", CASES)
def test_turn_by_turn(kind, name, template, marks, chat_library):
    """What is added to an answer, and what stands before it, are the whole,
    where the answer's tokens are those of its text."""
    talker = Talker(chat_library, kind, template, marks)
    talk = [("system", "in"), ("user", "the"), ("assistant", "user"),
            ("user", "a\n")]
    if "v0" in name:
        talk = talk[1:]
    if talker.template.format.contents.name in (b"mistral-v3",
                                                b"mistral-v3-tekken"):
        talk = talk[1:]                 # would move the system prompt
    whole = talker.encode(talk)
    before = talker.encode(talk[:-2])
    after = talker.encode(talk[-1:], first=False)
    answer = whole[len(before):len(whole) - len(after)]
    assert before + answer + after == whole
    assert talker.words.decode(answer).decode().strip() == "user"


@pytest.mark.parametrize("kind, name, template, marks", CASES)
def test_exactly_one_bos(kind, name, template, marks, chat_library):
    talk = [("system", "a")] * ("v0" not in name) + [("user", "<s>")]
    for add_bos in (False, True):
        talker = Talker(chat_library, kind, template, marks,
                        add_bos_token=add_bos)
        ids = talker.encode(talk)
        wants = "bos_token" in template or add_bos
        assert ids.count(0) == wants and (ids[0] == 0) == wants


def test_what_is_not_rendered_is_said(chat_library):
    today = Talker(chat_library, "bytes", LLAMA3_2)
    assert b"date" in today.template.note
    computed = Talker(chat_library, "bytes", MISTRAL_7_TEKKEN)
    assert computed.encode([("user", "a")]) is None
    assert b"give one with -sys" in computed.err.text


@pytest.mark.parametrize("template", DEFAULTS)
def test_default_system_prompts(template, chat_library):
    talker = Talker(chat_library, "bytes", template)
    for talk in ([("user", "a")], [("system", "in"), ("user", "a")]):
        assert talker.encode(talk) == talker.words.encode(
            talker.render(talk).encode())


@pytest.mark.parametrize("template", COMPUTED)
def test_computed_system_prompts(template, chat_library):
    talker = Talker(chat_library, "bytes", template)
    assert talker.format() == "chatml"
    assert talker.encode([("user", "a")]) is None
    assert b"give one with -sys" in talker.err.text
    assert talker.encode([("system", "a"), ("user", "a")])


def test_names(chat_library):
    """The list in the sentence is the table's; and what a file says beside
    its format counts where a name is given."""
    said = Talker(chat_library, "bytes", None, name=b"none").err.text.decode()
    names = said.split("expected one of ")[1].split(", ")
    assert set(names) == {name for name, _ in KNOWN}
    for name in names:
        talker = Talker(chat_library, "bytes", None, TEKKEN,
                        name=name.encode())
        assert talker.format() == name
    for name, template in (("chatml", SMOLLM2), ("llama3", LLAMA3)):
        assert Talker(chat_library, "bytes", template,
                      name=name.encode()).encode([("user", "a")]) == Talker(
            chat_library, "bytes", template).encode([("user", "a")])
    # BOS where no template tells.
    llama3 = Talker(chat_library, "bytes", None, name=b"llama3")
    assert llama3.encode([("user", "a")])[0] == 0


def test_a_long_template_is_read_once(chat_library):
    """Not once from each of its bytes."""
    start = time.perf_counter()
    for text in ("' + '" * 60000, " " * 300000, "<|im_start|>" * 25000,
                 "'" + " " * 300000):
        assert Talker(chat_library, "bytes", text).status != 0
    for text in ("<|im_start|>system\n",
                 "{{ '<|im_start|>system\n' + message }}"):
        assert Talker(chat_library, "bytes",
                      HERMES + text * 16000).format() == "chatml"
    assert time.perf_counter() - start < 20


def test_a_name_that_is_none(chat_library):
    talker = Talker(chat_library, "bytes", None, name=b"alpaca")
    assert talker.status != 0
    assert b"alpaca: expected one of chatml, zephyr, llama2" \
        in talker.err.text
    assert Talker(chat_library, "bytes", None).status != 0


def test_tokens_that_a_format_needs(chat_library):
    for name, left_out in ((b"chatml", "<|im_end|>"),
                           (b"llama3", "<|eot_id|>")):
        marks = MARKS[:]
        MARKS.remove(left_out)
        try:
            talker = Talker(chat_library, "bytes", None, name=name)
        finally:
            MARKS[:] = marks
        assert talker.status != 0
        assert left_out.encode() in talker.err.text
