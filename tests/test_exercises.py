"""Every exercise can be solved, and wrong answers to it are noticed."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import check_exercises  # noqa: E402
import exercises  # noqa: E402

FOLDERS = exercises.folders()
NAMES = [folder.name for folder in FOLDERS]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return exercises.Workshop(tmp_path_factory.mktemp("exercises"))


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_exercise(shop, folder):
    check_exercises.prove(shop, exercises.read(folder))


def test_numbers_are_given_once():
    numbers = [exercises.read(folder).id for folder in FOLDERS]
    assert len(set(numbers)) == len(numbers) >= 3


def test_nothing_in_solutions_is_left_over():
    there = {path.stem for path in (exercises.ROOT / "solutions").iterdir()
             if path.suffix in (".c", ".txt", ".wrong")}
    assert there <= set(NAMES)
