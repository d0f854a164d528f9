"""NRRD of probabilities and PNG a class: stacks, names that no file can have, wrong words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

import napari_defectseg as ds
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.results.analysis import Analysis
from napari_defectseg.results.extras import write_extras


@pytest.fixture
def stack() -> Analysis:
    """Two planes with a void in the second; class names as nobody should choose them."""
    data = np.zeros((2, 6, 8), np.uint8)
    image = ds.CalibratedImage.from_array(
        data, axes="zyx", calibration=ds.Calibration.of((2.0, 0.5, 0.5), "nm")
    )
    classes = ds.ClassMap.of(["a/b", "A:B", "pore"])
    labels = ds.LabelMap.empty(image.label_shape, classes, image.label_axes, image.calibration)
    labels.planes[0][1, 2:4, 3:6] = 1
    labels.object_classes[1] = 3
    table = ds.measure_regions(labels, image=image)
    scores = np.zeros((4, 2, 6, 8), np.float32)
    scores[3, 1, 2:4, 3:6] = 0.75
    return Analysis(image, labels, table, ds.summarise(table), scores=scores)


def test_a_png_for_each_class_and_plane(stack: Analysis, tmp_path: Path) -> None:
    write_extras(tmp_path, stack, ["class-png"])
    names = sorted(path.name for path in (tmp_path / "classes").iterdir())
    words = ("A_B_2", "a_b_1", "pore")
    assert names == sorted(f"{one}_z{plane:04d}.png" for one in words for plane in (0, 1))
    assert set(np.unique(iio.imread(tmp_path / "classes" / "pore_z0001.png"))) == {0, 255}
    assert not iio.imread(tmp_path / "classes" / "pore_z0000.png").any()


def test_probabilities_are_read_by_other_programs_with_x_first(
    stack: Analysis, tmp_path: Path
) -> None:
    """The header counts x, y, z as the authors' reader does; the background has no file."""
    write_extras(tmp_path, stack, ["probabilities-nrrd"])
    path = tmp_path / "probabilities" / "pore.nrrd"
    header = path.read_bytes().split(b"\n\n")[0].decode()
    assert "sizes: 8 6 2" in header
    assert "type: float" in header
    assert "spacings: 0.5 0.5 2.0" in header
    np.testing.assert_array_equal(ds.open_image(path).read(), stack.scores[3])
    assert len(list(path.parent.iterdir())) == 3


def test_an_unknown_word_is_refused_and_nothing_is_written(stack: Analysis, tmp_path: Path) -> None:
    with pytest.raises(DefectSegError, match="jpeg cannot be written"):
        write_extras(tmp_path, stack, ["jpeg"])
    write_extras(tmp_path, replace(stack, scores=None), [])
    assert not list(tmp_path.iterdir())
