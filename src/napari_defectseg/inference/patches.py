"""Where overlapping patches lie, what they weigh, and the plan of a model that sees them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.inference.spacing import new_shape
from napari_defectseg.inference.tiling import Shape, TilingSettings
from napari_defectseg.models.windows import Windows

Array = np.ndarray[Any, Any]
TIMES = 10.0
"""Largest weight of nnU-Net; weights are rounded to half precision, so it matters."""
LEAST = 1e-3
"""Smallest weight of MONAI, as a part of the largest."""


@dataclass(frozen=True)
class WindowPlan:
    """How one plane or volume is seen in overlapping patches.

    Parameters
    ----------
    shape : tuple of int
        Lengths of the image.
    seen : tuple of int
        Lengths as the network sees it: axes in its order, at its spacing.
    windows : Windows
    """

    shape: Shape
    seen: Shape
    windows: Windows

    @property
    def padded(self) -> Shape:
        """Lengths after padding to one patch at least."""
        return tuple(max(n, size) for n, size in zip(self.seen, self.windows.size, strict=True))

    def __len__(self) -> int:
        return math.prod(len(along) for along in places(self.padded, self.windows))

    @property
    def whole(self) -> bool:
        """Whether one patch sees everything."""
        return len(self) == 1

    @property
    def largest(self) -> Shape:
        """Lengths of a patch."""
        return self.windows.size

    @property
    def work(self) -> int:
        """Pixels that the network computes in all, mirrored ones included."""
        return len(self) * math.prod(self.windows.size) << len(self.windows.mirror)

    def smaller(self) -> None:
        """Return no plan with smaller patches: the model's patches have one size."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values that say what was done."""
        return {
            "shape": list(self.shape),
            "seen": list(self.seen),
            "windows": self.windows.model_dump(mode="json"),
            "tiles": len(self),
        }


def plan_windows(
    shape: Shape,
    windows: Windows,
    spacing: Sequence[float] | None,
    channels: int,
    settings: TilingSettings,
) -> WindowPlan:
    """Return the plan of patches for one plane or volume.

    Parameters
    ----------
    shape : tuple of int
        Lengths along (z,) y, x.
    windows : Windows
    spacing : sequence of float or None
        Pixel size along (z,) y, x in the unit of the windows; None: not known, or of no interest.
    channels : int
        Of input and output together.
    settings : TilingSettings

    Raises
    ------
    DeviceError
        If a patch, or the sums of all patches, need more memory than is allowed.
    ModelError
        If another size of tiles was asked for.
    """
    if settings.tile is not None:
        raise ModelError(
            "This model sees patches of one size, so its tiles cannot be chosen.",
            hint="Leave the tile size open.",
        )
    order = windows.axes
    seen = tuple(shape[axis] for axis in order)
    if windows.spacing is not None and spacing is not None:
        steps = [spacing[axis] for axis in order]
        seen = new_shape(seen, steps, [windows.spacing[axis] for axis in order])
    plan = WindowPlan(shape, seen, windows)
    one = math.prod(windows.size) * settings.bytes_per_pixel
    held = 4 * (channels + 1) * math.prod(plan.padded) + 4 * channels * math.prod(shape)
    if max(one, held) > settings.memory_bytes:
        raise DeviceError(
            f"One patch of this model needs {one / 1e9:.2g} GB and the sums of all patches "
            f"{held / 1e9:.2g} GB; {settings.memory_bytes / 1e9:.2g} GB are allowed.",
            hint="Allow more memory, or crop the image.",
        )
    return plan


def places(shape: Shape, windows: Windows) -> list[list[int]]:
    """Return where patches begin along each axis of an image that is a patch long at least."""
    along = _even if windows.style == "nnunet" else _regular
    return [along(n, size, windows.step) for n, size in zip(shape, windows.size, strict=True)]


def boxes(shape: Shape, windows: Windows) -> Iterator[tuple[slice, ...]]:
    """Yield the patches, the last axis fastest."""
    for starts in product(*places(shape, windows)):
        yield tuple(slice(s, s + n) for s, n in zip(starts, windows.size, strict=True))


def _even(length: int, size: int, step: float) -> list[int]:
    count = math.ceil((length - size) / (size * step)) + 1
    last = length - size
    return [int(np.round(last / max(1, count - 1) * number)) for number in range(count)]


def _regular(length: int, size: int, step: float) -> list[int]:
    interval = size if size == length else max(1, int(size * step))
    count = -(-(length - size) // interval) + 1
    return [min(number * interval, length - size) for number in range(count)]


def weights(windows: Windows) -> Array:
    """Return the weight of each pixel of a patch, as float32; none is zero."""
    if windows.weights == "flat":
        return np.ones(windows.size, np.float32)
    if windows.style == "nnunet":
        return _rounded([_bell_on_pixel(n, windows.sigma) for n in windows.size])
    bells = [_bell_in_middle(n, windows.sigma) for n in windows.size]
    result = _outer(bells)
    return np.maximum(result, np.float32(max(float(result.min()), LEAST)))


def _bell_on_pixel(size: int, sigma: float) -> Array:
    from scipy.ndimage import gaussian_filter1d

    delta = np.zeros(size)
    delta[size // 2] = 1.0
    bell: Array = gaussian_filter1d(delta, size * sigma, mode="constant")
    return bell


def _bell_in_middle(size: int, sigma: float) -> Array:
    x = np.arange(-(size - 1) / 2, (size - 1) / 2 + 1, dtype=np.float32)
    bell: Array = np.exp(x**2 / (-2 * np.float32(sigma * size) ** 2))
    return bell


def _rounded(bells: list[Array]) -> Array:
    """Return the product in half precision; what is zero there gets the least that is not."""
    product_ = _outer(bells)
    half = (product_ / (product_.max() / TIMES)).astype(np.float16)
    half[half == 0] = half[half != 0].min()
    result: Array = half.astype(np.float32)
    return result


def _outer(bells: list[Array]) -> Array:
    result = bells[0]
    for bell in bells[1:]:
        result = np.multiply.outer(result, bell)
    return result
