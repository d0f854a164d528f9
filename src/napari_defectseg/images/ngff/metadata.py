"""The ``multiscales`` of OME-Zarr, versions 0.1 to 0.5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from napari_defectseg.core.axes import KNOWN, Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.statements import Statement, combine, with_frames

SOURCE = "OME-Zarr multiscales, coordinateTransformations"
IMPLIED = ("t", "c", "z", "y", "x")
"""Axes of versions 0.1 and 0.2, which do not name them."""
KINDS = {"time": "t", "channel": "c"}
COLOURS = ("FF0000", "00FF00", "0000FF")
UNITS = {
    "pm": "picometer", "nm": "nanometer", "µm": "micrometer", "mm": "millimeter", "m": "meter",
    "ns": "nanosecond", "µs": "microsecond", "ms": "millisecond", "s": "second",
}  # fmt: skip
"""Our units in the words of OME-Zarr."""


@dataclass(frozen=True)
class Multiscale:
    """One image in several sizes.

    Parameters
    ----------
    paths : tuple of str
        Its arrays inside the group, finest first.
    axes : tuple of str
        One letter an axis, empty if the file does not name them.
    sizes : mapping of str to tuple
        Axis letter to step and unit, as the file states them; time included.
    name : str
    version : str
    rgb : bool
        Whether its three channels are red, green and blue.
    source : str
        Where the sizes come from.
    """

    paths: tuple[str, ...]
    axes: Axes = ()
    sizes: Mapping[str, tuple[Any, str | None]] = field(default_factory=dict)
    name: str = ""
    version: str = ""
    rgb: bool = False
    source: str = SOURCE

    def calibration(self, axes: Axes) -> Calibration:
        """Return the pixel size and frame time that it states."""
        spatial = {name: pair for name, pair in self.sizes.items() if name in ("z", "y", "x")}
        calibration = combine([Statement(self.source, spatial)], axes)
        if "t" in axes and "t" in self.sizes:
            return with_frames(calibration, *self.sizes["t"])
        return calibration


def multiscales(attributes: Mapping[str, Any]) -> tuple[Multiscale, ...]:
    """Return the images that the attributes of a group describe, none for other groups."""
    ome = attributes.get("ome")
    inside: Mapping[str, Any] = ome if isinstance(ome, dict) else attributes
    found = inside.get("multiscales") or ()
    version = str(inside.get("version", ""))
    rgb = _rgb(inside.get("omero") or {})
    return tuple(_one(entry, version, rgb) for entry in found)


def bare(attributes: Mapping[str, Any], dimensions: Sequence[str], name: str) -> Multiscale:
    """Return what an array without a group says of itself.

    Parameters
    ----------
    attributes : mapping
        ``axes``, ``pixel_size`` and ``unit`` as our own stores keep them.
    dimensions : sequence of str
        Names that the array gives to its axes.
    name : str
        What to call it.
    """
    written = attributes.get("axes") or dimensions
    words = {"channel": "c", "time": "t"}
    names = tuple(words.get(str(one).lower(), str(one).lower()) for one in written)
    if not set(names) <= set(KNOWN) or len(set(names)) != len(names):
        names = ()
    spatial = [one for one in names if one in ("z", "y", "x")]
    steps, unit = attributes.get("pixel_size"), attributes.get("unit")
    sizes: dict[str, tuple[Any, str | None]] = {}
    if isinstance(steps, list) and len(steps) == len(spatial):
        sizes = {one: (step, str(unit)) for one, step in zip(spatial, steps, strict=True)}
    return Multiscale(("",), names, sizes, name, source="pixel_size of the store")


def _one(entry: Mapping[str, Any], version: str, rgb: bool) -> Multiscale:
    datasets = entry["datasets"]
    paths = tuple(str(one["path"]) for one in datasets)
    axes, units = _axes(entry.get("axes") or ())
    outer = _scale(entry.get("coordinateTransformations"), len(axes))
    inner = _scale(datasets[0].get("coordinateTransformations"), len(axes))
    sizes: dict[str, tuple[Any, str | None]] = {}
    if inner or outer:
        ones = [1.0] * len(axes)
        pairs = zip(inner or ones, outer or ones, strict=True)
        steps = [a * b for a, b in pairs]
        sizes = {name: (step, units[name]) for name, step in zip(axes, steps, strict=True)}
    name = str(entry.get("name") or "").strip("/")
    stated = str(entry.get("version", version))
    if not axes and stated in ("", "0.1", "0.2"):
        axes = IMPLIED
    return Multiscale(paths, axes, sizes, name, stated, rgb)


def _axes(entries: Any) -> tuple[Axes, dict[str, str | None]]:
    """Return letters and units of the axes: a list of names in 0.3, of mappings from 0.4 on."""
    letters, units = [], {}
    for entry in entries:
        described = entry if isinstance(entry, dict) else {"name": entry}
        name = str(described["name"]).lower()
        letter = name if name in KNOWN else KINDS.get(str(described.get("type")), name)
        letters.append(letter)
        unit = described.get("unit")
        units[letter] = str(unit) if unit else None
    return tuple(letters), units


def _scale(transformations: Any, count: int) -> list[float]:
    for one in transformations or ():
        if one.get("type") == "scale" and isinstance(one.get("scale"), list):
            values = [float(value) for value in one["scale"]]
            return values if len(values) == count else []
    return []


def _rgb(omero: Mapping[str, Any]) -> bool:
    channels = omero.get("channels") or ()
    return tuple(str(one.get("color", "")).upper() for one in channels) == COLOURS
