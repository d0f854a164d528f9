"""Networks that measure each image: all squares of a plane go through together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.inference.tiling import Shape, Tile, TilePlan, TilingSettings

if TYPE_CHECKING:
    from napari_defectseg.inference.engine import Engine
    from napari_defectseg.inference.finite import Replaced
    from napari_defectseg.inference.source import Source

Array = np.ndarray[Any, Any]
Result: TypeAlias = "tuple[Tile, Array, Replaced]"
"""A tile, its scores, and which of its pixels were replaced."""


def plan_segments(shape: Shape, grid: int, segment: int, settings: TilingSettings) -> TilePlan:
    """Return the squares that an image is cut into, without overlap.

    The image is continued (mirrored) at its far border until it is made of whole squares.

    Parameters
    ----------
    shape : tuple of int
    grid : int
        Of the network.
    segment : int
        Edge of a square; 0: the image stays whole.
    settings : TilingSettings

    Raises
    ------
    DeviceError
        If all of them together need more memory than is allowed; says how much.
    ModelError
        If a size of tiles was asked for.
    """
    if settings.tile is not None:
        raise ModelError(
            "This network measures each image as a whole, so its tiles cannot be chosen.",
            hint="Leave the tile size open, or calibrate it on one image.",
        )
    edge = segment or grid
    padded = tuple(-(-n // edge) * edge for n in shape)
    core = (segment,) * len(shape) if segment else padded
    plan = TilePlan(shape, padded, edge, 0, core)
    need = plan.work * settings.bytes_per_pixel
    if need > settings.memory_bytes:
        raise DeviceError(
            f"This network measures each image as a whole, which needs {need / 1e9:.2g} GB; "
            f"{settings.memory_bytes / 1e9:.2g} GB are allowed.",
            hint="Allow more memory, crop the image, or calibrate the model on a smaller one: "
            "then it works in tiles.",
        )
    return plan


def ordered(plan: TilePlan) -> list[Tile]:
    """Return the squares column by column, as the published code numbers them."""
    return sorted(plan, key=lambda tile: [part.start for part in reversed(tile.outer)])


def seamless(found: Sequence[Result], plan: TilePlan) -> list[Result]:
    """Return the tiles with the scores of the whole plane or volume around each of them."""
    whole = np.zeros((found[0][1].shape[0], *plan.shape), np.float32)
    for tile, scores, _ in found:
        whole[(slice(None), *tile.inner)] = scores[(slice(None), *tile.local)]
    everything = tuple(slice(0, n) for n in plan.shape)
    return [
        (replace(tile, outer=everything, local=tile.inner), whole, replaced)
        for tile, _, replaced in found
    ]


def together(plan: TilePlan, source: Source, engine: Engine) -> Iterator[Result]:
    """Yield each square with its scores and the number of pixels replaced in it."""
    tiles = ordered(plan)
    read = [source.block(tile) for tile in tiles]
    scores = engine.run_batch(np.stack([block for block, _ in read]))
    for tile, one, (_, replaced) in zip(tiles, scores, read, strict=True):
        yield tile, one, replaced
