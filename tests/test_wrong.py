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


def test_a_function_is_replaced_and_nothing_else():
    wrong = "chapters/07-quantization/wrong/nibbles_as_neighbours.c"
    function, replaced, _ = check_wrong.facts(wrong)
    right = (check_wrong.ROOT / replaced).read_text()
    text = check_wrong.wrong_source(wrong)
    own = (check_wrong.ROOT / wrong).read_text()
    before, after = text.split(own)
    assert right.startswith(before) and right.endswith(after)
    removed = right[len(before):len(right) - len(after)]
    assert removed.startswith(f"int {function}(")
    assert removed.count("\n{\n") == removed.count("\n}\n") == 1


def test_a_function_that_is_not_there_is_reported(tmp_path, monkeypatch):
    (tmp_path / "common").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "common/norm.c").write_text("int a(void)\n{\n}\n")
    (tmp_path / "tests/test_norm.c").write_text("")
    (tmp_path / "wrong.c").write_text(
        "// replaces b() in common/norm.c; caught by tests/test_norm.c\n")
    monkeypatch.setattr(check_wrong, "ROOT", tmp_path)
    monkeypatch.setattr(check_wrong, "parts", lambda test: ([], [], []))
    assert "0 functions b()" in check_wrong.check("wrong.c")
