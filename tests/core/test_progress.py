from __future__ import annotations

import pytest

from napari_defectseg.core.errors import Cancelled
from napari_defectseg.core.progress import Step, Steps, drive


def counting(upto: int, closed: list[bool]) -> Steps[int]:
    try:
        for n in range(upto):
            yield Step(n + 1, upto, "counting")
        return upto
    finally:
        closed.append(True)


def test_driving_returns_the_result_and_shows_each_step() -> None:
    seen: list[Step] = []
    closed: list[bool] = []
    assert drive(counting(3, closed), seen.append) == 3
    assert [step.done for step in seen] == [1, 2, 3]
    assert seen[0].fraction == pytest.approx(1 / 3)
    assert closed == [True]


def test_cancelling_closes_the_work_and_says_how_far_it_came() -> None:
    closed: list[bool] = []
    with pytest.raises(Cancelled, match="1 of 3"):
        drive(counting(3, closed), cancelled=lambda: True)
    assert closed == [True]


def test_a_failure_inside_reaches_the_caller() -> None:
    def failing() -> Steps[None]:
        yield Step(0, 1)
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        drive(failing())


def test_an_unknown_total_is_no_fraction() -> None:
    assert Step(3, 0).fraction == 0.0
