"""Every exercise can be solved, and wrong answers to it are noticed."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import check_exercises  # noqa: E402
import exercises  # noqa: E402

FOLDERS = exercises.folders()
NAMES = [folder.name for folder in FOLDERS]


@pytest.fixture(scope="module")
def proofs(tmp_path_factory):
    """What is to be said of each exercise: proved together, as that takes a
    compiler and a link for every wrong version."""
    found = exercises.catalogue()
    shop = exercises.Workshop(tmp_path_factory.mktemp("exercises"), found)
    assert "warning:" not in shop.said
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        reports = pool.map(lambda e: check_exercises.report(shop, e), found)
        return dict(zip(NAMES, reports))


@pytest.mark.parametrize("name", NAMES)
def test_exercise(proofs, name):
    good, text = proofs[name]
    assert good, text


def test_numbers_are_given_once():
    numbers = [exercises.read(folder).id for folder in FOLDERS]
    assert len(set(numbers)) == len(numbers) >= 3


def test_nothing_in_solutions_is_left_over():
    there = {path.stem for path in (exercises.ROOT / "solutions").iterdir()
             if path.suffix in (".c", ".txt", ".wrong")}
    assert there <= set(NAMES)
