"""Objects on the disk are measured as those in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.progress import drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.store import create_store
from napari_defectseg.images.view import ThickArray
from napari_defectseg.labels.decode import DecodeSettings, class_values, decode, own_scores
from napari_defectseg.labels.stored import Places, find_stored_steps
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.stored import measure_stored

SIDES = {"t": 2, "z": 12, "y": 40, "x": 50}


def case(task: str, axes: tuple[str, ...], colours: int = 0):
    """Return image, scores, classes and settings of an image with objects of many sizes."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(7)
    shape = tuple(SIDES[name] for name in axes)
    channels = {"exclusive": 3, "binary": 1, "multilabel": 2}[task]
    noise = gaussian_filter(rng.random((channels, *shape)), (0, *(1.2 for _ in shape)))
    scores = ((noise - noise.min()) / np.ptp(noise)).astype(np.float32)
    classes = ClassMap.of(
        ["void"] if task == "binary" else ["void", "loop"], exclusive=task != "multilabel"
    )
    names = (*axes, "c") if colours else axes
    grey = rng.integers(0, 4000, (*shape, colours) if colours else shape, dtype=np.uint16)
    space = sum(name != "t" for name in axes)
    size = Calibration.of((0.5, 0.4, 0.4)[-space:], "nm")
    image = CalibratedImage.from_array(grey, axes=names, calibration=size)
    return image, scores, classes, DecodeSettings(min_size=4)


@pytest.mark.parametrize("task", ["exclusive", "binary", "multilabel"])
@pytest.mark.parametrize("axes", [("y", "x"), ("z", "y", "x"), ("t", "y", "x")], ids="".join)
@pytest.mark.parametrize("memory", [1, 1 << 24], ids=["plane by plane", "in one"])
def test_the_table_is_that_of_the_whole(
    task: str, axes: tuple[str, ...], memory: int, tmp_path: Path
) -> None:
    """Bit by bit, grey values and scores among them, from stores on the disk."""
    image, scores, classes, decoding = case(task, axes)
    settings = MeasureSettings(columns=("surface", "extent") if "z" in axes else ("extent",))
    whole = decode(scores, classes, axes, image.calibration, task=task, settings=decoding)
    wanted = measure_regions(whole, image=image, scores=scores, settings=settings)
    values = class_values(scores, classes, task, DecodeSettings())
    order = ("c", *axes) if task == "multilabel" and "t" not in axes else axes
    order = ("t", "c", "y", "x") if task == "multilabel" and "t" in axes else order
    front = ("c", *axes) if task == "multilabel" else axes
    shape = tuple(values.shape[front.index(name)] for name in order)
    arrays = [
        create_store(tmp_path / name, shape, kind, tuple(min(n, 16) for n in shape))
        for name, kind in (("labels", np.int32), ("mask", np.uint8))
    ]
    found = drive(
        find_stored_steps(
            Places(values, *arrays, order),
            classes,
            axes,
            image.calibration,
            decoding,
            memory=1 << 14,
        )
    )
    for given in ({"scores": scores}, {"chosen": own_scores(scores, values, classes, task)}):
        table = measure_stored(found, memory=memory, image=image, settings=settings, **given)
        assert table.names == wanted.names
        for name in wanted.names:
            np.testing.assert_array_equal(table[name], wanted[name], err_msg=name)
        assert table.region == wanted.region
        assert table.warnings == wanted.warnings


def test_colours_are_read_in_thick_slabs_too() -> None:
    image, scores, classes, decoding = case("exclusive", ("z", "y", "x"), colours=3)
    axes = ("z", "y", "x")
    whole = decode(scores, classes, axes, image.calibration, task="exclusive", settings=decoding)
    values = class_values(scores, classes, "exclusive", DecodeSettings())
    arrays = (np.zeros(values.shape, np.int32), np.zeros(values.shape, np.uint8))
    found = drive(
        find_stored_steps(
            Places(values, *arrays, axes), classes, axes, image.calibration, decoding, memory=9999
        )
    )
    table = measure_stored(found, memory=1 << 16, image=image)
    wanted = measure_regions(whole, image=image)
    np.testing.assert_array_equal(table["intensity_mean"], wanted["intensity_mean"])


class Counting:
    """An array that counts how often each plane is read."""

    def __init__(self, data: np.ndarray) -> None:
        self.data, self.shape, self.dtype = data, data.shape, data.dtype
        self.read = np.zeros(data.shape[0], int)
        self.most = 0

    def __getitem__(self, key):
        block = self.data[key]
        self.read[key[0]] += 1
        self.most = max(self.most, block.nbytes)
        return block


def test_each_plane_is_read_once_in_slabs_that_fit() -> None:
    data = np.arange(20 * 6 * 5, dtype=np.int32).reshape(20, 6, 5)
    counting = Counting(data)
    thick = ThickArray(counting, 0, 7 * data[0].nbytes)
    for z in range(20):
        np.testing.assert_array_equal(thick[z : z + 1, :, :], data[z : z + 1])
    assert counting.read.tolist() == [1] * 20
    assert counting.most <= 7 * data[0].nbytes
    np.testing.assert_array_equal(thick[5:9, 1:3, 2:4], data[5:9, 1:3, 2:4])
