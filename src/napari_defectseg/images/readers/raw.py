"""Raw numbers whose form stands beside them or in their name; else a person is asked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.border import reading
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.parts import Part
from napari_defectseg.images.raw import RawForm, open_raw
from napari_defectseg.images.reader import BY_NAME, NO, stem

SUFFIXES = (".raw", ".vol")
HEADERS = (".mhd", ".nhdr")
"""Headers of other kinds that describe a raw file of the same stem."""
LONGEST = 1 << 16
IN_NAME = re.compile(
    r"(?P<x>\d{1,6})x(?P<y>\d{1,6})(?:x(?P<z>\d{1,6}))?(?=[^0-9].*|$)", re.IGNORECASE
)
TYPE_IN_NAME = re.compile(
    r"(?<![a-z])(u?int(?:8|16|32)|float(?:32|64)|(?:8|16|32)bits?)(?![a-z0-9])", re.IGNORECASE
)
BITS = {"8": "uint8", "16": "uint16", "32": "float32"}


class FormNeeded(ImageError):
    """A raw file tells nothing of itself; a window can ask for a `RawForm`."""


def recognise(path: Path) -> int:
    """Return whether it is named as raw files are."""
    return BY_NAME if path.suffix.lower() in SUFFIXES and path.is_file() else NO


def parts(path: Path) -> tuple[Part, ...]:
    """Return the one array in it."""
    form = find_form(path)
    return (Part(stem(path), form.shape, form.dtype),)


def read(path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
    """Return the numbers in the form that was found beside them or in their name.

    Raises
    ------
    FormNeeded
        If there is none.
    """
    return open_raw(path, find_form(path), axes)


def find_form(path: Path) -> RawForm:
    """Return the form of a raw file.

    Looked for: ``FILE.json`` with the fields of `RawForm`; ``FILE.info`` as PyHST writes it;
    sizes and type in the name, ``rock_512x512x300_uint16.raw``, if they fit the length.
    """
    for suffix, parse in ((".json", _from_json), (".info", _from_info)):
        beside = path.with_name(path.name + suffix)
        if beside.is_file():
            with reading(beside, "the form of a raw file"):
                return parse(beside)
    header = next((path.with_suffix(s) for s in HEADERS if path.with_suffix(s).is_file()), None)
    if header:
        raise FormNeeded(
            f"{path.name} is described by {header.name}.", hint=f"Open {header.name} instead."
        )
    form = _from_name(path)
    if form:
        return form
    raise FormNeeded(
        f"{path.name} holds {path.stat().st_size} bytes of bare numbers that do not tell their "
        "shape and type.",
        hint="Give them: open_image(path, raw=RawForm((slices, rows, columns), 'uint16')).",
    )


def _from_json(beside: Path) -> RawForm:
    values = json.loads(_text(beside))
    known = set(RawForm.__dataclass_fields__)
    if not isinstance(values, dict) or not {"shape", "dtype"} <= set(values) <= known:
        raise ImageError(
            f"{beside.name} is not the form of a raw file.",
            hint=f"It has shape and dtype, and may have {', '.join(sorted(known))}.",
        )
    values["shape"] = tuple(int(length) for length in values["shape"])
    values["spacing"] = tuple(values.get("spacing", ()))
    return RawForm(**values)


def _from_info(beside: Path) -> RawForm:
    """Read the header that reconstruction programs of synchrotrons (PyHST) put beside ``.vol``."""
    fields: dict[str, str] = {}
    for line in _text(beside).splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("!"):
            fields[key.strip().upper()] = value.strip()
    shape = tuple(int(fields[name]) for name in ("NUM_Z", "NUM_Y", "NUM_X"))
    order = "big" if fields.get("BYTEORDER", "").upper() == "HIGHBYTEFIRST" else "little"
    size: Any = float(fields.get("VOXELSIZE", "nan"))
    form = RawForm(shape, "float32", order)
    # PyHST writes the voxel size in micrometres.
    return form if not size > 0 else RawForm(shape, "float32", order, 0, "", (size,) * 3, "µm")


def _from_name(path: Path) -> RawForm | None:
    sizes, kind = IN_NAME.search(path.stem), TYPE_IN_NAME.search(path.stem)
    if not sizes:
        return None
    lengths = [sizes[letter] for letter in "zyx" if sizes[letter]]
    shape = tuple(int(length) for length in lengths)
    wanted = kind[1].lower() if kind else ""
    known = BITS.get(wanted.rstrip("bits"), wanted)
    size = path.stat().st_size
    kinds = [known] if known else ["uint8", "uint16", "float32"]
    fitting = [RawForm(shape, kind) for kind in kinds if RawForm(shape, kind).bytes == size]
    return fitting[0] if len(fitting) == 1 else None


def _text(beside: Path) -> str:
    if beside.stat().st_size > LONGEST:
        raise ImageError(f"{beside.name} is too long for a header.")
    return beside.read_text(encoding="utf-8", errors="replace")
