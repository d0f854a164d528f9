"""What is left of a box is covered exactly once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_defectseg.core.boxes import common, remainder


@st.composite
def boxes(draw):
    sides = []
    for _ in range(2):
        start = draw(st.integers(0, 18))
        sides.append(slice(start, draw(st.integers(start + 1, 20))))
    return tuple(sides)


@given(box=boxes(), covered=st.lists(boxes(), max_size=4))
def test_the_remainder_is_what_is_not_covered_once(box, covered) -> None:
    count = np.zeros((20, 20), int)
    for part in remainder(box, covered):
        count[part] += 1
    wanted = np.zeros((20, 20), int)
    wanted[box] = 1
    for one in covered:
        wanted[one] = 0
    np.testing.assert_array_equal(count, wanted)


@given(first=boxes(), second=boxes())
def test_what_two_have_in_common(first, second) -> None:
    both = common(first, second)
    count = np.zeros((20, 20), int)
    count[first] += 1
    count[second] += 1
    found = np.zeros((20, 20), bool)
    if both is not None:
        found[both] = True
    np.testing.assert_array_equal(found, count == 2)
