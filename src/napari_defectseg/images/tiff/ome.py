"""The OME-XML in a TIFF, read without trusting it."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ImageError

LONGEST = 1 << 26
MOST_PLANES = 10_000_000


def refuse_entities(path: Path, text: str) -> None:
    """Raise `ImageError` if an XML text declares entities, which can blow up without bound."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text or len(text) > LONGEST:
        raise ImageError(
            f"{path.name}: its OME-XML declares entities, which no microscope does.",
            hint="The file is damaged or made up; it was not opened.",
        )


def refuse_absurd(path: Path, text: str) -> None:
    """Raise `ImageError` if an OME-XML claims more planes than any file has."""
    if not text.lstrip().startswith("<") or "<OME" not in text:
        return
    for sizes in re.findall(r"<(?:\w+:)?Pixels\b[^>]*", text):
        counts = [int(n) for n in re.findall(r"\bSize[ZCT]\s*=\s*[\"'](\d{1,18})", sizes)]
        if math.prod(counts) > MOST_PLANES:
            raise ImageError(
                f"{path.name}: its OME-XML claims {math.prod(counts)} planes.",
                hint="The file is damaged or made up; it was not opened.",
            )


def pixels(tif: Any, index: int) -> tuple[str, dict[str, Any]]:
    """Return name and attributes of the ``Pixels`` element of image `index`; empty without OME."""
    text = tif.ome_metadata
    if not text:
        return "", {}
    from xml.etree import ElementTree

    images = [e for e in ElementTree.fromstring(text) if e.tag.endswith("}Image")]
    if index >= len(images):
        return "", {}
    for element in images[index]:
        if element.tag.endswith("}Pixels"):
            return images[index].get("Name", ""), dict(element.attrib)
    return "", {}
