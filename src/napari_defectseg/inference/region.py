"""`Region`: the part of an image that is predicted; it gives what the whole image gives there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.part import part_of

Side: TypeAlias = "tuple[str, int | None, int | None]"
AXES = ("t", "z", "y", "x")
_SIDE = re.compile(r"(?:(?P<axis>[tzyx])\s*=\s*)?(?P<start>\d*)\s*:\s*(?P<stop>\d*)")
WORDS = {"t": "frames", "z": "slices"}


@dataclass(frozen=True)
class Region:
    """A box, from pixel `start` up to but without pixel `stop`, counted from 0.

    Parameters
    ----------
    sides : tuple of (axis, start, stop)
        Axes that are not named are taken whole; None: from the first, or to the last pixel.
    """

    sides: tuple[Side, ...]

    @classmethod
    def parse(cls, text: str) -> Region:
        """Return a region from words.

        Parameters
        ----------
        text : str
            ``"y=100:612,x=0:512"``, with ``z=`` and ``t=`` where there are slices and frames.
            Without names the parts are those of the last axes: ``"100:612,0:512"`` is y and x.

        Raises
        ------
        ImageError
            If it is no region.

        Examples
        --------
        >>> str(Region.parse("100:612, 0:512"))
        'y=100:612,x=0:512'
        >>> str(Region.parse("z=3:"))
        'z=3:'
        """
        parts = [part.strip() for part in text.split(",")]
        found = [_SIDE.fullmatch(part) for part in parts]
        named = [one["axis"] for one in found if one is not None and one["axis"]]
        mixed = 0 < len(named) < len(parts)
        if None in found or mixed or len(parts) > len(AXES) or len(set(named)) < len(named):
            raise ImageError(
                f"{text!r} is no region.", hint="Write it like y=100:612,x=0:512 (px, from 0)."
            )
        axes = named or AXES[len(AXES) - len(parts) :]
        return cls.of_sides(
            (axis, _number(one["start"]), _number(one["stop"]))
            for axis, one in zip(axes, found, strict=True)
            if one is not None
        )

    @classmethod
    def of_sides(cls, sides: Iterable[Side]) -> Region:
        """Return the region of sides in any order."""
        return cls(tuple(sorted(sides, key=lambda side: AXES.index(side[0]))))

    @classmethod
    def of(cls, image: CalibratedImage, box: tuple[slice, ...]) -> Region:
        """Return the region that is a box over the label axes of an image."""
        return cls.of_sides(
            (axis, part.start, part.stop)
            for axis, part in zip(image.label_axes, box, strict=True)
            if (part.start, part.stop) != (0, image.shape[image.axes.index(axis)])
        )

    def __str__(self) -> str:
        return ",".join(f"{axis}={_text(start)}:{_text(stop)}" for axis, start, stop in self.sides)

    def box(self, image: CalibratedImage) -> tuple[slice, ...]:
        """Return it as slices over the label axes of an image, cut to what is there.

        Raises
        ------
        ImageError
            If the image has not all of its axes, or nothing of it lies in the image.
        """
        found = {
            axis: slice(0, n) for axis, n in zip(image.label_axes, image.label_shape, strict=True)
        }
        for axis, start, stop in self.sides:
            if axis not in found:
                raise ImageError(
                    f"{image.name} has the axes {' '.join(image.axes)}, so the region {self} "
                    f"cannot be taken from it.",
                    hint=f"Leave {axis} out of the region.",
                )
            length = found[axis].stop
            last = length if stop is None else min(stop, length)
            found[axis] = slice(start or 0, last)
            if found[axis].start >= last:
                raise ImageError(
                    f"Nothing of {image.name} lies in the region {self}: along {axis} it has "
                    f"{length} px.",
                    hint="The first pixel has the number 0, and the last one named is left out.",
                )
        return tuple(found[axis] for axis in image.label_axes)

    def part(self, image: CalibratedImage) -> CalibratedImage:
        """Return that part of an image as an image of its own.

        Raises
        ------
        ImageError
            As `box` does.
        """
        return part_of(image, self.box(image))

    def sentence(self, image: CalibratedImage) -> str:
        """Return what was predicted, as a sentence: the rest was not looked at."""
        parts = [
            f"{WORDS.get(axis, axis)} {part.start} to {part.stop - 1}"
            for axis, part in zip(image.label_axes, self.box(image), strict=True)
            if part.stop - part.start < image.shape[image.axes.index(axis)]
        ]
        if not parts:
            return ""
        return (
            f"Only {', '.join(parts)} of {image.name} were predicted; the rest was not looked at."
        )


def _number(text: str) -> int | None:
    return int(text) if text else None


def _text(number: int | None) -> str:
    return "" if number is None else str(number)
