"""Whether the sizes that a card names agree: a fixed tile, windows, the size it resizes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_defectseg.models.card import ModelCard
    from napari_defectseg.models.windows import Windows


def check_sizes(card: ModelCard) -> None:
    """Refuse sizes that contradict each other or the rest of the card.

    Raises
    ------
    ValueError
        Says which two fields do not agree.
    """
    if card.tile is not None:
        _check_tile(card, card.tile)
    if card.windows is not None:
        _check_windows(card, card.windows)
    if card.input_size is not None and len(card.input_size) != card.dims:
        raise ValueError(f"input_size has {len(card.input_size)} lengths, not {card.dims}")
    if card.resize != "never" and card.input_size is None:
        raise ValueError("resize needs an input_size")
    if card.slices > 1:
        _check_slices(card)


def _check_slices(card: ModelCard) -> None:
    if card.dims != 2:
        raise ValueError("slices is for networks that see planes; this one sees volumes")
    if card.slices % 2 == 0:
        raise ValueError(f"slices is {card.slices}; with the slice in the middle it is odd")
    if card.in_channels % card.slices:
        raise ValueError(
            f"{card.in_channels} channels are not those of {card.slices} slices each alike"
        )


def _check_tile(card: ModelCard, tile: tuple[int, ...]) -> None:
    if len(tile) != card.dims:
        raise ValueError(f"tile has {len(tile)} lengths for {card.dims} axes")
    if card.batch_norm == "image":
        raise ValueError("a network with a fixed tile has no statistics of the image")
    if min(tile) <= 2 * (card.halo or 0):
        raise ValueError(f"a tile of {tile} has no inside with halo {card.halo}")


def _check_windows(card: ModelCard, windows: Windows) -> None:
    if card.tile not in (None, windows.size):
        raise ValueError(f"windows of {windows.size} for a network that takes {card.tile} alone")
    if len(windows.size) != card.dims:
        raise ValueError(f"windows of {len(windows.size)} axes for a network of {card.dims}")
    if card.batch_norm == "image":
        raise ValueError("windows do not go with batch_norm 'image'")
    if windows.masked and len(windows.masked) != card.in_channels:
        raise ValueError("windows.masked is not one value for each channel")
