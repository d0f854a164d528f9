"""Time left is right within a quarter after the first tenth, also when the pace changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from napari_defectseg.core.timeleft import TimeLeft

RIGHT = 0.25


def told(laps: list[float], *, begin: float = 0.0, expected: float | None = None):
    """Go through equal parts of the work; return (share, said, true) after each of them."""
    estimate, now = TimeLeft(expected), 1000.0
    estimate.take(begin, now)
    found = []
    for number, lap in enumerate(laps, start=1):
        now += lap
        share = begin + (1 - begin) * number / len(laps)
        estimate.take(share, now)
        found.append((share, estimate.left(now), sum(laps[number:])))
    return found


def all_right(found, *, since: float) -> None:
    for share, said, true in found:
        if since <= share < 1 - 1e-9:
            assert said is not None
            assert abs(said - true) <= RIGHT * true, (share, said, true)


counts = st.integers(20, 400)
paces = st.floats(1e-3, 1e3)


@given(count=counts, pace=paces, begin=st.floats(0, 0.9))
def test_steady_work_also_resumed_is_right_after_its_first_tenth(count, pace, begin) -> None:
    all_right(told([pace] * count, begin=begin), since=begin + 0.1 * (1 - begin))


@given(count=counts, pace=paces, begin=st.floats(0, 0.9), factor=st.sampled_from([0.5, 2.0, 4.0]))
def test_after_a_change_of_pace_midway_it_is_right_again_within_a_further_tenth(
    count, pace, begin, factor
) -> None:
    half = count // 2
    found = told([pace] * half + [factor * pace] * (count - half), begin=begin)
    since = begin + (1 - begin) * (half / count + 0.1)
    all_right(found, since=since + 1e-9)


@given(count=counts, pace=paces, slow=st.floats(1, 50))
def test_a_slow_first_part_does_not_count(count, pace, slow) -> None:
    all_right(told([slow * pace] + [pace] * (count - 1)), since=0.1)


@given(
    laps=st.lists(st.floats(0.9, 1.12), min_size=100, max_size=400),
)
def test_parts_that_differ_somewhat(laps) -> None:
    """Whatever their order: the slowest and the fastest lie a quarter apart."""
    all_right([one for one in told(laps) if one[0] < 0.95], since=0.1)


@given(count=st.integers(2, 19), pace=paces, slow=st.floats(1, 3))
def test_few_parts_go_by_the_forecast_until_there_is_more(count, pace, slow) -> None:
    expected = count * pace
    estimate = TimeLeft(expected)
    estimate.take(0.0, 0.0)
    assert estimate.left(0.0) == expected
    all_right(told([pace] * count, expected=expected), since=0.0)


def test_nothing_to_go_by_says_nothing() -> None:
    estimate = TimeLeft()
    assert estimate.left(0.0) is None
    estimate.take(0.0, 0.0)
    assert estimate.left(5.0) is None
    estimate.take(0.5, 10.0)
    assert estimate.left(10.0) == 10.0
    assert estimate.left(13.0) == 7.0, "a part that is on its way is counted down"
    estimate.take(1.0, 20.0)
    assert estimate.left(20.0) is None


def test_beginning_anew_forgets() -> None:
    estimate = TimeLeft()
    for share, now in ((0.0, 0.0), (0.2, 100.0), (0.4, 200.0)):
        estimate.take(share, now)
    estimate.take(0.0, 210.0)
    assert estimate.left(210.0) is None
    estimate.take(0.5, 215.0)
    assert estimate.left(215.0) == 5.0
