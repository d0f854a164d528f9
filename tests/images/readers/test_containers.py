"""Microscope containers: with the extra, and without it."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.open import can_open, list_parts, open_image, open_lazily


@pytest.mark.parametrize("suffix", [".dm3", ".dm4", ".ser", ".emi", ".blo", ".img", ".mib"])
def test_without_the_extra_the_command_that_installs_it_is_named(tmp_path, monkeypatch, suffix):
    from napari_defectseg.images.readers.containers import PLUGINS

    monkeypatch.setitem(sys.modules, f"rsciio.{PLUGINS[suffix][0]}", None)
    path = tmp_path / f"steel{suffix}"
    path.write_bytes(b"\x00\x00\x00\x03" + bytes(200))
    assert can_open(path)
    with pytest.raises(ImageError, match=r'pip install "napari-defectseg\[containers\]"') as caught:
        open_image(path)
    assert path.name in caught.value.sentence


def test_pixels_stay_in_the_file_until_they_are_asked_for(real_data):
    pytest.importorskip("rsciio")
    image = open_lazily(real_data / "containers" / "dm4_small_series.dm4")
    assert isinstance(image.data, LazyArray)
    np.testing.assert_array_equal(image.data[2, 3], [55, 56, 57, 58, 59])
    assert image.name == "dm4_small_series"


def test_magnification_and_title_are_kept(real_data):
    pytest.importorskip("rsciio")
    path = real_data / "containers" / "gpl3" / "jeol_view.img"
    assert "40000" in open_image(path).origin.instrument
    assert list_parts(path)[0].shape == (512, 512)


def test_diffraction_patterns_have_no_length(real_data):
    pytest.importorskip("rsciio")
    image = open_image(real_data / "containers" / "gpl3" / "dm3_diffraction.dm3")
    assert not image.calibration.calibrated
    assert "1/nm" in image.calibration.source


@pytest.mark.parametrize("suffix", [".dm3", ".dm4", ".ser", ".blo", ".img"])
def test_text_under_their_names_is_refused(tmp_path, suffix):
    pytest.importorskip("rsciio")
    path = tmp_path / f"a{suffix}"
    path.write_text("not an image, only words about one" * 20)
    with pytest.raises(ImageError, match=rf"a\{suffix}"):
        open_image(path)
