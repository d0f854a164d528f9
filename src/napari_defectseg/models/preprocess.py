"""Preprocessing as frozen values: fitted to an image, applied to its blocks.

One arithmetic for prediction, training and export: every step is fitted once (to an image,
to a slice, or not at all) and then is the same straight line ``(value - offset) / scale`` for
every pixel, so that a tile and the whole image get the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_defectseg.core.errors import ImageError

Array: TypeAlias = np.ndarray[Any, Any]
Scope: TypeAlias = Literal["image", "slice", "constant"]
Values: TypeAlias = float | tuple[float, ...]

FLAT = 1e-12
"""Spreads below this count as a flat image, which is mapped to zeros."""


@dataclass(frozen=True)
class Fitted:
    """One step after it has seen an image: a straight line a channel.

    Parameters
    ----------
    offset, scale : tuple of float
        One entry for all channels, or one each.
    clip : tuple or None
        Limits applied afterwards: a lowest and a highest value, each one for all channels or
        one each.
    """

    offset: tuple[float, ...]
    scale: tuple[float, ...]
    clip: tuple[Values, Values] | None = None

    def apply(self, block: Array) -> Array:
        """Return ``(block - offset) / scale`` as float32.

        Parameters
        ----------
        block : ndarray, shape (channel, *spatial)
            Any part of the image that was fitted.

        Returns
        -------
        ndarray of float32, same shape
            Always a new array.
        """
        shape = (-1,) + (1,) * (block.ndim - 1)
        # Integers above 2**24 and large float offsets would lose digits in float32.
        wide = np.float64 if block.dtype.itemsize > 2 and block.dtype != np.float32 else np.float32
        result: Array = block.astype(wide)
        np.subtract(result, np.asarray(self.offset, wide).reshape(shape), out=result)
        np.divide(result, np.asarray(self.scale, wide).reshape(shape), out=result)
        if self.clip is not None:
            low, high = (np.asarray(_tuple(v), wide).reshape(shape) for v in self.clip)
            np.clip(result, low, high, out=result)
        return result.astype(np.float32, copy=False)


@dataclass(frozen=True)
class FittedChain:
    """All steps of a card after they have seen an image."""

    steps: tuple[Fitted, ...]

    def apply(self, block: Array) -> Array:
        """Return the block as the network wants it.

        Parameters
        ----------
        block : ndarray, shape (channel, *spatial)

        Returns
        -------
        ndarray of float32, same shape
        """
        result = block
        for step in self.steps:
            result = step.apply(result)
        return result.astype(np.float32, copy=False)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Normalise(_Value):
    """Bring grey values to a common range.

    Parameters
    ----------
    method : str
        ``"zscore"``: mean 0, standard deviation 1. ``"percentile"``: the percentiles `low` and
        `high` become 0 and 1. ``"minmax"``: smallest and largest value become 0 and 1.
        ``"divide"``: divided by `high`, or where that is None by the largest value of the
        image's integer type (floats stay as they are).
    scope : str
        What is measured: ``"image"`` (the whole image, stack or movie), ``"slice"`` (what the
        network sees at once: a plane in 2D, a volume in 3D), ``"constant"`` (nothing: the value
        `low` becomes 0 and `high` becomes 1; for ``"zscore"`` `low` is the mean and `high` the
        standard deviation).
    low, high : float, tuple of float (one a channel), or None
        See `method` and `scope`; percentiles default to 1 and 99.
    per_channel : bool
        Measure each channel by itself.
    clip : bool
        Cut to 0 … 1 afterwards (not for ``"zscore"``).
    limits : tuple of float or None
        Grey values that the image is cut to before all this; with scope ``"constant"``.
    """

    kind: Literal["normalise"] = "normalise"
    method: Literal["zscore", "percentile", "minmax", "divide"] = "percentile"
    scope: Scope = "image"
    low: Values | None = None
    high: Values | None = None
    per_channel: bool = False
    clip: bool = False
    limits: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _limits_make_sense(self) -> Normalise:
        if self.limits is not None and (
            self.scope != "constant" or not self.limits[0] < self.limits[1]
        ):
            raise ValueError("limits are a low and a high value, with scope 'constant'")
        if self.method == "percentile" and self.scope != "constant":
            low, high = self._percentiles()
            if not 0 <= low < high <= 100:
                raise ValueError(f"percentiles must be 0 ≤ low < high ≤ 100, not {low}, {high}")
        elif self.scope == "constant" and self.method != "divide":
            if self.low is None or self.high is None:
                raise ValueError("scope 'constant' needs low and high")
            if self.method != "zscore" and np.any(np.asarray(self.high) <= np.asarray(self.low)):
                raise ValueError("high must be above low")
        spread = self.high if self.method in ("divide", "zscore") else None
        if spread is not None and np.any(np.asarray(spread) <= 0):
            raise ValueError("high must be positive")
        return self

    def _percentiles(self) -> tuple[float, float]:
        low = 1.0 if self.low is None else self.low
        high = 99.0 if self.high is None else self.high
        if isinstance(low, tuple) or isinstance(high, tuple):
            raise ValueError("percentiles are one number for all channels")
        return low, high

    def fit(self, image: Array) -> Fitted:
        """Return the straight line that normalises this image.

        Parameters
        ----------
        image : ndarray, shape (channel, *spatial)
            The image or a fair sample of it. Values that are not finite are left out.

        Raises
        ------
        ImageError
            If no value is finite.
        """
        line = self._line_of(image)
        if self.limits is None:
            return line
        offset, scale = np.asarray(line.offset), np.asarray(line.scale)
        low, high = (tuple(((limit - offset) / scale).tolist()) for limit in self.limits)
        return Fitted(line.offset, line.scale, (low, high))

    def _line_of(self, image: Array) -> Fitted:
        clip = (0.0, 1.0) if self.clip and self.method != "zscore" else None
        if self.method == "divide":
            high = _largest(image.dtype) if self.high is None else self.high
            return Fitted((0.0,), _tuple(high), clip)
        if self.scope == "constant":
            low, high = _tuple(self.low or 0.0), _tuple(self.high or 1.0)
            if self.method == "zscore":
                return Fitted(low, high)
            span = np.broadcast_arrays(np.asarray(high), np.asarray(low))
            return Fitted(low, tuple((span[0] - span[1]).tolist()), clip)
        parts = list(image) if self.per_channel else [image]
        lines = [self._measure(part) for part in parts]
        return Fitted(tuple(o for o, _ in lines), tuple(s for _, s in lines), clip)

    def _measure(self, values: Array) -> tuple[float, float]:
        flat = values.reshape(-1)
        if flat.dtype.kind == "f" and not (finite := np.isfinite(flat)).all():
            flat = flat[finite]
        if flat.size == 0:
            raise ImageError("The image has no finite value, so it cannot be normalised.")
        if self.method == "zscore":
            return _line(float(flat.mean(dtype=np.float64)), float(flat.std(dtype=np.float64)))
        if self.method == "minmax":
            low, high = float(flat.min()), float(flat.max())
        else:
            low, high = (float(v) for v in np.percentile(flat, self._percentiles()))
        return _line(low, high - low)


class Invert(_Value):
    """Exchange bright and dark: ``2 · about - value``.

    Parameters
    ----------
    about : float
        The value that stays: 0.5 after a normalisation to 0 … 1, 0 after a z-score.
    """

    kind: Literal["invert"] = "invert"
    scope: Literal["constant"] = "constant"
    about: float = 0.5

    def fit(self, image: Array) -> Fitted:
        """Return the straight line; it does not depend on the image."""
        return Fitted((2 * self.about,), (-1.0,))


class EachChannel(_Value):
    """A step of its own for each channel.

    Parameters
    ----------
    steps : tuple of Normalise
        In the order of the channels.
    """

    kind: Literal["each"] = "each"
    steps: tuple[Normalise, ...] = Field(min_length=1)

    @property
    def scope(self) -> Scope:
        """What must be measured before it can be applied."""
        return scope_of(self.steps)

    def fit(self, image: Array) -> Fitted:
        """Return the straight lines of the channels.

        Parameters
        ----------
        image : ndarray, shape (channel, *spatial)

        Raises
        ------
        ImageError
            If no value of a channel is finite.
        """
        lines = [
            step.fit(image[number : number + 1] if step.scope != "constant" else image)
            for number, step in enumerate(self.steps)
        ]
        ends = [line.clip or (-np.inf, np.inf) for line in lines]
        return Fitted(
            tuple(line.offset[0] for line in lines),
            tuple(line.scale[0] for line in lines),
            (
                tuple(_tuple(low)[0] for low, _ in ends),
                tuple(_tuple(high)[0] for _, high in ends),
            ),
        )


Preprocessing: TypeAlias = Annotated[Normalise | Invert | EachChannel, Field(discriminator="kind")]
"""Any step that a card can hold."""


def scope_of(steps: Sequence[Normalise | Invert | EachChannel]) -> Scope:
    """Return what must be measured before these steps can be applied."""
    scopes = {step.scope for step in steps}
    return "slice" if "slice" in scopes else "image" if "image" in scopes else "constant"


def fit_chain(steps: tuple[Preprocessing, ...], image: Array) -> FittedChain:
    """Return the steps fitted one after the other.

    Parameters
    ----------
    steps : tuple of Preprocessing
    image : ndarray, shape (channel, *spatial)
        The image, the slice, or a fair sample, as `scope_of` asks for. With constant steps
        alone only its dtype matters.

    Raises
    ------
    ImageError
        If nothing in the image is finite.
    """
    fitted: list[Fitted] = []
    for position, step in enumerate(steps):
        fitted.append(step.fit(image))
        if position + 1 < len(steps) and any(s.scope != "constant" for s in steps[position + 1 :]):
            image = fitted[-1].apply(image)
    return FittedChain(tuple(fitted))


def _line(offset: float, spread: float) -> tuple[float, float]:
    return (offset, spread) if spread > FLAT * max(1.0, abs(offset)) else (offset, 1.0)


def _largest(dtype: np.dtype[Any]) -> float:
    if dtype == np.bool_:
        return 1.0
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def _tuple(values: Values) -> tuple[float, ...]:
    return values if isinstance(values, tuple) else (float(values),)
