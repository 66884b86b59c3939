"""Each mistake in chapters/*/wrong is caught by the test that it names."""

import pytest

import check_wrong


@pytest.mark.parametrize("wrong", check_wrong.wrong_files())
def test_is_caught(wrong):
    assert check_wrong.check(wrong) is None


def test_there_are_some():
    assert len(check_wrong.wrong_files()) >= 10


def test_a_right_file_is_reported(tmp_path, monkeypatch):
    """The check itself can fail: the right code in a wrong file's place."""
    path = check_wrong.ROOT / "build" / "right_after_all.c"
    path.parent.mkdir(exist_ok=True)
    path.write_text("// replaces common/norm.c; caught by tests/test_norm.c\n"
                    '#include "common/norm.c"\n')
    assert "nobody would notice" in check_wrong.check(
        str(path.relative_to(check_wrong.ROOT)))
