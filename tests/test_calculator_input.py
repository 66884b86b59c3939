"""What chapter 2 says to configurations with something wrong in them, to
flags that contradict each other, and in a conversation."""

import json
import subprocess

import pytest

from conftest import ROOT
from test_calculator import run

pytestmark = pytest.mark.usefixtures("calculator")

GOOD = """{
    "architecture": "llama",
    "n_layers": 2,
    "d_model": 64,
    "n_heads": 4,
    "vocab_size": 100,
    "context_length": 32
}
"""
# What to replace, by what, and the sentence behind the name of the file.
WRONG = [
    ('"n_heads"', '"n_haeds"', 'line 5: found an unknown key n_haeds, '
     'expected n_heads?'),
    ('"n_heads"', '"something"', 'line 5: found an unknown key something, '
     'expected one like n_layers; a Hugging Face file has model_type beside '
     'it'),
    ('"llama"', '"mamba"', 'line 2: architecture: found "mamba", expected '
     'llama, gpt2, gptneox or stablelm'),
    ('"llama"', '7', 'line 2: architecture: found 7, expected llama, gpt2, '
     'gptneox or stablelm'),
    ('    "architecture": "llama",\n', '', 'the key architecture is missing,'
     ' expected llama, gpt2, gptneox or stablelm'),
    ('    "n_layers": 2,\n', '', 'the key n_layers is missing, expected a '
     'whole number'),
    ('2,', 'null,', 'the key n_layers is missing, expected a whole number'),
    ('2,', '0,', 'line 3: n_layers: found 0, expected a whole number from 1 '
     'to 16777216'),
    ('2,', '-1,', 'line 3: n_layers: found -1, expected a whole number from '
     '1 to 16777216'),
    ('2,', '2.5,', 'line 3: n_layers: found 2.5, expected a whole number '
     'from 1 to 16777216'),
    ('2,', '"2",', 'line 3: n_layers: found "2", expected a whole number '
     'from 1 to 16777216'),
    ('2,', '[{"n_layers": 3}],', 'line 3: n_layers: found [{"n_layers":3}], '
     'expected a whole number from 1 to 16777216'),
    ('2,', '99999999,', 'line 3: n_layers: found 99999999, expected a whole '
     'number from 1 to 16777216'),
    ('2,', '5000,', 'layers: found 5000, expected 1 to 4096'),
    ('2,', '2, "n_layer": 3,', 'line 3: found n_layer beside n_layers, '
     'expected one of the two, or the same in both'),
    ('64,', '65,', '4 heads do not divide a width of 65, expected a division'
     ' that comes out even, or the width of a head'),
    ('32\n', '32, "n_kv_heads": 3\n', '3 key-value heads do not divide 4 '
     'query heads'),
    ('32\n', '32,\n "tied": 1\n', 'line 8: tied: found 1, expected true or '
     'false'),
    ('32\n', '32,\n "rope_theta": 1, "rope_parameters": {\n  "rope_theta": 2'
     '}\n', 'line 9: found rope_theta in rope_parameters beside rope_theta, '
     'expected one of the two, or the same in both'),
    ('32\n', '32,\n "rope_parameters": {\n"rope_theta": 2},\n "rope_theta": '
     '1.5\n', 'line 10: found rope_theta beside rope_theta in '
     'rope_parameters, expected one of the two, or the same in both'),
    ('32\n', '32, "rope_parameters": {"rope_fraction": 2}\n', 'line 7: '
     'rope_fraction: found 2, expected a number above 0 and up to 1'),
    ('32\n', '32, "batch_size": 65537\n', 'line 7: batch_size: found 65537, '
     'expected a whole number from 1 to 65536, or 0 for not said'),
    ('32\n', '32, "batch_size": -1\n', 'line 7: batch_size: found -1, '
     'expected a whole number from 1 to 65536, or 0 for not said'),
    # A third of the letters, and half of them.
    ('"n_heads"', '"n_hea"', 'line 5: found an unknown key n_hea, expected '
     'n_head?'),
    ('32\n', '32, "foo": 1\n', 'line 7: found an unknown key foo, expected '
     'one like n_layers; a Hugging Face file has model_type beside it'),
    # With escapes it is the same key to a reader, and found nowhere.
    ('"n_heads"', '"n_h\\u0065\\u0061ds": 4, "n_hae\\u0064s"', 'found an '
     'unknown key n_haeds, expected n_heads?'),
    ('2,', '"' + 29 * "\u00fc" + '\u20ac\u20ac",', 'line 3: n_layers: found '
     '"' + 29 * "\u00fc" + ', expected a whole number from 1 to 16777216'),
    ('32\n', '32, "name": 5\n', 'line 7: name: found 5, expected a text'),
    ('32\n', '32, "rope_fraction": 2\n', 'line 7: rope_fraction: found 2, '
     'expected a number above 0 and up to 1'),
    ('32\n', '32, "norm_eps": -1\n', 'line 7: norm_eps: found -1, expected a '
     'number above 0'),
    ('32\n', '32, "qk_layernorm": true\n', 'line 7: qk_layernorm: found true'
     ', expected false: norms inside of attention cannot be described'),
]


@pytest.mark.parametrize("old, new, sentence", WRONG,
                         ids=[new.strip()[:40] for _, new, _ in WRONG])
def test_wrong_configurations(tmp_path, old, new, sentence):
    path = tmp_path / "c.json"
    assert GOOD.count(old) == 1
    path.write_text(GOOD.replace(old, new))
    assert run("--config", path, code=1) == f"error: {path}: {sentence}\n"


# What several keys say, if they say the same; and null, which says nothing.
SAME = [
    ('2,', '2, "n_layer": 2, "num_hidden_layers": 2,'),
    ('32\n', '32, "rope_theta": 10000, "rope_parameters": {"rope_theta": '
     '10000.0, "partial_rotary_factor": 1}, "rope_'
     'fraction": 1.0, "rotary_emb_base": 1e4, "note": ""\n'),
    ('32\n', '32, "model_type": null, "batch_size": 0, "batch": null\n'),
    ('32\n', '32, "bias": false\n'),
]


@pytest.mark.parametrize("old, new", SAME)
def test_the_same_said_twice(tmp_path, old, new):
    path = tmp_path / "c.json"
    assert GOOD.count(old) == 1
    path.write_text(GOOD)
    expected = run("--config", path, "--json", "--memory", "1G")
    path.write_text(GOOD.replace(old, new))
    assert run("--config", path, "--json", "--memory", "1G") == expected


@pytest.mark.parametrize("keys", [
    {"model_type": "gpt2", "n_positions": 64, "max_position_embeddings": 64,
     "n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 100},
    {"model_type": "gpt_neox", "rotary_emb_base": 10000, "rope_theta": 1e4,
     "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
     "max_position_embeddings": 64, "vocab_size": 100,
     "rope_parameters": {"rope_theta": 10000, "partial_rotary_factor": 0.25},
     "rotary_pct": 0.25},
])
def test_files_that_two_versions_of_a_library_read(tmp_path, keys):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(keys))
    assert json.loads(run("--config", path, "--json"))["n_layers"] == 2


def test_the_order_of_keys_says_nothing(tmp_path):
    path = tmp_path / "c.json"
    for one, bias in (("qkv_bias", False), ("ffn_bias", True)):
        texts = []
        for pair in ((one, "bias"), ("bias", one)):
            values = {one: not bias, "bias": bias}
            said = "".join(f'"{key}": {json.dumps(values[key])}, '
                           for key in pair)
            path.write_text(GOOD.replace("{", "{" + said, 1).replace(
                "llama", "gpt2"))
            texts.append(run("--config", path, "--json", "--memory", "1G"))
        assert texts[0] == texts[1]
        found = json.loads(texts[0])
        assert (found[one], found["attn_out_bias"]) == (not bias, bias)


@pytest.mark.parametrize("character", ["\u00fc", "\u20ac", "\U0001f600"])
def test_names_end_with_a_whole_character(tmp_path, character):
    path = tmp_path / "c.json"
    for begin in ("", "a", "ab", "abc"):
        name = begin + 70 * character
        path.write_text(GOOD.replace("{", '{"name": "' + name + '",', 1))
        for options in (["--config", path], ["--compare", path],
                        ["--config", path, "--show-formula"],
                        ["--config", path, "--json"],
                        ["--config", path, "--n-layer", 3]):
            text = run(*options)
            assert "\\x" not in text and "\ufffd" not in text, options
            assert begin + character in text


# Here the words in the middle are the library's own.
@pytest.mark.parametrize("text, begin", [
    (GOOD[:-3], "line 7"), (GOOD.replace("2,", "2", 1), "line 4"),
    (GOOD.replace("2,", '2, "n_layers": 3,', 1), "line 3"),
    (GOOD.replace("2,", "99999999999999999999,"), "line 3"),
    ("nothing", "line 1"), ("\x00", "line 1"), ('{"a": "\xff"}', "line 1"),
    ("[" * 5000, "line 1"), (GOOD + "x", "line 9"),
])
def test_what_is_no_json(tmp_path, text, begin):
    path = tmp_path / "c.json"
    path.write_bytes(text.encode("latin-1"))
    said = run("--config", path, code=1)
    assert said.startswith(f"error: {path}: {begin}, column ")
    assert said.endswith("expected JSON\n") and said.count("\n") == 1


def test_other_files(tmp_path):
    path = tmp_path / "c.json"
    path.write_text("[1]")
    assert "found a list, expected an object" in run("--config", path, code=1)
    path.write_text(" " * (1 << 20) + "{}")
    assert "expected a configuration of at most 1048576" in run(
        "--config", path, code=1)
    path.write_text("")
    assert "empty file" in run("--config", path, code=1)
    assert "cannot open it" in run("--config", tmp_path / "none", code=1)
    assert "directory" in run("--config", tmp_path, code=1)
    path.write_text("GGUF")
    assert str(path) in run("--config", path, code=1)


def test_a_model_file_is_told_by_its_first_bytes():
    assert "195,008" in run("--config", "data/tiny.gguf")
    assert "195,008" in run("--compare", "data/tiny.gguf")


def test_names_are_shown_harmlessly(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(GOOD.replace("{", '{"name": "a\\u001b[31mb\\u0007",', 1))
    for options in (["--config", path], ["--compare", path],
                    ["--config", path, "--show-formula"]):
        text = run(*options)
        assert "\x1b" not in text and "\x07" not in text
    path.write_text(GOOD.replace("{", '{"\\u001b[31m": 1,', 1))
    assert "\x1b" not in run("--config", path, code=1)


USAGE = [
    (["--arch", "bert"], "--arch bert: expected llama, gpt2, gptneox or"),
    (["--tied", "--untied"], "--tied and --untied contradict each other"),
    (["--bias", "--no-bias"], "--bias and --no-bias contradict each other"),
    (["--gguf", "data/tiny.gguf", "--n-layer", 3], "describes its model"),
    (["--gguf", "data/tiny.gguf", "--config", "x"], "give one"),
    (["--config", "data/configs/gpt2.json", "--arch", "llama"], "leave"),
    (["--config", "x", "--interactive"], "give one"),
    (["--n-layer", 0], "--n-layer"), (["--n-layer", "many"], "--n-layer"),
    (["--n-layers", 3], "did you mean --n-layer?"),
    (["--compare"], "expected the names of files"),
    (["data/configs/gpt2.json"], "several models go with --compare"),
    (["--table", "gpus", "--compare", "data/configs/gpt2.json"],
     "found --table beside --compare, where"),
    (["--list", "--table", "gpus"], "found --table beside --list, where"),
    (["--list", "--gguf", "data/tiny.gguf"], "found --gguf beside --list"),
    (["--compare", "data/configs/gpt2.json", "--list"],
     "found --compare beside --list"),
    (["--show-formula", "--json"], "found --json beside --show-formula"),
    (["--show-formula", "--mistakes"], "found --mistakes beside --show-"),
    (["--show-formula", "--memory", "1G"], "found --memory beside --show-"),
    (["--mistakes", "--lora-rank", 3], "found --lora-rank beside --mist"),
    (["--probe", "--bandwidth", 100], "give one of the two"),
    (["--table", "gpus", "--lora-rank", 3],
     "found --lora-rank beside --table gpus, where it says nothing"),
    (["--table", "gpus", "--checkpoint"], "found --checkpoint beside"),
    (["--table", "gpus", "--bandwidth", 3], "found --bandwidth or --probe"),
    (["--table", "hardware", "--arch", "gpt2"], "found --arch beside"),
    (["--table", "hardware", "--tied"], "found a size of a model beside"),
    (["--table", "block-size", "--train-block", 5], "found --train-block"),
    (["--table", "context", "-c", 5], "found --ctx-size beside"),
    (["--list", "-ctk", "f32"], "found --cache-type beside"),
    (["--list", "--sequences", 2], "found --sequences beside"),
    (["-ctk", "q4_0"], "--cache-type q4_0: expected f16, f32 or q8_0"),
    (["-ctk", "foo"], "--cache-type foo: expected f16, f32 or q8_0"),
    (["--arch", "gpt2", "--lora-matrices", "gate", "--lora-rank", 4],
     "--lora-matrices gate: found no such matrix in this model"),
    (["--lora-matrices", "k"], "--lora-matrices names what has adapters; "
     "add --lora-rank"),
]


@pytest.mark.parametrize("options, words", USAGE, ids=str)
def test_wrong_usage(options, words):
    assert words in run(*options, code=2)


def test_defaults_are_said():
    done = subprocess.run(["./chapter-02/run", "--arch", "gpt2", "--n-layer",
                           "3"], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    given = done.stderr.removeprefix("not given, so:").split()
    assert "--n-embd 768" in " ".join(given)
    assert "--n-layer" not in given
    # Whoever says all of it gets the same.
    same = ["--n-layer", 3, "--json", "--memory", "1G"]
    assert run(*given, *same) == run("--arch", "gpt2", *same)


def parts(text):
    return json.loads(text)["parameters"]


@pytest.mark.parametrize("answers, options", [
    ("", []), ("\n\n\n", []), ("gpt2", ["--arch", "gpt2"]),
    ("gpt2\n24\n1024\n", ["--arch", "gpt2", "--n-layer", 24, "--n-embd",
                          1024]),
    ("gptneox\n2\n64\n4\n\n\n\n100\n64\nyes\nno\n",
     ["--arch", "gptneox", "--n-layer", 2, "--n-embd", 64, "--n-head", 4,
      "--vocab-size", 100, "--block-size", 64, "--tied", "--no-bias"]),
    # Every answer wrong at least once.
    ("bert\nstablelm\nx\n0\n-3\n5000\n4\n128\n99999999999999999999\n8\n\n3\n"
     "4\n\n\n\nperhaps\nn\n12\ny\n",
     ["--arch", "stablelm", "--n-layer", 4, "--n-embd", 128, "--n-head", 8,
      "--n-kv-head", 4, "--untied", "--bias"]),
    ("llama\r\n7\r\n", ["--n-layer", 7]),
    # A byte of zero makes an answer wrong, and ends neither it nor the line.
    ("llama\n1\x002\n7\n96\n", ["--n-layer", 7, "--n-embd", 96]),
    ("llama\n7\n\x00\n96", ["--n-layer", 7, "--n-embd", 96]),
    ("llama\n" + "9" * 500 + "\n7", ["--n-layer", 7]),
    # A width that its heads do not divide: the next question has no default.
    ("\n\n100\n3\n\n\n32\n", ["--n-embd", 100, "--n-head", 3, "--head-dim",
                              32]),
])
def test_dialogue(answers, options):
    found = parts(run("--interactive", "--json", text=answers))
    assert found == parts(run(*options, "--json"))


def test_dialogue_asks_again():
    done = subprocess.run(["./chapter-02/run", "--interactive"], cwd=ROOT,
                          input="\n3\n100\n7\n", capture_output=True,
                          text=True, check=False)
    # The heads do not divide the width, and then the answers end.
    assert done.returncode == 1 and done.stdout == ""
    assert "numbers of a head [needed]: " in done.stderr
    assert "error: the description: 7 heads do not divide a width of 100" \
        in done.stderr


@pytest.mark.parametrize("options", [
    ["--list"], ["--show-formula", "--arch", "stablelm"], ["--mistakes"],
    ["--compare", *[f"data/configs/{n}.json" for n in (
        "gpt2", "pythia-1b", "llama-3.1-8b", "tiny", "smollm2-135m")]],
    ["--config", "data/configs/llama-3.1-8b.json"],
], ids=lambda options: options[0])
def test_fits_eighty_columns(options):
    lines = run(*options).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("\x1b" in line for line in lines)


def test_all_configurations_are_listed():
    listed = run("--list").splitlines()[1:]
    names = [json.loads(path.read_text())["name"]
             for path in (ROOT / "data/configs").glob("*.json")]
    assert len(listed) == len(names) >= 26
    for name in names:
        assert any(line.startswith(name + " ") for line in listed)
    sizes = [m["parameters"]["total"]
             for m in json.loads(run("--list", "--json"))["models"]]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("name, about, heads, batch", [
    ("tiny", 11, 6, 64), ("small", 40, 8, 64), ("150M", 150, 12, 96),
    ("200M", 200, 14, 80), ("250M", 250, 16, 64), ("150M_1024", 150, 12, 24),
    ("200M_1024", 200, 14, 20), ("250M_1024", 250, 16, 16),
    ("350M_1024", 350, 16, 12), ("500M_1024", 500, 20, 8)])
def test_our_configurations_are_as_large_as_they_say(name, about, heads,
                                                     batch):
    for prefix in ("", "llama-"):
        path = ROOT / f"data/configs/{prefix}{name}.json"
        if not path.exists():
            assert prefix and "_" not in name
            continue
        found = json.loads(run("--config", path, "--json"))
        millions = found["parameters"]["total"] / 1e6
        assert abs(millions / about - 1) < 0.08
        assert found["n_heads"] > 0 and found["batch_size"] == batch
        assert found["context_length"] == (
            1024 if name.endswith("_1024") else 256)
        assert prefix or found["n_heads"] == heads


def test_a_model_file_must_be_one(tmp_path):
    """--gguf reads no JSON, and says what it found instead."""
    path = tmp_path / "notes.md"
    path.write_text("# Notes\n")
    assert 'found "# No", expected "GGUF"' in run("--gguf", path, code=1)
