"""`Region`: what was counted and what was left out; it travels with every table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration


@dataclass(frozen=True)
class Region:
    """The reference space of a table, and what was left out of the table.

    Parameters
    ----------
    axes : tuple of str
        Axes of the labels.
    shape : tuple of int
        Their lengths; empty for stacked tables.
    pixels : int
        Pixels that were counted, over all frames: the region of interest minus exclusions
        and what nobody has labelled.
    total : int
        Pixels of the whole array.
    frames : int
        Time frames.
    images : int
        Images that the table was stacked from.
    border : str
        How objects at the border were handled.
    border_objects, border_pixels : mapping of str to int
        By class name: objects that touch the border and are therefore not in the table, and
        their pixels.
    min_size : int
        Smallest size of an object, in pixels.
    too_small : int
        Objects left out because they are smaller.
    window : tuple of int
        Sides in pixels of what is counted in a frame; empty where it is no rectangle (box), or
        where the border rule does not need to know.
    spanning_pixels : mapping of str to int
        By class name: pixels of objects left out that are as wide as the window.
    fields : tuple of Region
        What was counted in each image of a stacked table, in order; empty for one image.
    """

    axes: Axes
    shape: tuple[int, ...]
    pixels: int
    total: int
    frames: int = 1
    images: int = 1
    border: str = "count"
    border_objects: Mapping[str, int] = field(default_factory=dict)
    border_pixels: Mapping[str, int] = field(default_factory=dict)
    min_size: int = 1
    too_small: int = 0
    window: tuple[int, ...] = ()
    spanning_pixels: Mapping[str, int] = field(default_factory=dict)
    fields: tuple[Region, ...] = ()

    @property
    def each(self) -> tuple[Region, ...]:
        """The fields; the region itself where there is one image."""
        return self.fields or (self,)

    def without_border(self) -> Region:
        """Return the region for a choice of rows: objects left out are not of the choice."""
        return replace(
            self,
            border_objects={},
            border_pixels={},
            spanning_pixels={},
            fields=tuple(part.without_border() for part in self.fields),
        )

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len([name for name in self.axes if name != "t"])

    def size(self, calibration: Calibration) -> float:
        """Return the counted area or volume, over all frames, in the calibration's unit."""
        product = float(self.pixels)
        for step in calibration.steps:
            product *= step
        return product

    def as_dict(self, calibration: Calibration) -> dict[str, Any]:
        """Return plain JSON values; those of each field where there are several."""
        plain: dict[str, Any] = {
            "axes": "".join(self.axes),
            "shape": list(self.shape),
            "frames": self.frames,
            "images": self.images,
            "pixels": self.pixels,
            "excluded_pixels": self.total - self.pixels,
            "size": {
                "value": self.size(calibration),
                "unit": calibration.power_unit(self.ndim),
            },
            "border": self.border,
            "border_objects_left_out": dict(self.border_objects),
            "border_pixels_left_out": dict(self.border_pixels),
            "window": list(self.window),
            "spanning_pixels": dict(self.spanning_pixels),
            "min_size": {"value": self.min_size, "unit": "px"},
            "too_small_left_out": self.too_small,
        }
        if self.fields:
            plain["fields"] = [part.as_dict(calibration) for part in self.fields]
        return plain

    @classmethod
    def from_dict(cls, known: Mapping[str, Any]) -> Region:
        """Return the region that `as_dict` wrote.

        Raises
        ------
        KeyError, TypeError, ValueError
            If something is missing or of another type.
        """

        def numbers(name: str) -> dict[str, int]:
            return {str(key): int(value) for key, value in known[name].items()}

        return cls(
            axes=tuple(known["axes"]),
            shape=tuple(int(length) for length in known["shape"]),
            pixels=int(known["pixels"]),
            total=int(known["pixels"]) + int(known["excluded_pixels"]),
            frames=int(known["frames"]),
            images=int(known["images"]),
            border=str(known["border"]),
            border_objects=numbers("border_objects_left_out"),
            border_pixels=numbers("border_pixels_left_out"),
            min_size=int(known["min_size"]["value"]),
            too_small=int(known["too_small_left_out"]),
            window=tuple(int(side) for side in known["window"]),
            spanning_pixels=numbers("spanning_pixels"),
            fields=tuple(cls.from_dict(part) for part in known.get("fields", ())),
        )
