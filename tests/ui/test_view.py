"""`defectseg view` shows images and a model, or says what cannot be opened without a window."""

from __future__ import annotations

import napari
import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import FileMissing, ModelMissing
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.save import save_image
from napari_defectseg.ui.session import session_of
from napari_defectseg.ui.view import open_view
from napari_defectseg.ui.workbench import workbench_of


def test_images_are_shown_with_their_pixel_size_and_the_first_is_current(qapp, tmp_path):
    paths = []
    for name in ("A3", "B1"):
        image = CalibratedImage.from_array(
            np.eye(32, dtype=np.uint8), calibration=Calibration.of((0.5, 0.5), "nm"), name=name
        )
        paths.append(save_image(image, tmp_path / f"{name}.ome.tif"))
    viewer = open_view(paths, show=False)
    try:
        assert sorted(layer.name for layer in viewer.layers) == ["A3", "B1"]
        assert all(layer.scale.tolist() == [0.5, 0.5] for layer in viewer.layers)
        current = session_of(viewer).image
        assert current is not None
        assert current.name == "A3"
        assert workbench_of(viewer) is not None
    finally:
        viewer.close()


def test_what_cannot_be_opened_is_told_before_there_is_a_window(qapp, tmp_path, monkeypatch):
    monkeypatch.setattr(napari, "Viewer", lambda **options: pytest.fail("a window was opened"))
    with pytest.raises(FileMissing):
        open_view([tmp_path / "none.tif"], show=False)
    with pytest.raises(ModelMissing):
        open_view([], tmp_path / "none", show=False)
