"""make install, and programs that use what it installed."""
import os
import re
import shlex
import subprocess

import pytest
from engine import ROOT

TINY = ROOT / "data/tiny.gguf"
TOOLS = {"lll-size", "lll-gguf", "lll-tokenize", "lll-quantize", "lll-run"}


def make(*arguments):
    done = subprocess.run(["make", "-s", *arguments], cwd=ROOT, text=True,
                          capture_output=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*")
            if p.is_file()}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("lll") / "a b"
    make("install", f"PREFIX={prefix}")
    return prefix


@pytest.fixture(scope="module")
def flags(prefix):
    """What pkg-config says, as a shell takes it: the prefix has a blank."""
    environment = {**os.environ,
                   "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}

    def asked(*what):
        return subprocess.run(["pkg-config", *what, "lll"], text=True,
                              env=environment, capture_output=True,
                              check=True).stdout

    header = (prefix / "include/lll/session.h").read_text()
    assert f'LLL_VERSION "{asked("--modversion").strip()}"' in header
    return shlex.split(asked("--cflags", "--libs"))


def build(tmp_path, flags, source):
    program = tmp_path / "program"
    done = subprocess.run(
        ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
         str(source), *flags, "-o", str(program)], cwd=tmp_path, text=True,
        capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def says(*command, cwd, code=0):
    done = subprocess.run(list(map(str, command)), cwd=cwd, text=True,
                          capture_output=True, check=False, timeout=60)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr


def test_generate(tmp_path, flags):
    """The same text as the program of chapter 8 gives, from another folder
    and the installed library."""
    program = build(tmp_path, flags, ROOT / "examples/generate.c")
    make("chapter-08")
    text = "The model reads"
    want = says(ROOT / "chapter-08/run", "-m", TINY, "-p", text, "-n", 256,
                "-q", "-s", 0, cwd=tmp_path)
    assert says(program, TINY, text, cwd=tmp_path).strip() == want.strip()
    assert "cannot open it" in says(program, "no.gguf", "x", cwd=tmp_path,
                                    code=1)
    assert "usage: " in says(program, cwd=tmp_path, code=1)


def test_tokenize(tmp_path, flags):
    program = build(tmp_path, flags, ROOT / "examples/tokenize.c")
    lines = says(program, TINY, "The model reads", cwd=tmp_path).splitlines()
    pieces = [re.fullmatch(r'(\d+) "(.*)"', line).group(2) for line in lines]
    assert "".join(pieces) == "The model reads" and len(pieces) > 2


def test_score(tmp_path, flags):
    """The model foresees what it was made from better than nonsense."""
    program = build(tmp_path, flags, ROOT / "examples/score.c")
    known = (ROOT / "data/tiny.txt").read_text()[:80].replace("\n", " ")
    well, badly = (float(says(program, TINY, text, cwd=tmp_path).split()[1])
                   for text in (known, known[::-1]))
    assert well < badly / 2


def test_rank(tmp_path, flags):
    """A text is nearest to itself, and the order is that of --embed."""
    program = build(tmp_path, flags, ROOT / "examples/rank.c")
    texts = ["the words of a model", "a token", "the words of a model"]
    lines = says(program, TINY, *texts, cwd=tmp_path).splitlines()
    assert [line.split("  ", 1)[1] for line in lines] == texts[1:]
    near, same = (float(line.split()[0]) for line in lines)
    assert near < same == 1


def test_examples_are_short():
    """Ten lines or so of statements: the library has the defaults."""
    for source in (ROOT / "examples").glob("*.c"):
        code = source.read_text()
        assert all(len(line) < 80 for line in code.splitlines()), source
        body = code[code.index("int main"):].splitlines()
        assert len(body) <= 24, (source, len(body))


def test_every_header_stands_alone(tmp_path, flags, prefix):
    headers = sorted((prefix / "include/lll").iterdir())
    assert len(headers) > 40
    (tmp_path / "all.c").write_text("".join(
        f"#include <lll/{h.name}>\n" for h in headers)
        + "int main(void) { return 0; }\n")
    build(tmp_path, flags, tmp_path / "all.c")
    for header in headers:
        assert '#include "common/' not in header.read_text()
        (tmp_path / "one.c").write_text(f"#include <lll/{header.name}>\n")
        says("cc", "-std=gnu11", "-fsyntax-only", *flags[:1], "one.c",
             cwd=tmp_path)


def test_tools(prefix, tmp_path):
    """Each is called by its own name, in its help and in its hints."""
    there = {p.name for p in (prefix / "bin").iterdir()}
    assert TOOLS <= there <= TOOLS | {"lll-plan"}
    for tool in there:
        text = says(prefix / "bin" / tool, "--help", cwd=tmp_path)
        assert text.startswith(f"usage: {tool} ")
        hint = says(prefix / "bin" / tool, "--nonsense", cwd=tmp_path, code=2)
        assert f"({tool} --help" in hint
    said = says(prefix / "bin/lll-run", cwd=tmp_path, code=1)
    assert "data/tiny.gguf" in said and "-m FILE" in said
    assert says(prefix / "bin/lll-run", "-m",
                prefix / "share/lll/tiny.gguf", "-n", 3, "-q", cwd=tmp_path)


def test_uninstall_takes_what_was_installed(tmp_path):
    """Every file of it and no other; folders of its own when they are empty,
    and none that it shares."""
    target = tmp_path / "root"
    config = target / "usr/lib/pkgconfig/lll.pc"
    foreign = {"usr/bin/other", "usr/share/lll/my-model.gguf"}
    make("install", f"DESTDIR={target}", "PREFIX=/usr")
    assert config.read_text().startswith("prefix=/usr\n")
    make("install", f"DESTDIR={target}", "PREFIX=/usr")     # a second time
    assert len(files(target)) > 50
    for name in foreign:
        (target / name).write_text("x")
    said = make("uninstall", f"DESTDIR={target}", "PREFIX=/usr")
    assert files(target) == foreign
    assert f"{target}/usr/share/lll stays" in said
    assert not (target / "usr/include/lll").exists()
    assert (target / "usr/lib/pkgconfig").is_dir()
    (target / "usr/share/lll/my-model.gguf").unlink()
    assert make("uninstall", f"DESTDIR={target}", "PREFIX=/usr") == ""
    assert not (target / "usr/share/lll").exists()


@pytest.mark.parametrize("goal", ["install", "uninstall"])
def test_a_prefix_is_a_whole_path(goal):
    done = subprocess.run(["make", "-s", goal, "PREFIX=inst"], cwd=ROOT,
                          text=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: PREFIX=inst is not a whole path")
    assert not (ROOT / "inst").exists()
