"""What napari's writers save: a layer's pixels with pixel size and axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari.layers import Layer

from napari_defectseg.images.save import save_array, save_image
from napari_defectseg.ui.adopt import geometry_of, image_of


def write_image(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write an image layer in the format of the suffix; napari has asked about overwriting."""
    image = image_of(Layer.create(data, attributes, "image"))
    return [str(save_image(image, Path(path), overwrite=True))]


def write_labels(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer: numbers of objects, in the format of the suffix."""
    layer = Layer.create(data, attributes, "labels")
    axes, calibration = geometry_of(layer)
    written = save_array(
        layer.data,
        Path(path),
        axes=axes,
        calibration=calibration,
        name=layer.name,
        overwrite=True,
    )
    return [str(written)]
