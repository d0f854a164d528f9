"""Numbers in the window: the rules of writing them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defectseg.ui import numbers

SPACE = numbers.THIN_SPACE


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (12.04, 10.94, 13.14, "12.0 ± 1.1"),
        (4.83, 3.93, 5.73, "4.8 ± 0.9"),
        (18.2, 16.2, 20.2, "18 ± 2"),
        (1234.0, 1000.0, 1468.0, f"1{SPACE}200 ± 200"),
        (5.0, 4.04, 5.96, "5.0 ± 1.0"),
        (13.333, None, None, "13.3"),
        (2.0, 0.24, 7.22, "2 (0 – 7)"),
        (math.nan, 1.0, 2.0, "—"),
        (None, None, None, "—"),
        (5.0, 5.0, 5.0, "5.00"),
    ],
)
def test_interval_is_rounded_to_its_own_digits(value, low, high, text):
    assert numbers.with_interval(value, low, high) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13.333, "13.3"),
        (140.2, "140"),
        (1234.0, f"1{SPACE}230"),
        (0.8766, "0.877"),
        (-0.5, "−0.500"),
        (0, "0"),
        (4.8e21, "4.80 × 10²¹"),
        (math.inf, "—"),
        (99.96, "100"),
    ],
)
def test_number_without_interval_has_three_digits(value, text):
    assert numbers.plain(value) == text


def test_counts_are_exact_with_thin_spaces():
    assert numbers.count(1234567) == f"1{SPACE}234{SPACE}567"
    assert numbers.count(999) == "999"


def test_power_of_ten_stands_in_the_header():
    power = numbers.common_power([4.8e21, 1.9e21])
    assert power == 21
    assert numbers.header("density", "m⁻³", power) == "density (10²¹ m⁻³)"
    assert numbers.common_power([0.2, 30.0]) == 0
    assert numbers.header("no.") == "no."


@given(st.floats(1e-3, 1e6), st.floats(1e-4, 0.9))
def test_value_lies_in_the_interval_that_is_written(value, share):
    half = value * share
    text = numbers.with_interval(value, value - half, value + half)
    shown, doubt = (float(part.replace(SPACE, "")) for part in text.split(" ± "))
    assert abs(shown - value) <= max(doubt, 1e-12)
    assert doubt == pytest.approx(half, rel=0.34)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20))
def test_decimals_of_a_column_are_few(values):
    assert 0 <= numbers.common_places(values) <= 4
