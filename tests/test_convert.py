"""Conversion of whole models: which tensor becomes what, what a file is at
every moment, and what is refused."""

import os
import pty
import random
import resource
import signal
import subprocess
import time
from pathlib import Path

import gguf
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "chapter-07" / "run"
LAYERS = 17


@pytest.fixture(scope="module", autouse=True)
def program():
    subprocess.run(["make", "-s", "chapter-07"], cwd=ROOT, check=True)


def run(*words, **more):
    return subprocess.run([RUN, *map(str, words)], cwd=ROOT, text=True,
                          capture_output=True, check=False, **more)


def llama(path, width=256, ffn=512, layers=LAYERS, tied=False, most=0,
          heads=None):
    """A model of random numbers under a Llama's names; in several files of
    at most so many tensors, where `most` is given."""
    make = np.random.default_rng(3).standard_normal
    out = gguf.GGUFWriter(path, "llama", split_max_tensors=most)
    out.add_block_count(layers)
    if heads is not None:
        out.add_head_count(heads[0])
        out.add_head_count_kv(heads[1])
    out.add_string("general.name", "random ä")
    out.add_file_type(0)
    out.add_array("tokenizer.ggml.tokens", ["a", "b"])
    shapes = {"token_embd.weight": (64, width),
              "output_norm.weight": (width,)}
    if not tied:
        shapes["output.weight"] = (64, width)
    for i in range(layers):
        shapes |= {f"blk.{i}.{name}.weight": shape for name, shape in {
            "attn_norm": (width,), "attn_q": (16, width),
            "attn_k": (8, width), "attn_v": (8, width),
            "attn_output": (16, width), "ffn_gate": (8, width),
            "ffn_up": (8, width), "ffn_down": (8, ffn)}.items()}
    for name, shape in shapes.items():
        out.add_tensor(name, make(shape).astype(np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path


def types(path):
    return {t.name: t.tensor_type.name for t in gguf.GGUFReader(path).tensors}


# Of 17 layers those that llama-quantize gives more bits, and its tables. That
# each tensor of SmolLM2 takes the type that llama-cpp-python 0.3.36 chooses
# was compared by hand, for Q2_K, Q6_K and the recipes with a _S, _M or _L.
EVERY_THIRD = {0, 1, 4, 7, 10, 13, 14, 15, 16}
RECIPES = {
    # name: number, most, output, attn_v, ffn_down, attn_output
    "Q3_K_S": (11, "Q3_K", "Q6_K", {}, {}, "Q3_K"),
    "Q3_K_M": (12, "Q3_K", "Q6_K", {"Q5_K": {0, 1}, "Q4_K": None},
               {"Q5_K": {0}, "Q4_K": None}, "Q4_K"),
    "Q3_K_L": (13, "Q3_K", "Q6_K", {"Q5_K": None}, {"Q5_K": None}, "Q5_K"),
    "Q4_K_S": (14, "Q4_K", "Q6_K", {"Q5_K": {0, 1, 2, 3}}, {"Q5_K": {0, 1}},
               "Q4_K"),
    "Q4_K_M": (15, "Q4_K", "Q6_K", {"Q6_K": EVERY_THIRD},
               {"Q6_K": EVERY_THIRD}, "Q4_K"),
    "Q5_K_S": (16, "Q5_K", "Q6_K", {}, {}, "Q5_K"),
    "Q5_K_M": (17, "Q5_K", "Q6_K", {"Q6_K": EVERY_THIRD},
               {"Q6_K": EVERY_THIRD}, "Q5_K"),
    "Q6_K": (18, "Q6_K", "Q6_K", {}, {}, "Q6_K"),
    "Q2_K": (10, "Q2_K", "Q6_K", {"Q3_K": None}, {"Q3_K": None}, "Q3_K"),
    "Q4_K": (14, "Q4_K", "Q4_K", {}, {}, "Q4_K"),
    "Q4_0": (2, "Q4_0", "Q4_0", {}, {}, "Q4_0"),
    "Q5_1": (9, "Q5_1", "Q5_1", {}, {}, "Q5_1"),
}
SHORT = {"Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1",
         "Q6_K": "Q8_0"}


def expected(name, names, tied=False):
    _, most, output, attn_v, ffn_down, attn_output = RECIPES[name]
    found = {}
    for tensor in names:
        special = {"attn_v": attn_v, "ffn_down": ffn_down}
        parts = tensor.split(".")
        kind = most
        if "norm" in tensor:
            kind = "F32"
        elif tensor == ("token_embd.weight" if tied else "output.weight"):
            kind = output
        elif parts[0] == "blk" and parts[2] == "attn_output":
            kind = attn_output
        elif parts[0] == "blk" and parts[2] in special:
            for more, layers in special[parts[2]].items():
                if layers is None or int(parts[1]) in layers:
                    kind = more
                    break
        found[tensor] = kind
    return found


@pytest.mark.parametrize("name", RECIPES)
def test_recipes(tmp_path, name):
    llama(tmp_path / "in.gguf")
    done = run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
               "--type", name)
    assert done.returncode == 0, done.stderr
    found = types(tmp_path / "out.gguf")
    assert found == expected(name, found)
    reader = gguf.GGUFReader(tmp_path / "out.gguf")
    assert reader.get_field("general.file_type").contents() \
        == RECIPES[name][0]
    assert f"{len(found)} tensors as {name}: " in done.stderr


@pytest.mark.parametrize("heads,kind", [((8, 2), "Q4_K"), ((9, 3), "Q3_K"),
                                        ((8, 8), "Q3_K")])
def test_values_that_many_heads_share(tmp_path, heads, kind):
    """Q2_K spends bits on attn_v where four heads share it, or more."""
    llama(tmp_path / "in.gguf", layers=2, heads=heads)
    assert run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
               "--type", "q2_k").returncode == 0
    found = types(tmp_path / "out.gguf")
    assert found["blk.0.attn_v.weight"] == found["blk.1.attn_v.weight"] \
        == kind


def test_tied_embeddings_are_the_output(tmp_path):
    llama(tmp_path / "in.gguf", layers=1, tied=True)
    for name in ("q4_k_m", "q4_0"):
        assert run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
                   "--type", name).returncode == 0
        found = types(tmp_path / "out.gguf")
        assert found["token_embd.weight"] == \
            ("Q6_K" if name == "q4_k_m" else "Q4_0")


@pytest.mark.parametrize("name", ["Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M",
                                  "Q6_K"])
def test_short_rows_fall_back_by_name(tmp_path, name):
    """Rows of 96 in all but ffn_down: every type has its next one."""
    llama(tmp_path / "in.gguf", width=96)
    done = run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
               "--type", name, "-v")
    found = types(tmp_path / "out.gguf")
    wanted = expected(name, found)
    fell = {t: k for t, k in wanted.items()
            if k != "F32" and "ffn_down" not in t}
    assert found == {**wanted, **{t: SHORT[k] for t, k in fell.items()}}
    for kind in set(fell.values()):
        n = list(fell.values()).count(kind)
        assert f"{n} tensor{'s' if n > 1 else ''} as {SHORT[kind]}, not " \
            f"{kind}: rows that its blocks of 256 do not divide" \
            in done.stderr
    for tensor, kind in fell.items():
        line, = [text for text in done.stderr.splitlines()
                 if text.startswith(tensor + " ")]
        assert line.split() == [tensor, "F32", "->", SHORT[kind], "not",
                                f"{kind}:", "rows", "of", "96"]
    assert all(len(line) <= 80 for line in done.stderr.splitlines())


def test_one_type_falls_back_to_two(tmp_path):
    """By the length of the rows: each is said."""
    out = gguf.GGUFWriter(tmp_path / "in.gguf", "llama")
    for i, width in enumerate((33, 96, 64, 64)):
        out.add_tensor(f"x{i}.weight", np.ones((4, width), dtype=np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    done = run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
               "--type", "q4_k")
    assert list(types(tmp_path / "out.gguf").values()) \
        == ["F16", "Q5_0", "Q5_0", "Q5_0"]
    assert "1 tensor as F16, not Q4_K" in done.stderr
    assert "3 tensors as Q5_0, not Q4_K" in done.stderr


def test_metadata_and_vectors_stay(tmp_path):
    llama(tmp_path / "in.gguf", layers=2)
    run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf", "--type",
        "q8_0")
    a = gguf.GGUFReader(tmp_path / "in.gguf")
    b = gguf.GGUFReader(tmp_path / "out.gguf")
    own = {"general.file_type", "general.quantization_version"}
    kept = [n for n in a.fields if not n.startswith("GGUF.") and n not in own]
    assert [n for n in b.fields
            if not n.startswith("GGUF.") and n not in own] == kept
    for name in kept:
        assert [bytes(p) for p in a.fields[name].parts] \
            == [bytes(p) for p in b.fields[name].parts], name
    assert b.get_field("general.file_type").contents() == 7
    old = {t.name: t for t in a.tensors}
    for tensor in b.tensors:
        assert tuple(tensor.shape) == tuple(old[tensor.name].shape)
        if "norm" in tensor.name:
            assert tensor.data.tobytes() == old[tensor.name].data.tobytes()


def test_a_type_that_stays_keeps_its_bytes(tmp_path):
    llama(tmp_path / "in.gguf", layers=1)
    for source, target in (("in", "a"), ("a", "b")):
        assert run("convert", tmp_path / f"{source}.gguf",
                   tmp_path / f"{target}.gguf", "--type",
                   "q4_k").returncode == 0
    assert (tmp_path / "a.gguf").read_bytes() \
        == (tmp_path / "b.gguf").read_bytes()
    done = run("convert", tmp_path / "a.gguf", tmp_path / "c.gguf", "--type",
               "q8_0")
    assert "had few bits before: what was lost stays lost" in done.stderr


def test_any_number_of_threads(tmp_path):
    llama(tmp_path / "in.gguf", layers=2)
    made = set()
    for threads in (1, 2, 3, 17):
        assert run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
                   "--type", "Q4_K_M", "-t", threads).returncode == 0
        made.add((tmp_path / "out.gguf").read_bytes())
    assert len(made) == 1


def test_the_lowest_bad_row_is_named(tmp_path):
    """Whichever thread meets one first."""
    values = np.ones((600, 256), dtype=np.float32)
    values[[77, 78, 99, 300, 599], 5] = np.nan
    out = gguf.GGUFWriter(tmp_path / "in.gguf", "llama")
    out.add_tensor("bad.weight", values)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    for _ in range(5):
        done = run("convert", tmp_path / "in.gguf", tmp_path / "out.gguf",
                   "--type", "q4_k", "-t", 5)
        assert done.returncode == 1
        assert "bad.weight: row 77, number 5 is nan in the file" \
            in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["in.gguf"]


def test_split_input(tmp_path):
    whole = llama(tmp_path / "in.gguf", layers=2)
    (tmp_path / "parts").mkdir()
    llama(tmp_path / "parts" / "m.gguf", layers=2, most=5)
    parts = sorted((tmp_path / "parts").iterdir())
    assert len(parts) > 3
    run("convert", whole, tmp_path / "a.gguf", "--type", "q4_k")
    done = run("convert", parts[0], tmp_path / "b.gguf", "--type", "q4_k")
    assert done.returncode == 0, done.stderr
    a = gguf.GGUFReader(tmp_path / "a.gguf")
    b = gguf.GGUFReader(tmp_path / "b.gguf")
    assert [(t.name, t.data.tobytes()) for t in a.tensors] \
        == [(t.name, t.data.tobytes()) for t in b.tensors]
    assert not any("split" in name for name in b.fields)
    before = parts[2].read_bytes()
    done = run("convert", parts[0], parts[2], "--type", "q4_k")
    assert done.returncode == 1 and "is the file that is" in done.stderr
    assert parts[2].read_bytes() == before


def test_out_is_in(tmp_path):
    source = llama(tmp_path / "in.gguf", layers=1)
    before = source.read_bytes()
    (tmp_path / "link.gguf").symlink_to(source)
    for name in ("in.gguf", "link.gguf", "./in.gguf"):
        done = run("convert", source, f"{tmp_path}/{name}", "--type", "q8_0")
        assert done.returncode == 1
        assert "is the file that is converted" in done.stderr
    assert source.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_what_was_there_is_replaced_at_the_end(tmp_path):
    source = llama(tmp_path / "in.gguf", layers=1)
    target = tmp_path / "out.gguf"
    target.write_text("old")
    assert run("convert", source, target, "--type",
               "q8_0").returncode == 0
    assert target.read_bytes()[:4] == b"GGUF"
    source.write_bytes(source.read_bytes()[:-64])       # cut off
    before = target.read_bytes()
    done = run("convert", source, target, "--type", "q8_0")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert target.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) \
        == ["in.gguf", "out.gguf"]


def test_a_full_disk(tmp_path):
    """A limit on the size of files is as good as a disk that is full."""
    source = llama(tmp_path / "in.gguf")

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

    done = run("convert", source, tmp_path / "out.gguf", "--type", "q8_0",
               preexec_fn=limit)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "out.gguf: cannot write after" in done.stderr
    assert "make room or choose another folder; nothing was written" \
        in done.stderr
    assert run("convert", source, tmp_path / "out.gguf", "--type",
               "q8_0").returncode == 0
    size = sum(t.data.nbytes
               for t in gguf.GGUFReader(tmp_path / "out.gguf").tensors)
    assert f"its tensors alone take {size / 1024:.2f} KiB" in done.stderr
    (tmp_path / "out.gguf").unlink()
    assert [p.name for p in tmp_path.iterdir()] == ["in.gguf"]


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A file whose conversion takes a while, and the seconds."""
    folder = tmp_path_factory.mktemp("slow")
    path = folder / "in.gguf"
    out = gguf.GGUFWriter(path, "llama")
    values = np.random.default_rng(1).standard_normal((400, 4096))
    out.add_tensor("x.weight", values.astype(np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    start = time.monotonic()
    assert run("convert", path, folder / "whole.gguf", "--type",
               "q2_k").returncode == 0
    return path, (folder / "whole.gguf").read_bytes(), \
        time.monotonic() - start


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM,
                                    signal.SIGINT, signal.SIGHUP])
def test_killed_at_any_moment(tmp_path, slow, number):
    source, whole, seconds = slow
    target = tmp_path / "out.gguf"
    pick = random.Random(int(number))
    stopped = 0
    for turn in range(6):
        old = b"old" if turn % 2 else None
        for path in tmp_path.iterdir():
            path.unlink()
        if old:
            target.write_bytes(old)
        child = subprocess.Popen(
            [RUN, "convert", source, target, "--type", "q2_k"],
            stderr=subprocess.PIPE, text=True)
        time.sleep(pick.uniform(0, seconds))
        child.send_signal(number)
        said = child.communicate()[1]
        there = target.read_bytes() if target.exists() else None
        left = {p.name for p in tmp_path.iterdir()} - {"out.gguf"}
        if child.returncode == 0:
            assert there == whole and not left      # it was done before
            continue
        stopped += 1
        # Killed between the renaming and the end, it may be whole.
        assert there == old or (there == whole and number == signal.SIGKILL)
        if number == signal.SIGKILL:
            assert len(left) <= 1
            assert all(name.startswith("out.gguf.partial-") for name in left)
        else:
            assert not left
            # Before the handler stands, the signal does what it always does.
            assert child.returncode == -number \
                or (child.returncode == 1 and "stopped; nothing" in said)
    assert stopped > 0


def test_what_is_ignored_stays_ignored(tmp_path, slow):
    """As under nohup, and in the background of a script."""
    source, whole, seconds = slow
    for number in (signal.SIGINT, signal.SIGHUP):
        child = subprocess.Popen(
            [RUN, "convert", source, tmp_path / "out.gguf", "--type", "q2_k"],
            stderr=subprocess.PIPE,
            preexec_fn=lambda n=number: signal.signal(n, signal.SIG_IGN))
        for _ in range(5):
            time.sleep(seconds / 6)
            child.send_signal(number)
        child.communicate()
        assert child.returncode == 0
        assert (tmp_path / "out.gguf").read_bytes() == whole


def on_terminal(*words, number=None):
    """The program with a terminal for its errors, and what stood there."""
    here, there = pty.openpty()
    child = subprocess.Popen([RUN, *map(str, words)], cwd=ROOT, stderr=there,
                             stdout=subprocess.DEVNULL)
    os.close(there)
    said = b""
    while True:
        try:
            more = os.read(here, 4096)
        except OSError:             # Linux says so at the end
            break
        if not more:
            break
        said += more
        if number is not None and b" %" in said:
            child.send_signal(number)
            number = None
    os.close(here)
    return child.wait(), said.decode()


def test_the_bar_ends_its_line(tmp_path, slow):
    code, said = on_terminal("convert", slow[0], tmp_path / "out.gguf",
                             "--type", "q2_k")
    bar, _, rest = said.partition("\n")
    assert code == 0
    assert bar.endswith("] 100 %\r") and "converting" not in rest
    assert rest.startswith("1 tensor as Q2_K: ")
    code, said = on_terminal("convert", slow[0], tmp_path / "no.gguf",
                             "--type", "q2_k", number=signal.SIGINT)
    bar, _, rest = said.partition("\n")
    assert code == 1
    assert bar.endswith(" %\r") and "100 %" not in bar
    assert "stopped; nothing was written" in rest
    assert [p.name for p in tmp_path.iterdir()] == ["out.gguf"]
