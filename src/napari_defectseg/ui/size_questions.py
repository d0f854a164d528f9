"""Questions about a pixel size, as strips with the possible answers as buttons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_defectseg.core.calibration import NEARLY_SQUARE, Calibration
from napari_defectseg.ui.adopt import Offer, offers
from napari_defectseg.ui.widgets.strip import Action

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_defectseg.images.image import CalibratedImage

TOPIC = "pixel size"
CHECKED = "checked by you"
LIKELY = ("nm", "µm")
"""Units that are offered for a number without one."""
Choose = Callable[[Calibration], object]


@dataclass(frozen=True)
class SizeQuestion:
    """What has to be asked about the pixel size of an image.

    Parameters
    ----------
    kind : str
        Of the message strip.
    sentence : str
    answers : tuple of (str, Calibration)
        Words of a button and the size it means.
    unknown : bool
        Whether there is no size in the plane: then it may also be typed or drawn.
    """

    kind: str
    sentence: str
    answers: tuple[tuple[str, Calibration], ...]
    unknown: bool = False

    def actions(self, choose: Choose) -> list[Action]:
        """Return the answers as links that choose their size."""
        return [(words, lambda known=known: choose(known)) for words, known in self.answers]


def question_about(
    image: CalibratedImage, layer: Layer | None, from_file: Offer | None = None
) -> SizeQuestion | None:
    """Return what to ask about an image; None if its pixel size is known and likely.

    Parameters
    ----------
    image : CalibratedImage
    layer : Layer or None
        That shows it.
    from_file : Offer, optional
        What the header of the layer's file says.
    """
    known = image.calibration
    if known.question:
        return SizeQuestion("warning", known.question, _candidates(known))
    if not known.in_plane.calibrated:
        return _missing(image, layer, from_file)
    if not known.calibrated:
        sentence = "The distance from slice to slice is not known: sizes are in px until you say."
        return SizeQuestion("warning", sentence, (_cubes(known),))
    return None


def _candidates(known: Calibration) -> tuple[tuple[str, Calibration], ...]:
    """Return the sizes that may be meant."""
    here = known.settled(f"{known.source}, {CHECKED}")
    if known.rivals:
        others = [one.settled(f"{one.source}, {CHECKED}") for one in known.rivals]
        return tuple((one.in_plane.describe(), one) for one in (here, *others))
    y, x = known.spacing[-2:]
    if y and x and abs(y - x) > NEARLY_SQUARE * max(y, x):
        squares = [
            replace(here, spacing=(*known.spacing[:-2], side, side), source=f"x or y, {CHECKED}")
            for side in (y, x)
        ]
        both = [
            (f"both {side:.4g} {known.unit}", one)
            for side, one in zip((y, x), squares, strict=True)
        ]
        return (("they differ, it is right", here), *both)
    nothing = replace(
        Calibration.uncalibrated(known.ndim, f"{known.source} was not believed"),
        frame_time=known.frame_time,
        time_unit=known.time_unit,
    )
    return ((f"yes, {known.describe()}", here), ("no, it is unknown", nothing))


def _missing(image: CalibratedImage, layer: Layer | None, from_file: Offer | None) -> SizeQuestion:
    sentence = "There is no pixel size: sizes are in px until you give one."
    answers: list[tuple[str, Calibration]] = []
    if layer is not None:
        for offer in offers(layer):
            sentence = f"{offer.sentence} Sizes are in px until you say."
            answers += [
                (
                    f"{offer.numbers[-1]:.4g} {unit}",
                    Calibration.of(offer.numbers, unit, f"the layer's scale, {unit} {CHECKED}"),
                )
                for unit in LIKELY
            ]
    if from_file is not None:
        answers.insert(0, (f"Read the file again: {from_file.sentence}", from_file.calibration))
    return SizeQuestion("warning", sentence, tuple(answers), unknown=True)


def _cubes(known: Calibration) -> tuple[str, Calibration]:
    side = known.in_plane.steps[-1]
    cube = replace(known, spacing=(side,) * known.ndim, source=f"{known.source}; z typed by you")
    return f"as in the plane, {side:.4g} {known.unit}", cube
