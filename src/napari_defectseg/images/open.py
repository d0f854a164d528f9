"""`open_image`: one way in for every kind of file."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.errors import DefectSegError, FileMissing, ImageError
from napari_defectseg.core.registry import Registry
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.lazy import settle
from napari_defectseg.images.parts import Part, PartNeeded, split_part
from napari_defectseg.images.raw import RawForm, open_raw

if TYPE_CHECKING:
    from napari_defectseg.images.reader import Reader

PATTERNS = (
    "*.tif", "*.tiff", "*.btf", "*.tf8", "*.png", "*.jpg", "*.jpeg", "*.bmp", "*.npy", "*.npz",
    "*.zarr", "*.h5", "*.hdf5", "*.hdf", "*.he5", "*.nxs", "*.nx", "*.emd", "*.hspy", "*.dm5",
    "*.nrrd", "*.nhdr", "*.mrc", "*.mrcs", "*.map", "*.ccp4", "*.st", "*.ali", "*.rec",
    "*.mrc.gz", "*.map.gz", "*.mrc.bz2", "*.map.bz2", "*.mhd", "*.mha", "*.raw", "*.vol",
    "*.dm3", "*.dm4", "*.ser", "*.emi", "*.blo", "*.img", "*.mib", "*.tvips", "*.sur", "*.prz",
)  # fmt: skip
"""File names that our readers know, for manifests and file dialogs; folders come beside them."""

PIXELS = "buif"
"""Kinds of numpy types that pixels have: truth, whole and floating-point numbers."""
ROOM = "napari_defectseg.images.readers"
READERS: Registry[Any] = Registry(
    "reader",
    {
        "tiff": f"{ROOM}.tiff",
        "raster": f"{ROOM}.raster",
        "numpy": f"{ROOM}.numpy",
        "zarr": f"{ROOM}.zarr",
        "hdf5": f"{ROOM}.hdf5",
        "nrrd": f"{ROOM}.nrrd",
        "mrc": f"{ROOM}.mrc",
        "metaimage": f"{ROOM}.metaimage",
        "raw": f"{ROOM}.raw",
        "containers": f"{ROOM}.containers",
        "folder": f"{ROOM}.folder",
    },
    "napari_defectseg.readers",
)


def open_image(
    path: str | Path,
    *,
    part: str | None = None,
    axes: str | None = None,
    raw: RawForm | None = None,
) -> CalibratedImage:
    """Open a file, a folder of slices or a store as a calibrated image.

    Large pixels stay in the file until they are asked for; up to 64 MB are read at once.

    Parameters
    ----------
    path : path
        The file or folder; ``FILE::part`` names a part too.
    part : str, optional
        Which image of a file that holds several, by name or number (`list_parts`).
    axes : str, optional
        One letter an axis (``t c z y x``) where the file does not tell or tells wrong.
    raw : RawForm, optional
        Shape and type of a file of bare numbers; then nothing else is looked for in it.

    Raises
    ------
    FileMissing
        If there is no such file.
    ImageError
        If it is damaged, not an image, or holds several (`PartNeeded`) and none was chosen.
    """
    image = open_lazily(path, part=part, axes=axes, raw=raw)
    return replace(
        image, data=settle(image.data), levels=tuple(settle(level) for level in image.levels)
    )


def open_lazily(
    path: str | Path,
    *,
    part: str | None = None,
    axes: str | None = None,
    raw: RawForm | None = None,
) -> CalibratedImage:
    """Open as `open_image` does, but read headers only, however small the image."""
    file, inside = _locate(path)
    if raw is not None:
        return open_raw(file, raw, axes)
    part = part if part is not None else inside
    refusals: list[ImageError] = []
    for reader in _candidates(file):
        try:
            return _read(reader, file, part, axes)
        except PartNeeded:
            raise
        except ImageError as error:
            refusals.append(error)
    raise _refused(file, refusals)


def list_parts(path: str | Path) -> tuple[Part, ...]:
    """Return the images inside a file: series, data sets, arrays; one for most files.

    Raises
    ------
    FileMissing
        If there is no such file.
    ImageError
        If no reader knows it, or it is damaged.
    """
    file, _ = _locate(path)
    for reader in _candidates(file)[:1]:
        found: tuple[Part, ...] = reader.parts(file)
        return found
    raise _refused(file, [])


def can_open(path: str | Path) -> bool:
    """Return whether a reader claims a file by its name and first bytes; never raises."""
    try:
        file, _ = _locate(path)
    except DefectSegError:
        return False
    return bool(_candidates(file))


def _locate(path: str | Path) -> tuple[Path, str | None]:
    file, part = split_part(path)
    if file.exists():
        return file, part
    near = []
    if file.parent.is_dir():
        names = [one.name for one in file.parent.iterdir()]
        near = difflib.get_close_matches(file.name, names, n=1)
    hint = f"Did you mean {near[0]}?" if near else "Check the name and the folder."
    raise FileMissing(f"{file} is not there.", hint=hint)


def _candidates(file: Path) -> list[Reader]:
    """Return the readers that claim a file, the surest first."""
    claims = []
    for name in READERS.names():
        try:
            reader: Reader = READERS.get(name)
            score = int(reader.recognise(file))
        except (DefectSegError, OSError):
            # A stranger's reader that cannot be loaded must not keep ours from working.
            continue
        if score:
            claims.append((score, reader))
    best = sorted(claims, key=lambda claim: -claim[0])
    return [reader for _, reader in best]


def _read(reader: Any, file: Path, part: str | None, axes: str | None) -> CalibratedImage:
    if hasattr(reader, "read_container"):
        image: CalibratedImage = reader.read_container(file, open_lazily, part, axes)
    else:
        image = reader.read(file, part, axes)
    if image.dtype.kind not in PIXELS:
        raise ImageError(
            f"{file.name} holds values of type {image.dtype}, which are not pixels.",
            hint="Save an image of whole or floating-point numbers.",
        )
    return image


def _refused(file: Path, refusals: list[ImageError]) -> ImageError:
    if len(refusals) == 1:
        return refusals[0]
    if refusals:
        reasons = " ".join(dict.fromkeys(error.sentence for error in refusals))
        return ImageError(reasons, hint=refusals[0].hint)
    if file.is_dir():
        return ImageError(f"{file} holds no images.", hint="Choose a folder of slices or a file.")
    if not file.stat().st_size:
        return ImageError(f"{file.name} is empty: 0 bytes.", hint="Copy it again.")
    return ImageError(
        f"{file.name} is no image that is known here.",
        hint=f"Known: {', '.join(pattern.lstrip('*') for pattern in PATTERNS)}.",
    )
