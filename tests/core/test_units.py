from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defectseg.core.errors import CalibrationError
from napari_defectseg.core.units import (
    LENGTHS,
    Quantity,
    normalise_length,
    normalise_time,
    parse_quantity,
    ratio,
    readable,
)


@pytest.mark.parametrize(
    ("spelled", "unit", "factor"),
    [
        ("nm", "nm", 1), ("um", "µm", 1), ("μm", "µm", 1), ("micron", "µm", 1), ("Å", "nm", 0.1),
        ("angstrom", "nm", 0.1), ("inch", "mm", 25.4), ("cm", "mm", 10), ("m", "m", 1),
        (" nanometer ", "nm", 1), ("Micrometre", "µm", 1), ("nm\x00", "nm", 1),
    ],
)  # fmt: skip
def test_lengths_in_every_spelling(spelled: str, unit: str, factor: float) -> None:
    found = normalise_length(spelled)
    assert found is not None
    assert found[1] in LENGTHS
    metres = found[0] * LENGTHS[found[1]]
    assert metres == pytest.approx(factor * LENGTHS[unit])


@pytest.mark.parametrize(
    "strange",
    [None, "", "px", "pixel", "1/nm", "µ", "µn", "µnn", "eV", "s", "nm²", "[]", "((((", "'", "\n",
     "a" * 400, "no unit", "1e400 m", "__import__('os')", "counts"],
)  # fmt: skip
def test_what_is_not_a_length_is_unknown_and_never_raises(strange: str | None) -> None:
    assert normalise_length(strange) is None


@given(st.text(max_size=50))
def test_no_text_makes_the_normaliser_raise(text: str) -> None:
    for found in (normalise_length(text), normalise_time(text)):
        assert found is None or (math.isfinite(found[0]) and found[0] > 0)


def test_times() -> None:
    assert normalise_time("us") == (1.0, "µs")
    assert normalise_time("nm") is None


def test_pixels_never_become_a_length() -> None:
    with pytest.raises(CalibrationError, match="pixel size is known"):
        ratio("px", "nm")
    with pytest.raises(CalibrationError):
        ratio("nm", "s")


@given(st.floats(1e-12, 1e-1), st.sampled_from(sorted(LENGTHS)))
def test_readable_keeps_the_length(value: float, unit: str) -> None:
    shown, best = readable(value, unit)
    assert shown * LENGTHS[best] == pytest.approx(value * LENGTHS[unit], rel=1e-9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("85 ± 10 nm", Quantity(85, "nm", 10)),
        ("85+/-10 nm", Quantity(85, "nm", 10)),
        ("0.4um", Quantity(0.4, "µm")),
        ("1e-3 mm", Quantity(0.001, "mm")),
        ("50 us", Quantity(50, "µs")),
    ],
)
def test_quantities_as_people_write_them(text: str, expected: Quantity) -> None:
    assert parse_quantity(text) == expected


@pytest.mark.parametrize("text", ["", "nm", "85 px", "eighty", "85 ± nm", "85 furlongs²"])
def test_what_is_no_quantity_gets_a_sentence(text: str) -> None:
    with pytest.raises(CalibrationError):
        parse_quantity(text)


def test_a_default_unit_is_used_only_when_none_is_written() -> None:
    assert parse_quantity("85±10", "nm") == Quantity(85, "nm", 10)
    assert parse_quantity("85 µm", "nm") == Quantity(85, "µm")


def test_a_quantity_in_another_unit() -> None:
    assert Quantity(85, "nm", 10).to("µm") == Quantity(0.085, "µm", 0.01)
