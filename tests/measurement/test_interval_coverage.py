"""A small part of `benchmarks/interval_coverage.py`: intervals hold the truth as they say."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "interval_coverage.py"
ENOUGH = 0.93


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("interval_coverage", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("index", [1, 5, 11])
def test_intervals_over_five_fields_hold(script, index):
    """1000 sets, at random and over-dispersed: within chance (2.6 standard errors) of 93 %."""
    for name, share in script.coverage(script.CASES[index], 1000).items():
        assert share >= ENOUGH - 0.02, name


@pytest.mark.long
def test_intervals_of_every_case_hold_in_2000_sets(script):
    for case in script.CASES:
        for name, share in script.coverage(case, 2000).items():
            assert share >= ENOUGH, (str(case), name)


@pytest.mark.long
def test_the_largest_is_held_in_400_sets(script):
    assert script.largest_by_blocks(400) >= 0.9
    for xi in (-0.15, 0.0, 0.15):
        assert script.largest_by_peaks(xi, 400) >= 0.9
