"""At which scale a network sees an image: as it is, at another pixel size, or at a fixed size."""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.core.units import ratio
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.resample import Resampling
from napari_defectseg.models.card import ModelCard

TOLERANCE = 1e-3
"""Sizes that differ by less from the range are inside it."""
LARGE = 4
"""An image so many times as long as the input size is taken for a whole one."""
MOST_ENLARGED = 16.0
LEAST_LENGTH = 8


@dataclass(frozen=True)
class Scale:
    """What is decided about an image.

    Parameters
    ----------
    resampling : Resampling or None
        None: the network sees the image as it is.
    sentence : str
        What a person should know, or nothing.
    """

    resampling: Resampling | None = None
    sentence: str = ""


def scale_of(
    card: ModelCard, image: CalibratedImage, policy: str, axes: Axes, *, square: bool = False
) -> Scale:
    """Return how the network sees an image.

    Parameters
    ----------
    card : ModelCard
    image : CalibratedImage
    policy : str
        ``"card"``, or one of those of `ModelCard.pixel_policy`.
    axes : tuple of str
        What the network sees at once.
    square : bool
        Whether pixels along y become as long as along x first, where both are known: for planes
        across the slices of a volume. Nothing is said then.

    Raises
    ------
    ImageError
        If it would have to be resampled to something absurd.
    """
    source = tuple(image.shape[image.axes.index(axis)] for axis in axes)
    wanted = card.pixel_policy if policy == "card" else policy
    if card.input_size is not None and card.resize != "never":
        return _resized(card, image, axes, source)
    plain = (1.0,) * len(axes)
    stretched = _stretched(image) if square else plain
    clipped = _factors(card, image, square=square) if wanted == "resample" else None
    factors = tuple(a * b for a, b in zip(stretched, clipped or plain, strict=True))
    if all(factor == 1 for factor in factors):
        quiet = square or wanted == "go-on"
        return Scale(None, "" if quiet else pixel_size_warning(card, image))
    target = tuple(max(1, round(n * f)) for n, f in zip(source, factors, strict=True))
    _refuse_absurd(card, image, factors, target)
    if square:
        return Scale(Resampling(axes, source, target))
    sentence = (
        f"{image.name} has {_seen(card, image).describe()}; {_made_for(card)}, so it looked at the "
        f"image resampled from {_lengths(source)} to {_lengths(target)} px. Everything is measured "
        "on the image itself."
    )
    return Scale(Resampling(axes, source, target), sentence)


def pixel_size_warning(card: ModelCard, image: CalibratedImage) -> str:
    """Return the sentence for an image outside the pixel sizes of the model, else nothing."""
    if card.pixel_size is None:
        return ""
    seen = _seen(card, image)
    if not seen.calibrated:
        return f"{image.name} has no pixel size; {_made_for(card)}. Whether it fits is not known."
    factors = _factors(card, image) or ()
    if all(factor == 1 for factor in factors):
        return ""
    return (
        f"{image.name} has {seen.describe()}; {_made_for(card)}, so look at the result with care."
    )


def nearest_size(card: ModelCard, image: CalibratedImage) -> tuple[float, ...] | None:
    """Return the nearest size inside the model's range along each axis that it sees, in its unit.

    None where nothing is known about one of them.
    """
    return _nearest(card, _seen(card, image))


def _nearest(card: ModelCard, seen: Calibration) -> tuple[float, ...] | None:
    if card.pixel_size is None or not seen.calibrated:
        return None
    low, high = card.pixel_size
    factor = ratio(seen.unit, card.pixel_unit)
    return tuple(min(max(step * factor, low), high) for step in seen.steps)


def _factors(
    card: ModelCard, image: CalibratedImage, *, square: bool = False
) -> tuple[float, ...] | None:
    """Return how many times as long each axis becomes; 1 inside the range."""
    seen = _seen(card, image)
    if square:
        seen = replace(seen, spacing=seen.spacing[-1:] * seen.ndim)
    nearest = _nearest(card, seen)
    if nearest is None:
        return None
    factor = ratio(seen.unit, card.pixel_unit)
    found = [step * factor / size for step, size in zip(seen.steps, nearest, strict=True)]
    return tuple(1.0 if abs(one - 1) <= TOLERANCE else one for one in found)


def _stretched(image: CalibratedImage) -> tuple[float, ...]:
    """Return how many times as long y and x become so that pixels are square."""
    y, x = image.size_along(("y", "x")).spacing
    ratio_ = 1.0 if y is None or x is None else y / x
    return (1.0 if abs(ratio_ - 1) <= TOLERANCE else ratio_, 1.0)


def _resized(card: ModelCard, image: CalibratedImage, axes: Axes, source: tuple[int, ...]) -> Scale:
    target = card.input_size or source
    if source == target:
        return Scale()
    large = all(n >= LARGE * t for n, t in zip(source, target, strict=True))
    size = _lengths(target)
    if card.resize == "large" and not large:
        return Scale(
            None,
            f"{card.name} was trained on whole images resized to {size} px; {image.name} "
            f"({_lengths(source)} px) counts as cut from one and was taken as it is.",
        )
    return Scale(
        Resampling(axes, source, target, plain=True),
        f"{image.name} was resized from {_lengths(source)} to {size} px for the network, as its "
        "authors did. Everything is measured on the image itself.",
    )


def _refuse_absurd(
    card: ModelCard, image: CalibratedImage, factors: tuple[float, ...], target: tuple[int, ...]
) -> None:
    if max(factors) > MOST_ENLARGED:
        what = f"would have to be enlarged {max(factors):.3g} times"
    elif min(target) < LEAST_LENGTH and min(factors) < 1:
        what = f"would shrink to {_lengths(target)} px"
    else:
        return
    if card.pixel_size is None:
        raise ImageError(
            f"{image.name} has pixels {max(factors):.3g} times as long along one axis as along the "
            f"others: across its slices it {what}.",
            hint="Check the pixel size along z, or predict slice by slice.",
        )
    raise ImageError(
        f"{image.name} has {_seen(card, image).describe()}; {_made_for(card)}: it {what}.",
        hint="Check the pixel size, or let the model look at it as it is (pixel policy go-on).",
    )


def _seen(card: ModelCard, image: CalibratedImage) -> Calibration:
    wanted = ("z", "y", "x")[-card.dims :]
    return image.size_along(tuple(axis for axis in wanted if axis in image.axes))


def _made_for(card: ModelCard) -> str:
    low, high = card.pixel_size or (0.0, 0.0)
    return f"this model was made for {low:.3g} – {high:.3g} {card.pixel_unit}/px"


def _lengths(shape: tuple[int, ...]) -> str:
    return " × ".join(str(n) for n in shape)
