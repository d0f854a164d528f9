from __future__ import annotations

import pytest

from napari_defectseg.core import axes
from napari_defectseg.core.errors import ImageError


@pytest.mark.parametrize(
    ("ndim", "last", "expected"),
    [(2, 100, "yx"), (3, 100, "zyx"), (3, 3, "yxc"), (4, 100, "tzyx"), (4, 3, "zyxc")],
)
def test_usual_axes_of_bare_arrays(ndim: int, last: int, expected: str) -> None:
    assert "".join(axes.guess(ndim, last)) == expected


@pytest.mark.parametrize("ndim", [0, 1, 5])
def test_what_is_no_image_gets_a_sentence(ndim: int) -> None:
    with pytest.raises(ImageError):
        axes.guess(ndim, 10)


@pytest.mark.parametrize("names", ["y", "yy", "tz", "yxq", "zyx"])
def test_wrong_names_get_a_sentence(names: str) -> None:
    with pytest.raises(ImageError):
        axes.check(tuple(names), 2)


def test_spatial_axes_keep_their_order() -> None:
    assert axes.spatial(("t", "y", "x", "c")) == ("y", "x")
