"""What tests of the window share: own folders for settings, small images with objects."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from qtpy.QtCore import QSettings

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap

# Tests in the folders below share the scene beside this file.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _own_settings(tmp_path, monkeypatch):
    """No test reads or writes the settings of whoever runs it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    user = QSettings.Scope.UserScope
    QSettings.setPath(QSettings.Format.NativeFormat, user, str(tmp_path / "qt"))


@pytest.fixture
def image() -> CalibratedImage:
    """A grey picture of 64 × 80 px at 0.5 nm/px."""
    data = np.random.default_rng(0).integers(0, 255, (64, 80)).astype(np.uint8)
    return CalibratedImage.from_array(
        data, calibration=Calibration((0.5, 0.5), "nm", "a tag"), name="steel"
    )


@pytest.fixture
def labels(image) -> LabelMap:
    """Two voids (1 and 2) and one loop (3)."""
    classes = ClassMap.of(["void", "precipitate", "loop"])
    found = LabelMap.empty(image.label_shape, classes, image.label_axes, image.calibration)
    plane = found.planes[0]
    plane[5:15, 5:15], plane[20:30, 20:30], plane[40:50, 60:70] = 1, 2, 3
    found.object_classes.update({1: 1, 2: 1, 3: 3})
    return found


@pytest.fixture
def viewer_model(qapp) -> ViewerModel:
    """A viewer without a window."""
    return ViewerModel()


def drag(on, points, *, button: int = 1, modifiers=()) -> None:
    """Press, move along `points` (world coordinates) and release, as the canvas would tell it."""
    for number, point in enumerate([*points, points[-1]]):
        first, last = number == 0, number == len(points)
        event = SimpleNamespace(
            type="mouse_press" if first else "mouse_release" if last else "mouse_move",
            position=tuple(point),
            pos=np.array(point, float)[-2:],
            button=button,
            modifiers=modifiers,
            is_dragging=not first,
            view_direction=None,
            dims_displayed=[len(point) - 2, len(point) - 1],
            dims_point=list(point),
            handled=False,
        )
        if first:
            mouse_press_callbacks(on, ReadOnlyWrapper(event))
        elif last:
            mouse_release_callbacks(on, event)
        else:
            mouse_move_callbacks(on, event)
