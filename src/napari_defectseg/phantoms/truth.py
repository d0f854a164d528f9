"""`Truth`: shapes drawn on a grid, overlaps resolved, one row an object.

A pixel belongs to a shape if its centre lies inside the analytic outline. In exclusive masks
a pixel belongs to the class that stands first in `order`; within one class, and in multi-label
masks within each plane, to the object added last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.phantoms.grid import Grid, Window
from napari_defectseg.phantoms.shapes import Shape

Array = np.ndarray[Any, Any]
Table = dict[str, Array]
NO_EXTRAS: Mapping[str, float | str] = MappingProxyType({})


@dataclass(frozen=True)
class Drawn:
    """One shape with the pixels it covers inside the image.

    Parameters
    ----------
    shape : Shape
        Its outline.
    value : int
        Class value.
    label : int
        Its number.
    window : tuple of slices or None
        Where `inside` lies; None if no part of the image is near.
    inside : ndarray of bool
        Its pixels, in the image and in the specimen.
    whole : int
        Pixels it would have in a boundless image.
    cut, open : bool
        Whether the border, or the specimen's surface, takes pixels off.
    extras : dict
        Its further columns.
    """

    shape: Shape
    value: int
    label: int
    window: Window | None
    inside: Array
    whole: int
    cut: bool
    open: bool
    extras: Mapping[str, float | str]


@dataclass
class Truth:
    """Collects shapes; `exclusive` or `planes` then give mask, instances and object list.

    Parameters
    ----------
    grid : Grid
        The pixels.
    classes : ClassMap
        Names of the class values.
    order : sequence of int
        Class values, the one that lies on top first.
    space : ndarray of bool, optional
        The specimen; outside of it no pixel belongs to an object.
    """

    grid: Grid
    classes: ClassMap
    order: Sequence[int]
    space: Array | None = None
    drawn: list[Drawn] = field(default_factory=list)

    def add(
        self,
        shape: Shape,
        value: int,
        extras: Mapping[str, float | str] = NO_EXTRAS,
        *,
        label: int | None = None,
    ) -> Drawn:
        """Draw a shape of a class; `extras` become columns of the object list."""
        window = self.grid.window(*shape.bounds())
        inside = shape.level(*self.grid.points(window)) <= 0
        whole = int(inside.sum())
        clipped = self.grid.clipped(window)
        part = inside[tuple(slice(0) for _ in window)]
        if clipped is not None:
            pairs = zip(clipped, window, strict=True)
            part = inside[tuple(slice(c.start - w.start, c.stop - w.start) for c, w in pairs)]
        framed = int(part.sum())
        if clipped is not None and self.space is not None:
            part = part & self.space[clipped]
        number = len(self.drawn) + 1 if label is None else label
        item = Drawn(
            shape,
            value,
            number,
            clipped,
            part,
            whole,
            framed < whole,
            int(part.sum()) < framed,
            extras,
        )
        self.drawn.append(item)
        return item

    def exclusive(self) -> tuple[Array, Array]:
        """Return (mask uint8, instances int32) with one class at most a pixel."""
        mask = np.zeros(self.grid.shape, np.uint8)
        instances = np.zeros(self.grid.shape, np.int32)
        for item in self._from_below():
            if item.window is not None:
                mask[item.window][item.inside] = item.value
                instances[item.window][item.inside] = item.label
        return mask, instances

    def planes(self) -> tuple[Array, Array]:
        """Return (mask uint8 of 0 and 1, instances int32), a plane a class."""
        shape = (len(self.classes), *self.grid.shape)
        instances = np.zeros(shape, np.int32)
        for item in self.drawn:
            if item.window is not None:
                plane = instances[self.classes.values.index(item.value)]
                plane[item.window][item.inside] = item.label
        return (instances > 0).astype(np.uint8), instances

    def resolve(self) -> tuple[Array, Array, Table]:
        """Return mask, instances and object list in the layout that the classes ask for."""
        mask, instances = self.exclusive() if self.classes.exclusive else self.planes()
        return mask, instances, self.table(instances)

    def table(self, instances: Array) -> Table:
        """Return the object list, one row a shape in the order of their labels."""
        top = max((item.label for item in self.drawn), default=0)
        counts = np.bincount(instances.ravel(), minlength=top + 1)
        items = sorted(self.drawn, key=lambda item: item.label)
        seen = np.array([counts[item.label] for item in items], np.int64)
        framed = np.array([item.inside.sum() for item in items], np.int64)
        names = {c.value: c.name for c in self.classes}
        table: Table = {
            "label": np.array([item.label for item in items], np.int32),
            "class": np.array([names[item.value] for item in items], np.str_),
            "class_value": np.array([item.value for item in items], np.uint8),
            "pixels": seen,
            "pixels_whole": np.array([item.whole for item in items], np.int64),
            "cut_by_border": np.array([item.cut for item in items], np.bool_),
            "hidden": seen < framed,
            "hidden_fraction": np.where(framed > 0, 1 - seen / np.maximum(framed, 1), 0.0),
        }
        if self.space is not None:
            table["open_to_surface"] = np.array([item.open for item in items], np.bool_)
        table.update(self._analytic(items))
        return table | _extras(items)

    def _analytic(self, items: Sequence[Drawn]) -> Table:
        ndim = len(self.grid.shape)
        area = np.array([item.shape.measure for item in items], float)
        axes = np.array([item.shape.axes for item in items], float).reshape(len(items), ndim)
        centres = np.array([item.shape.centre for item in items], float).reshape(-1, ndim)
        size = np.sqrt(4 * area / np.pi) if ndim == 2 else np.cbrt(6 * area / np.pi)
        table: Table = {"area": area, "equivalent_diameter_area": size}
        table["axis_major_length"] = axes[:, 0]
        table["axis_minor_length"] = axes[:, -1]
        table["orientation"] = np.array([item.shape.orientation for item in items], float)
        table |= {f"centroid-{k}": centres[:, k] for k in range(ndim)}
        return table

    def _from_below(self) -> list[Drawn]:
        rank = {value: place for place, value in enumerate(self.order)}
        return sorted(self.drawn, key=lambda item: -rank[item.value])


def _extras(items: Sequence[Drawn]) -> Table:
    names = dict.fromkeys(name for item in items for name in item.extras)
    columns: Table = {}
    for name in names:
        values = [item.extras.get(name) for item in items]
        if any(isinstance(value, str) for value in values):
            columns[name] = np.array([value or "" for value in values], np.str_)
        else:
            columns[name] = np.array([np.nan if v is None else float(v) for v in values])
    return columns
