"""A part of an image has the values, pixel size and origin of the whole, and is read lazily."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images import part as parts
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.part import ArrayPart, part_of


class Counted:
    """An array that notes how many values were read."""

    def __init__(self, data: np.ndarray) -> None:
        self.data, self.shape, self.dtype, self.read = data, data.shape, data.dtype, 0

    def __getitem__(self, key):
        found = self.data[key]
        self.read += found.size
        return found


def keys(length: int):
    ends = st.none() | st.integers(-length - 1, length + 1)
    steps = st.sampled_from([None, 1, 2, -1, -2])
    return st.builds(slice, ends, ends, steps) | st.integers(-length, length - 1)


@given(first=keys(5), second=keys(7))
def test_every_basic_index_gives_what_numpy_gives(first, second) -> None:
    data = np.arange(12 * 20).reshape(12, 20)
    box = (slice(3, 8), slice(4, 11))
    np.testing.assert_array_equal(ArrayPart(data, box)[first, second], data[box][first, second])


def test_other_indices_and_conversions() -> None:
    data = np.arange(12 * 20).reshape(12, 20)
    box = (slice(3, 8), slice(4, 11))
    part = ArrayPart(data, box)
    assert (part.shape, part.ndim, len(part)) == ((5, 7), 2, 5)
    np.testing.assert_array_equal(part[[0, 2]], data[box][[0, 2]])
    assert np.asarray(part, dtype=np.float32).dtype == np.float32


def test_a_large_part_is_read_only_where_it_is_asked_for(monkeypatch) -> None:
    monkeypatch.setattr(parts, "SMALL", 10)
    data = Counted(np.arange(3 * 20 * 30, dtype=np.uint8).reshape(3, 20, 30))
    size = Calibration.of((2.0, 3.0), "nm")
    image = CalibratedImage(data, ("c", "y", "x"), size, name="a")
    found = part_of(image, (slice(2, 12), slice(5, 25)))
    assert data.read == 0
    assert (found.shape, found.axes, found.calibration) == ((3, 10, 20), image.axes, size)
    np.testing.assert_array_equal(found.read(y=slice(1, 3)), data.data[:, 3:5, 5:25])
    assert data.read == 3 * 2 * 20
