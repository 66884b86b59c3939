"""Talking with ./chapter-08/run: turns, commands, files, two models."""

import fcntl
import json
import os
import pty
import resource
import signal
import struct
import subprocess
import sys
import termios
import time

import gguf
import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

import engine
import make_test_models
from chat_templates import LLAMA2, MISTRAL_3, SMOLLM2
from engine import ROOT
from test_memory import counted, counter, plan

TINY = ROOT / "data/tiny.gguf"
PLAIN = ["-n", 12, "--temp", 0.7, "-s", 5, "-q", "-t", 1]


def talk(lines, *options, code=0):
    return engine.run("--chat", *PLAIN, *options, code=code,
                      input="".join(line + "\n" for line in lines).encode())


def answers(lines, *options):
    """One object for each turn."""
    return [json.loads(line)["text"]
            for line in talk(lines, "--json", *options).splitlines()]


def shown(lines, *options):
    """The ids of each turn that are fed, when nothing is generated."""
    return [json.loads(line)["ids"] for line in talk(
        lines, "--show-prompt", "-n", 0, "--json", *options).splitlines()]


@pytest.fixture(scope="module", autouse=True)
def program(llama_program):
    return llama_program


def test_a_line_is_a_turn():
    said = answers(["the model", "the words", "numbers"])
    assert len(said) == 3 and len(set(said)) > 1
    assert talk(["the model", "the words", "numbers"]) == "".join(
        text + "\n" for text in said)
    # A backslash at its end joins a line and the next; two slashes are one.
    for lines, text in ((["a\\", "b\\", ""], "a\nb\n"), (["//help"], "/help"),
                        (["a\\b"], "a\\b")):
        prompt = json.loads(talk(lines, "--show-prompt", "-n", 0, "--json"))
        assert f"user\n{text}<|im_end|>" in prompt["prompt"]


def test_commands():
    first, second, third = answers(["the model", "the words", "numbers"])
    assert answers(["the model", "in", "/undo", "the words", "numbers"]) == [
        first, answers(["the model", "in"])[1], second, third]
    assert answers(["in", "/reset", "the model", "the words"])[1:] == [
        first, second]
    assert answers(["in", "in", "/undo", "/undo", "the model"])[2] == first
    assert answers(["/system in the", "the model"]) == answers(
        ["the model"], "-sys", "in the")
    assert len(answers(["the model", "/exit", "the words"])) == 1
    # Another answer is what the next seed would have said.
    again = answers(["the model", "/retry"])
    assert again == [first, answers(["the model"], "-s", 6)[0]]
    assert again[0] != again[1]
    for line, said in (("/no", "no command /no; /help lists"),
                       ("/undo", "nothing that could be taken back"),
                       ("/retry", "no answer that could be given again"),
                       ("/save", "/save needs a file's name")):
        assert said in talk([line], code=1)


def test_a_saved_talk_goes_on(tmp_path):
    """The same words, and the same file, as without a break; and nothing is
    fed again."""
    lines = ["the model", "the words", "numbers", "a token"]
    whole, first, second = (tmp_path / n for n in ("whole", "1", "2"))
    said = answers(lines, "--save", whole)
    assert answers(lines[:2], "--save", first) == said[:2]
    rest = talk(lines[2:], "--resume", first, "--save", second, "--json")
    rest = [json.loads(line) for line in rest.splitlines()]
    assert [r["text"] for r in rest] == said[2:]
    assert rest[0]["prompt_tokens"] == len(shown(lines[2:3], "--resume",
                                                 first)[0])
    assert whole.read_bytes() == second.read_bytes()
    assert b"user\nthe words<|im_end|>" in whole.read_bytes()
    # A turn of before can be taken back, and /save does what --save does.
    named = tmp_path / "with a space"
    assert answers(["/undo", "numbers", f"/save {named}"], "--resume",
                   first) == answers([lines[0], "numbers"])[1:]
    assert named.exists()
    assert answers(["in"], "--resume", named) == answers(
        [lines[0], "numbers", "in"])[2:]
    assert len(list(tmp_path.iterdir())) == 4


def test_a_talk_with_another_model(tmp_path):
    saved = tmp_path / "talk"
    talk(["the model"], "--save", saved)
    other = make_test_models.make(tmp_path / "other.gguf", 1) \
        or tmp_path / "other.gguf"
    said = talk(["in"], "-m", other, "--resume", saved, "--chat-template",
                "chatml", code=1)
    assert f"{saved}: a talk with another model; give that one" in said
    assert "a cache of F16, found F32; use the same -ctk" in talk(
        ["in"], "--resume", saved, "-ctk", "f32", code=1)
    # The same file but for one byte of one weight, not among the first.
    trained = tmp_path / "trained.gguf"
    data = bytearray(TINY.read_bytes())
    tensor = gguf.GGUFReader(TINY).tensors[5]
    data[tensor.data_offset + tensor.n_bytes - 9] ^= 1
    trained.write_bytes(data)
    assert "another model" in talk(["in"], "-m", trained, "--resume", saved,
                                   code=1)


def save_under(limit, path, restore):
    """Save, in a world where no file is longer than so many bytes."""
    return subprocess.run(
        [ROOT / "chapter-08/run", "--chat", *map(str, PLAIN), "--save", path],
        cwd=ROOT, input=b"the words\n", capture_output=True, check=False,
        timeout=60, restore_signals=restore, preexec_fn=lambda:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))


def test_death_and_a_full_disk_leave_the_old_talk(tmp_path):
    saved = tmp_path / "talk"
    talk(["the model"], "--save", saved)
    before = saved.read_bytes()
    # No more room: one sentence, and nothing left behind.
    full = save_under(4096, saved, restore=False)
    assert full.returncode == 1
    assert full.stderr.count(b"\n") == 1 and str(saved).encode() \
        in full.stderr
    assert list(tmp_path.iterdir()) == [saved]
    # The system kills it in the middle of a write.
    killed = save_under(4096, saved, restore=True)
    assert killed.returncode == -signal.SIGXFSZ
    assert saved.read_bytes() == before
    for delay in (0.001, 0.004, 0.007, 0.01, 0.015, 0.02, 0.03):
        run = subprocess.Popen(
            [ROOT / "chapter-08/run", "--chat", *map(str, PLAIN)], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        run.stdin.write(b"the words\n" + f"/save {saved}\n".encode() * 200)
        run.stdin.close()
        run.stdout.readline()               # it begins to save
        time.sleep(delay)
        run.kill()
        run.wait()
        run.stdout.close()
        assert len(answers(["in"], "--resume", saved)) == 1


def test_somebody_at_a_terminal(tmp_path):
    """Is asked, is told what cannot be done, and Ctrl-C at an empty line
    ends the talk, which is saved."""
    saved = tmp_path / "talk"
    master, slave = pty.openpty()
    run = subprocess.Popen(
        [ROOT / "chapter-08/run", "--chat", *map(str, PLAIN), "--save",
         saved], cwd=ROOT, stdin=slave, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    os.write(master, b"/undo\n/nothing\nthe model\n")
    first = run.stdout.readline()
    time.sleep(0.2)                         # until it waits for a line
    run.send_signal(signal.SIGINT)
    out, said = run.communicate(timeout=60)
    os.close(slave)
    os.close(master)
    assert run.returncode == 0 and out == b""
    assert [first.decode().rstrip("\n")] == answers(["the model"])
    assert said.count(b"> ") == 4
    assert b"nothing that could be taken back\n" in said
    assert b"no command /nothing" in said
    assert saved.exists()


def typed(steps, *options):
    """Type, or call, and wait a moment; what is written and said, the
    prompts of --show-prompt among it, and the code."""
    master, slave = pty.openpty()
    run = subprocess.Popen(
        [ROOT / "chapter-08/run", *map(str, [*PLAIN, "-n", 3, *options])],
        cwd=ROOT, stdin=slave, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    time.sleep(0.3)
    for step in steps:
        if callable(step):
            step(run)
        else:
            os.write(master, step)
        time.sleep(0.25)
    out = run.communicate(timeout=60)[0].decode()
    os.close(slave)
    os.close(master)
    return out, run.returncode


def test_mistakes_at_a_terminal(tmp_path):
    """End nothing."""
    out, code = typed([b"/system be brief\nthe model\n/exit now\n/undo\n",
                       b"x " * 2100 + b"\n", b"/exit\n"],
                      "--chat", "--chat-template", "mistral-v0.2")
    assert "has no place for a system prompt" in out
    assert "/exit stands alone" in out and "[taken back]" in out
    assert "a line of more than 4094 bytes" in out
    assert code == 0 and out.count("> ") == 6
    # Ctrl-C behind the first line of a message drops it.
    interrupt = lambda run: run.send_signal(signal.SIGINT)
    out, code = typed([b"half of it\\\n", interrupt, b"the model\n",
                       b"/exit\n"], "--chat", "--show-prompt")
    assert code == 0 and out.count("prompt, ") == 1 and "half" not in out
    # The folder is gone when the talk ends.
    folder, other = tmp_path / "folder", tmp_path / "other"
    folder.mkdir()
    out, code = typed([b"a\n", lambda run: folder.rmdir(), b"/exit\n",
                       f"{other}\n".encode()], "--chat", "--save",
                      folder / "talk")
    assert code == 0 and "Another name" in out and other.exists()


def test_two_models_at_a_terminal(tmp_path):
    """The second is full: both have not heard it, and there is room when
    something is taken back."""
    small = engine.rewrite(TINY, tmp_path / "small.gguf",
                           {"llama.context_length": 64})
    line = b"the rain in the plain\n"
    out, code = typed([line, line, line, b"/undo\n", b"a\n/help\n/exit\n"],
                      "--compare", TINY, small)
    assert code == 0 and out.count("/undo and /reset make room.") == 1
    assert out.count(f"{small}:") == 3 and out.count("[taken back]") == 1
    assert out.count("begin again") == 1


def test_a_full_context():
    lines = ["the rain in the plain"] * 9
    ends = subprocess.run(
        [ROOT / "chapter-08/run", "--chat", "-c", "64", *map(str, PLAIN)],
        cwd=ROOT, input="\n".join(lines).encode(), capture_output=True,
        check=True)
    assert ends.stderr == (b"The context of 64 tokens is full, and the talk "
                           b"ends; see -c, --context-shift.\n")
    some = [json.loads(line) for line in talk(
        lines, "-c", 64, "--json").splitlines()]
    assert len(some) < 9 and some[-1]["finish_reason"] == "length"
    assert some[-1]["completion_tokens"] == 0
    assert len(answers(lines, "-c", 64, "--context-shift")) == 9
    # What a shift has moved cannot be taken back.
    assert "nothing that could be" in talk(
        [*lines, "/undo", "/undo", "/undo", "/undo"], "-c", 64,
        "--context-shift", code=1)
    # A message that is longer than all of it.
    assert "use a larger -c" in talk(["word " * 200], "-c", 64, code=1)


def saved_turns(path):
    """How many tokens a file holds, and where its turns begin."""
    data = path.read_bytes()
    n_tokens, n_turns = struct.unpack_from("II", data, 100)
    turns = struct.unpack_from(f"{2 * n_turns}i", data, 120 + 4 * n_tokens)
    return struct.unpack_from(f"{n_tokens}i", data, 120), turns


def test_a_shifted_talk_can_be_resumed(tmp_path):
    """Its turns begin where messages do, or are gone; the system prompt and
    the first message are whole."""
    saved = tmp_path / "talk"
    rain = ["in the plain", *["the rain"] * 3]
    plenty = ["--context-shift", "--ignore-eos", "-sys", "be brief"]
    cases = [(["a", "a", "a", "the rain", "a b c"], 64, 3, 9003),
             (["in the plain", *["the rain"] * 2, "hello you there",
               "the rain", "/retry"], 96, 5, 683)]
    cases += [(rain + ["/retry"] * (n % 2), c, n, n)
              for n in (1, 2, 5, 8, 13, 30) for c in (96, 128)]
    for i, (lines, c, n, seed) in enumerate(cases):
        saved.unlink(missing_ok=True)
        more = plenty if i > 1 else plenty[:2]
        # A talk that was shifted just now has nothing for /retry.
        subprocess.run(
            [ROOT / "chapter-08/run", *map(str, [
                "--chat", *PLAIN, "-c", c, "-n", n, "-s", seed, *more,
                "--save", saved])], cwd=ROOT, capture_output=True,
            input="\n".join(lines).encode(), check=False, timeout=60)
        ids, turns = saved_turns(saved)
        for begin, answer in zip(turns[::2], turns[1::2]):
            assert ids[begin] == (2 if begin else 1)
            assert ids[answer - 1] == 201
            assert ids[begin:answer].count(1) == (2 if begin or i < 2 else 3)
        talk(["a"], "-c", c, "-n", n, "--context-shift", "--resume", saved)
        assert i < 2 or (
            b"<|im_start|>system\nbe brief<|im_end|>\n"
            b"<|im_start|>user\nin the plain<|im_end|>\n"
            b"<|im_start|>assistant\n") in saved.read_bytes()


def test_nothing_is_lost_at_the_end(tmp_path):
    """A name that cannot be is told before the first word; a talk that
    fails is saved; and what is no talk is not replaced."""
    assert "cannot create it" in talk(["a"], "--save", tmp_path / "no/x",
                                      code=1)
    saved, letter = tmp_path / "talk", tmp_path / "letter"
    assert "no command /no" in talk(["the model", "/no"], "--save", saved,
                                    code=1)
    assert answers(["in"], "--resume", saved) == answers(
        ["the model", "in"])[1:]
    letter.write_bytes(b"Dear Ann, LLLTALK1")
    assert "expected nothing or a saved talk" in talk(
        ["a"], "--save", letter, code=1)
    assert "expected nothing or a saved talk" in talk(
        ["a", f"/save {letter}"], code=1)
    assert letter.read_bytes() == b"Dear Ann, LLLTALK1"
    assert "leave -sys out" in talk(["a"], "--resume", saved, "-sys", "b",
                                    code=2)


@pytest.mark.skipif(sys.platform != "linux", reason="as test_memory.py")
def test_ten_thousand_tokens(counter, tmp_path):
    """Nothing is asked for while they are said; a talk that is saved asks
    for what the plan says."""
    path = tmp_path / "long.gguf"
    make_test_models.make(path, 1, n_layers=1, n_context=12000, d_model=32,
                          d_ff=32, head_dim=16, n_heads=2, n_kv_heads=1)
    options = ["-m", path, "--chat", "-c", 12000, "-n", 64, "-t", 1,
               "--temp", 1, "-s", 1, "--ignore-eos", "-q", "--json"]
    line = b"the rain in the plain, and the words of a model\n"
    for n, more in ((100, []), (3, ["--save", tmp_path / "talk"])):
        expected = plan(*options, *more)["memory"]["total"]
        said, got = counted(counter, tmp_path, [
            ROOT / "chapter-08/run", *options, *more], input=line * n)
        turns = [json.loads(turn) for turn in said.splitlines()]
        assert len(turns) == n
        assert sum(t["prompt_tokens"] + t["completion_tokens"]
                   for t in turns) > 100 * n
        assert got["program"] == expected and got["left"] == 0
        assert got["late"] == 0 or more
        assert got["anonymous"] <= expected + 4 * 10**6


def test_the_prompt_of_the_real_model(smollm2):
    """Its own system prompt, or another one, as its own template says."""
    template = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True).from_string(SMOLLM2)
    for system in (None, "Be brief.", ""):
        messages = [{"role": "user", "content": "Hi <|im_end|> 🦙"}]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        got = json.loads(talk(
            ["Hi <|im_end|> 🦙"], "-m", smollm2, "--show-prompt", "-n", 0,
            "--json", *(["-sys", system] if system is not None else [])))
        assert got["prompt"] == template.render(
            messages=messages, add_generation_prompt=True)
        assert got["ids"].count(2) == len(messages) + (system is None)
    said = engine.run("-m", smollm2, "-p", "Hi there", "-n", 0,
                      "--show-prompt")
    assert said == "prompt, 2 tokens:\nHi| there|\n"


def test_templates_of_files(tmp_path):
    """Recognised in a file, exactly one BOS, and named ones."""
    for name, template, marks in (("llama2", LLAMA2, 2),
                                  ("mistral-v3", MISTRAL_3, 1)):
        path = engine.rewrite(TINY, tmp_path / f"{name}.gguf", {
            "tokenizer.ggml.bos_token_id": 0,
            "tokenizer.ggml.add_bos_token": True,
            "tokenizer.chat_template": template})
        saved = tmp_path / name
        talk(["a", "b"], "-m", path, "--save", saved)
        assert saved.read_bytes().count(b"<|endoftext|>") == marks
        fed = shown(["a"], "-m", path)[0]
        assert fed[0] == 0 and fed.count(0) == 1
        assert shown(["a"], "--chat-template", name)[0][-3:] == fed[-3:]
    assert "moves the system prompt to the last message" in talk(
        ["a", "b"], "-m", path, "-sys", "c", code=1)
    strange = engine.rewrite(TINY, tmp_path / "strange.gguf",
                             {"tokenizer.chat_template": "{{ messages }}"})
    said = talk(["a"], "-m", strange, code=1)
    assert "say so with --chat-template NAME (chatml, zephyr, llama2" in said
    assert answers(["a"], "-m", strange, "--chat-template", "chatml") \
        == answers(["a"])
    assert "--chat-template alpaca: expected one of chatml" in talk(
        ["a"], "--chat-template", "alpaca", code=1)


def test_two_models(tmp_path):
    other = tmp_path / "other.gguf"
    make_test_models.make(other, 3, n_context=512)
    lines = ["the model", "/undo", "the words", "numbers"]
    both = ["--compare", TINY, other, *PLAIN]
    run = lambda *more, **k: engine.run(
        *both, *more, input=("\n".join(lines) + "\n").encode(), **k)
    alone = [answers(lines, "-m", path) for path in (TINY, other)]
    said = [json.loads(line) for line in run("--json").splitlines()]
    assert [s["text"] for s in said] == [
        alone[i % 2][i // 2] for i in range(6)]
    assert [s["model"] for s in said[:2]] == [str(TINY), str(other)]
    assert run() == "".join(f"{s['model']}:\n{s['text']}\n" for s in said)
    fed = engine.run(*both, "--json", "--show-prompt", "-n", 0, input=b"a\n")
    assert [json.loads(f)["model"] for f in fed.splitlines()] == [
        str(TINY), str(other)]
    assert "--compare wants two model files" in engine.run(
        "--compare", TINY, code=2)
    assert "each do another thing" in engine.run(
        *both, "--chat", code=2)


def in_columns(first, *options):
    """The lines on a terminal of 120 columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    subprocess.run([ROOT / "chapter-08/run", "--compare", first, TINY,
                    *map(str, PLAIN), "-n", "60", *options], cwd=ROOT,
                   input=b"the model\nthe words\n/exit\n", stdout=slave,
                   check=True, timeout=60,
                   env={**environment, "NO_COLOR": "1"})
    os.close(slave)
    shown_lines = os.read(master, 1 << 16).decode().split("\r\n")
    os.close(master)
    return shown_lines


def test_two_models_in_columns(tmp_path):
    shown_lines = in_columns(TINY)
    assert shown_lines[0].split() == ["tiny.gguf", "tiny.gguf"]
    lines = [line for line in shown_lines[1:] if line]
    assert len(lines) > 4
    for line in lines:
        assert len(line) <= 118
        assert line[:58].strip() == line[61:].strip()
        assert line[58:61].strip() == ""
    # What a terminal would obey is wider than it was, in a name too.
    strange = tmp_path / ("\x1b[31m" + "é" * 70 + ".gguf")
    strange.write_bytes(TINY.read_bytes())
    hot = in_columns(strange, "--temp", "100", "--top-k", "0", "--top-p",
                     "1", "--min-p", "0")
    assert "\\x" in "".join(hot[1:]) and "\x1b" not in "".join(hot)
    assert hot[0].index("tiny.gguf") == 61 and "\\x1b" in hot[0]
    assert max(map(len, hot)) <= 119
    words = " ".join(line[61:] for line in lines).split()
    assert words == " ".join(answers(["the model", "the words"], "-n",
                                     60)).split()
