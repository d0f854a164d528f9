"""One unit of length a viewer: what napari draws right, its mouse must tell right too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import napari


def share_unit(viewer: napari.Viewer, layer: Any) -> bool:
    """Write a layer's place in the smallest unit of length that the viewer's others have.

    napari draws layers in nm and in µm side by side, but tells clicks, brush strokes and what is
    in view in the smaller of the two, and a layer reads them in its own: off by a factor of 1000.
    Where all layers have one unit both agree. Nothing moves: 0.5 µm become 500 nm.

    Parameters
    ----------
    viewer : napari.Viewer or ViewerModel
    layer : Layer

    Returns
    -------
    bool
        Whether the layer was changed.
    """
    wanted = _smallest(other for other in viewer.layers if other is not layer)
    if wanted is None:
        return False
    units = tuple(wanted if _is_length(unit) else unit for unit in layer.units)
    if units == tuple(layer.units):
        return False
    factor = np.array(
        [
            float((1.0 * old).to(new).magnitude) if _is_length(old) else 1.0
            for old, new in zip(layer.units, units, strict=True)
        ]
    )
    scale, translate = np.asarray(layer.scale) * factor, np.asarray(layer.translate) * factor
    shift = np.asarray(layer.affine.translate) * factor
    layer.units = units
    layer.scale, layer.translate = scale, translate
    if shift.any():
        matrix = np.array(layer.affine.affine_matrix)
        matrix[:-1, -1] = shift
        layer.affine = matrix
    return True


def _smallest(layers: Any) -> Any:
    lengths = {unit for layer in layers for unit in layer.units if _is_length(unit)}
    return min(lengths, key=lambda unit: (1.0 * unit).to("m").magnitude, default=None)


def _is_length(unit: Any) -> bool:
    return bool(unit.dimensionality == {"[length]": 1})
