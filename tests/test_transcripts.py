"""What chapters 1 and 3 quote is what their programs print."""
import glob
import shlex
import subprocess

import pytest

FILES = sorted(glob.glob("chapters/01-*/expected/*.txt")
               + glob.glob("chapters/03-*/expected/*.txt"))


def test_there_are_some():
    assert len(FILES) >= 5


@pytest.mark.parametrize("path", FILES)
def test_transcript(path):
    with open(path) as file:
        lines = [line for line in file.read().splitlines()
                 if not line.startswith("# @")]
    assert lines[0].startswith("$ ./chapter-")
    printed = []
    for line in lines:
        if line.startswith("$ "):
            result = subprocess.run(shlex.split(line[2:]), text=True,
                                    capture_output=True)
            printed += [line] + (result.stdout + result.stderr).splitlines()
    assert printed == lines
    assert max(map(len, lines)) <= 78
