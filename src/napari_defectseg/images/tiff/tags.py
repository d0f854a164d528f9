"""Pixel sizes in TIFF tags, those of the microscope makers included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from napari_defectseg.core.axes import Axes
from napari_defectseg.images.statements import Statement, resolution

PER_INCH = {2: 1.0, 3: 2.54}
"""TIFF ResolutionUnit to units an inch."""
DM_UNITS, DM_SCALES = (65003, 65004, 65005), (65009, 65010, 65011)
"""DigitalMicrograph's own tags for the first, second and third axis: x, y, then frames."""


def statements(tif: Any, page: Any, ome: dict[str, Any]) -> list[Statement]:
    """Return what all headers of an open TIFF say, the most trusted first.

    Parameters
    ----------
    tif : tifffile.TiffFile
    page : tifffile.TiffPage
        The page whose pixels are read.
    ome : dict
        Attributes of the OME ``Pixels`` element, empty without one.
    """
    found = [*_ome(ome), *_imagej(tif, page), *_makers(tif, page), *_resolution(tif, page)]
    return [one for one in found if one.source]


def frame_time(tif: Any, page: Any, ome: dict[str, Any]) -> tuple[Any, str | None]:
    """Return time from frame to frame and its unit, as the headers write them."""
    if ome.get("TimeIncrement"):
        return ome["TimeIncrement"], ome.get("TimeIncrementUnit", "s")
    imagej = tif.imagej_metadata or {}
    if imagej.get("finterval"):
        return imagej["finterval"], str(imagej.get("tunit", "s"))
    return _value(page, DM_SCALES[2]), _text(page, DM_UNITS[2]) or None


def instrument(tif: Any, page: Any) -> str:
    """Return camera or microscope and magnification, empty if no header tells."""
    fei = tif.fei_metadata or {}
    system = fei.get("System") or {}
    if system:
        return str(system.get("SystemType", "FEI")).strip()
    words = [_text(page, 271), _text(page, 272)]
    sem = tif.sem_metadata or {}
    words += [_sem_text(sem, "dp_sem"), _sem_text(sem, "ap_mag")]
    return " ".join(word for word in words if word)


def details(tif: Any, page: Any) -> dict[str, str]:
    """Return what else a person may want to see."""
    fei = tif.fei_metadata or {}
    found = {
        "date": _text(page, 306),
        "software": _text(page, 305),
        "compression": str(getattr(page.compression, "name", page.compression)),
    }
    bar = (fei.get("PrivateFei") or {}).get("DatabarHeight")
    if bar:
        found["data bar"] = f"{bar} rows at the bottom"
    return {name: value for name, value in found.items() if value}


def _ome(ome: dict[str, Any]) -> Iterator[Statement]:
    sizes = {
        letter.lower(): (
            ome[f"PhysicalSize{letter}"],
            str(ome.get(f"PhysicalSize{letter}Unit", "µm")),
        )
        for letter in "ZYX"
        if f"PhysicalSize{letter}" in ome
    }
    if sizes:
        yield Statement("OME-XML, PhysicalSizeX", sizes)


def _imagej(tif: Any, page: Any) -> Iterator[Statement]:
    imagej = tif.imagej_metadata
    if not imagej:
        return
    unit = _unescaped(str(imagej.get("unit", "")))
    x, y = _ratio(page, 282), _ratio(page, 283)
    if not unit or not x or not y:
        return
    y_unit = _unescaped(str(imagej.get("yunit", unit)))
    z_unit = _unescaped(str(imagej.get("zunit", unit)))
    sizes = {"x": (1 / x, unit), "y": (1 / y, y_unit), "z": (imagej.get("spacing"), z_unit)}
    yield Statement("ImageJ header, unit with the resolution tags", sizes)


def _makers(tif: Any, page: Any) -> Iterator[Statement]:
    yield from _fei(tif, page)
    yield from _zeiss(tif)
    yield from _digitalmicrograph(page)
    yield from _olympus(page)
    tvips = tif.tvips_metadata
    if tvips and tvips.get("PixelSizeX"):
        sizes = {"x": (tvips["PixelSizeX"], "nm"), "y": (tvips.get("PixelSizeY"), "nm")}
        yield Statement("TVIPS tag 37706, PixelSizeX", sizes)


def _fei(tif: Any, page: Any) -> Iterator[Statement]:
    fei = tif.fei_metadata
    if not fei:
        return
    for section in ("Scan", "EScan", "IScan", "Image"):
        values = fei.get(section) or {}
        if "PixelWidth" not in values:
            continue
        sizes = {"x": (values["PixelWidth"], "m"), "y": (values.get("PixelHeight"), "m")}
        width = (fei.get("Image") or {}).get("ResolutionX")
        doubt = ""
        if isinstance(width, int) and width != page.imagewidth:
            doubt = (
                f"The FEI header speaks of an image {width} pixels wide, but this one has "
                f"{page.imagewidth}: was it resized?"
            )
        yield Statement(f"FEI tag 34682, [{section}] PixelWidth", sizes, doubt)
        return


def _zeiss(tif: Any) -> Iterator[Statement]:
    sem = tif.sem_metadata or {}
    # The first is that of the stored image, the second that of the full scan.
    for name in ("ap_image_pixel_size", "ap_pixel_size"):
        value = sem.get(name)
        if isinstance(value, tuple) and len(value) >= 3:
            pair = (value[1], str(value[2]))
            yield Statement(f"Zeiss tag 34118, {value[0]}", {"y": pair, "x": pair})


def _digitalmicrograph(page: Any) -> Iterator[Statement]:
    sizes: dict[str, tuple[Any, str | None]] = {}
    for letter, unit, scale in zip("xyz", DM_UNITS, DM_SCALES, strict=True):
        if _value(page, scale) is not None:
            sizes[letter] = (_value(page, scale), _text(page, unit))
    if sizes:
        yield Statement("DigitalMicrograph tag 65009", sizes)


def _olympus(page: Any) -> Iterator[Statement]:
    sis = _value(page, 33560)
    if isinstance(sis, dict) and "pixelsizex" in sis:
        sizes = {"x": (sis["pixelsizex"], "m"), "y": (sis.get("pixelsizey"), "m")}
        yield Statement("Olympus SIS tag 33560, pixel size", sizes)


def _resolution(tif: Any, page: Any) -> Iterator[Statement]:
    x, y = _ratio(page, 282), _ratio(page, 283)
    unit = _value(page, 296)
    if x and y and unit in PER_INCH:
        yield resolution(x, y, PER_INCH[unit], "TIFF resolution tag 282")


def _value(page: Any, code: int) -> Any:
    tag = page.tags.get(code)
    return None if tag is None else tag.value


def _text(page: Any, code: int) -> str:
    value = _value(page, code)
    return value.strip("\x00 ") if isinstance(value, str) else ""


def _ratio(page: Any, code: int) -> float | None:
    value = _value(page, code)
    if isinstance(value, tuple) and len(value) == 2 and value[1]:
        return float(value[0]) / float(value[1]) or None
    return None


def _sem_text(sem: dict[str, Any], name: str) -> str:
    value = sem.get(name)
    return " ".join(str(part) for part in value[1:]) if isinstance(value, tuple) else ""


def _unescaped(unit: str) -> str:
    """ImageJ writes µm as an escape; some programs write the escape's text."""
    return unit.replace("\\u00B5", "µ").replace("\\u00b5", "µ")


def axis_letters(axes: str, stack: str) -> Axes:
    """Return our axis letters for those of tifffile (Q I: unknown page axes; S: colour)."""
    letters = {"Q": stack, "I": stack, "S": "c", "C": "c", "Z": "z", "T": "t", "Y": "y", "X": "x"}
    return tuple(letters.get(letter, letter.lower()) for letter in axes)
