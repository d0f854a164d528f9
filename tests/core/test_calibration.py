from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import CalibrationError


def test_unknown_is_px_and_never_silently_one() -> None:
    unknown = Calibration.uncalibrated(2)
    assert not unknown.calibrated
    assert unknown.length_unit == "px"
    assert unknown.power_unit(2) == "px²"
    assert "no pixel size" in unknown.describe()
    assert unknown.spacing == (None, None)


def test_a_stack_with_unknown_slice_distance_is_calibrated_in_its_plane_only() -> None:
    stack = Calibration.believed((None, 0.4, 0.4), "nm", "tag")
    assert not stack.calibrated
    assert stack.steps == (1.0, 1.0, 1.0)
    assert stack.length_unit == "px"
    assert stack.in_plane.calibrated
    assert stack.in_plane.steps == (0.4, 0.4)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), None, "text"])
def test_a_file_with_a_senseless_size_is_uncalibrated(value: object) -> None:
    found = Calibration.believed((value, value), "nm", "tag")  # type: ignore[arg-type]
    assert found.spacing == (None, None)


@pytest.mark.parametrize("unit", [None, "px", "1/nm", "µn", "eV"])
def test_a_file_with_a_senseless_unit_is_uncalibrated(unit: str | None) -> None:
    assert not Calibration.believed((0.4, 0.4), unit, "tag").calibrated


def test_unlikely_sizes_are_asked_about_but_kept() -> None:
    tiny = Calibration.believed((1e-12, 1e-12), "m", "tag")
    assert tiny.calibrated
    assert "unlikely" in tiny.question
    assert "not square" in Calibration.believed((1.7, 0.17), "µm", "tag").question
    assert Calibration.believed((0.4, 0.4001), "nm", "tag").question == ""


def test_mixed_units_become_one() -> None:
    mixed = Calibration.believed((0.001, 400), ["µm", "pm"], "tag")
    assert mixed.unit == "nm"
    assert mixed.steps == pytest.approx((1.0, 0.4))


@pytest.mark.parametrize("bad", [(0.0, 1.0), (-1.0, 1.0), (float("nan"), 1.0)])
def test_a_person_who_types_nonsense_gets_a_sentence(bad: tuple[float, float]) -> None:
    with pytest.raises(CalibrationError, match="positive"):
        Calibration.of(bad, "nm")


def test_a_person_who_types_no_length_gets_a_sentence() -> None:
    with pytest.raises(CalibrationError, match="not a unit of length"):
        Calibration.of((1, 1), "px")


def test_a_line_along_the_scale_bar() -> None:
    drawn = Calibration.from_line(250, 100, "nm")
    assert drawn.steps == (0.4, 0.4)
    assert drawn.source == "scale bar in the picture"
    assert Calibration.from_line(250, 100, "nm", ndim=3).spacing == (None, 0.4, 0.4)
    with pytest.raises(CalibrationError):
        Calibration.from_line(0, 100, "nm")


def test_frame_times() -> None:
    timed = Calibration.of((1, 1), "µm").with_frame_time(20, "us")
    assert (timed.frame_time, timed.time_unit) == (20, "µs")
    with pytest.raises(CalibrationError):
        timed.with_frame_time(1, "nm")
    with pytest.raises(CalibrationError):
        timed.with_frame_time(-1, "s")


@given(st.floats(1e-3, 1e3), st.sampled_from(["pm", "nm", "µm", "mm"]))
def test_changing_the_unit_and_back_keeps_the_size(size: float, unit: str) -> None:
    start = Calibration.of((size, size), "nm")
    assert start.to(unit).to("nm").steps == pytest.approx(start.steps)


def test_described_as_people_read_it() -> None:
    assert Calibration.of((0.486, 0.486), "nm").describe() == "0.486 nm/px"
    assert Calibration.of((1, 0.4, 0.4), "µm").describe() == "z 1, y 0.4, x 0.4 µm/px"
