"""A micrograph with known objects, for the tests of docks."""

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap

CLASSES = ClassMap.of(["void", "precipitate", "loop"])
SIZE = 128
COUNT = 12


def micrograph(calibrated=True):
    """Return an image with twelve discs, and its labels: void, precipitate, loop in turn."""
    rng = np.random.default_rng(0)
    pixels = rng.normal(100, 5, (SIZE, SIZE)).astype(np.float32)
    plane = np.zeros((SIZE, SIZE), np.int32)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for number in range(1, COUNT + 1):
        y, x = 20 + 40 * ((number - 1) // 4), 16 + 32 * ((number - 1) % 4)
        plane[(rows - y) ** 2 + (columns - x) ** 2 <= (3 + number / 2) ** 2] = number
    pixels[plane > 0] += 60
    known = Calibration.of((0.5, 0.5), "nm", "typed by you")
    calibration = known if calibrated else Calibration.uncalibrated(2)
    image = CalibratedImage(pixels, ("y", "x"), calibration, "steel_bf_07")
    classes = {number: 1 + (number - 1) % 3 for number in range(1, COUNT + 1)}
    return image, LabelMap((plane,), classes, CLASSES, ("y", "x"), calibration)
