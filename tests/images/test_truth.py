"""Every genuine file of the truth table: values, shape, type and pixel size, or a sentence."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.errors import ImageError
from napari_defectseg.core.units import LENGTHS, normalise_length
from napari_defectseg.images.open import can_open, list_parts, open_image
from napari_defectseg.images.parts import PartNeeded

REFUSED = {
    "dm3_eels_sto.dm3": "spectrum of 2048 values",
    "gpl3/nanomegas_test2.blo": r"scan of 2 × 3 places with 5 × 5 values",
    "gpl3/nexus_simple.nxs": r"scan of 15 × 1 places with 40 × 40 values",
    "gpl3/py4dstem_small.h5": r"scan of 2 × 3 places with 4 × 5 values",
    "xradia_tomo.txrm": "Zeiss X-ray projection file",
}
"""Files that hold no image, and what must be said."""
PARTS = {
    "gpl3/nexus_dls.nxs": "entry1/testdata/nexustest/data",
    "hdf5_data_exchange.h5": "20151120_100640_testBL832h5file/"
    "20151120_100640_testBL832h5file_0000_0000.tif",
}
"""Files with several data sets: the one that the table describes."""
NAMES = (
    "dm3_eels_sto.dm3", "dm3_small_2d.dm3", "dm4_small_series.dm4", "dm5_small_2d.dm5",
    "emd_velox_image.emd", "gpl3/dm3_diffraction.dm3", "gpl3/dm3_stem_image.dm3",
    "gpl3/dm3_um_unit.dm3", "gpl3/dm4_small_image.dm4", "gpl3/emd_berkeley_image.emd",
    "gpl3/emd_velox_tem_stack.emd", "gpl3/hyperspy_v3_1.hspy", "gpl3/jeol_view.img",
    "gpl3/mrc_de_movie.mrc", "gpl3/nanomegas_test2.blo", "gpl3/nexus_dls.nxs",
    "gpl3/nexus_simple.nxs", "gpl3/py4dstem_small.h5", "gpl3/tia_128x128_tem_1.ser",
    "gpl3/tia_64x64_tem.emi", "gpl3/tia_64x64_tem_1.ser", "gpl3/tia_64x64x5_series_1.ser",
    "gpl3/tif_fei_helios_16bit.tif", "gpl3/tif_from_dm.tif", "gpl3/tif_from_dm_stack.tif",
    "gpl3/tif_imagej.tif", "gpl3/tif_imagej_stack.tif", "gpl3/tif_olympus_sis.tif",
    "hdf5_data_exchange.h5", "mrc_emd3001.map.bz2", "mrc_emd3197.map", "mrc_emd3197.map.gz",
    "nrrd_ball_gz.nrrd", "nrrd_ball_raw.nrrd", "nrrd_detached/BallBinary30x30x30.nhdr",
    "xradia_tomo.txrm", "ome_zarr_v0_2.zarr",
)  # fmt: skip
BETTER_KNOWN = {"gpl3/tif_imagej_stack.tif": {"z": 2.5e-6}}
"""Sizes in metres where the table's reader passes over a unit: ImageJ's spacing is in its unit."""
EXTRA = (".dm3", ".dm4", ".ser", ".emi", ".blo", ".img")


@cache
def table(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text())


def metres(size, unit):
    known = normalise_length(unit)
    return None if size is None or known is None else size * known[0] * LENGTHS[known[1]]


def test_the_table_has_no_file_that_is_not_tested(real_data):
    assert set(table(real_data / "containers")) == set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REFUSED])
def test_values_and_pixel_size_are_those_of_the_table(real_data, name):
    if name.endswith(EXTRA):
        pytest.importorskip("rsciio", reason="the extra for microscope containers is missing")
    folder = real_data / "containers"
    truth = table(folder)[name]
    image = open_image(folder / name, part=PARTS.get(name))
    values = np.asarray(image.data)
    assert image.shape == tuple(truth["shape"])
    assert image.dtype == np.dtype(truth["dtype"])
    assert values.ravel()[:4].tolist() == pytest.approx(truth["first"])
    assert values.ravel()[-4:].tolist() == pytest.approx(truth["last"])
    assert values.min() == pytest.approx(truth["min"])
    assert values.max() == pytest.approx(truth["max"])
    assert values.mean() == pytest.approx(truth["mean"], rel=1e-5)
    stated = {
        letter: metres(axis["scale"], axis["unit"])
        for letter, axis in zip(image.axes, truth["axes"], strict=True)
    }
    stated |= BETTER_KNOWN.get(name, {})
    for letter, size in zip(image.spatial_axes, image.calibration.spacing, strict=True):
        seen = metres(size, image.calibration.unit)
        expected = stated[letter]
        assert (seen is None) == (expected is None), letter
        assert seen is None or seen == pytest.approx(expected, rel=1e-6), letter
    assert image.calibration.source


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_is_refused_in_words(real_data, name):
    if name.endswith(EXTRA):
        pytest.importorskip("rsciio", reason="the extra for microscope containers is missing")
    path = real_data / "containers" / name
    assert can_open(path)
    with pytest.raises(ImageError, match=REFUSED[name]) as caught:
        open_image(path)
    assert path.name in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "count"), [("gpl3/nexus_dls.nxs", 7), ("hdf5_data_exchange.h5", 26)]
)
def test_several_data_sets_are_a_question(real_data, name, count):
    path = real_data / "containers" / name
    with pytest.raises(PartNeeded, match=f"holds {count} images") as caught:
        open_image(path)
    assert PARTS[name] in [part.name for part in list_parts(path)]
    assert open_image(f"{path}::{caught.value.parts[-1].name}").shape


@pytest.mark.parametrize("name", ["mrc_emd3001.map.bz2", "gpl3/tif_from_dm_stack.tif"])
def test_unlikely_pixel_sizes_are_asked_about(real_data, name):
    """Axes that the header turns, and pixels ten times as high as wide."""
    assert open_image(real_data / "containers" / name).calibration.question


def test_frame_times_are_read(real_data):
    stack = open_image(real_data / "containers" / "gpl3/emd_velox_tem_stack.emd")
    assert stack.axes == ("t", "y", "x")
    assert (stack.calibration.frame_time, stack.calibration.time_unit) == (0.8, "s")
    movie = open_image(real_data / "containers" / "gpl3/tif_from_dm_stack.tif")
    assert (movie.calibration.frame_time, movie.calibration.time_unit) == (2.5, "s")


def test_4d_scans_open_when_their_axes_are_named(real_data):
    path = real_data / "containers" / "gpl3/py4dstem_small.h5"
    assert open_image(path, axes="tzyx").shape == (2, 3, 4, 5)
