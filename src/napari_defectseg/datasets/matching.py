"""Which label file belongs to which image, and which set a folder's name means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from napari_defectseg.core.atomic import BESIDE
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.datasets.dataset import Split

PICTURES = (
    ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp", ".npy", ".nrrd", ".mhd", ".mha", ".mrc",
    ".raw", ".vol", ".dm3", ".dm4",
)  # fmt: skip
IMAGES = ("images", "image", "imgs", "img", "jpegimages", "raw", "inputs", "input", "frames")
MASKS = (
    "masks", "mask", "labels", "label", "annotations", "annotation", "gt", "groundtruth",
    "ground_truth", "segmentationclass", "segmentations", "targets", "truth",
)  # fmt: skip
ENDINGS = (
    "_mask",
    "_masks",
    "_label",
    "_labels",
    "_gt",
    "_seg",
    "_segmentation",
    "-mask",
    "-label",
)
SETS: dict[str, Split] = {
    "train": "train", "training": "train", "tr": "train", "val": "validation",
    "valid": "validation", "validation": "validation", "dev": "validation", "test": "test",
    "testing": "test", "ts": "test",
}  # fmt: skip


def pictures_in(folder: Path, *, deep: bool = True) -> list[Path]:
    """Return the picture files of a folder in natural order, without hidden ones."""
    found = folder.rglob("*") if deep else folder.iterdir()
    kept = [
        path
        for path in found
        if path.suffix.lower() in PICTURES
        and path.is_file()
        and not path.name.startswith((".", BESIDE))
    ]
    return sorted(kept, key=natural)


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Return a sort key under which 2 comes before 10."""
    parts = re.split(r"(\d+)", path.as_posix())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def stem_of(path: Path) -> str:
    """Return the name without its endings (``.ome.tif`` too)."""
    name = path.name
    for ending in (".ome", ".nii"):
        if path.stem.lower().endswith(ending):
            return path.stem[: -len(ending)]
    return name[: -len(path.suffix)] if path.suffix else name


def plain_stem(path: Path) -> str:
    """Return the stem without ``_mask`` and the like."""
    stem = stem_of(path)
    for ending in ENDINGS:
        if stem.lower().endswith(ending) and len(stem) > len(ending):
            return stem[: -len(ending)]
    return stem


def set_of(path: Path, root: Path) -> Split | None:
    """Return the set that a folder between `root` and `path` names."""
    for part in reversed(path.relative_to(root).parts[:-1]):
        if part.lower() in SETS:
            return SETS[part.lower()]
    return None


def folder_named(root: Path, names: Sequence[str]) -> Path | None:
    """Return the folder in `root` with the first of `names` that is there."""
    there = {path.name.lower(): path for path in root.iterdir() if path.is_dir()}
    return next((there[name] for name in names if name in there), None)


def by_stem(paths: Iterable[Path], root: Path) -> dict[str, Path]:
    """Return paths by their place below `root` and plain stem.

    Raises
    ------
    DatasetError
        If two files have one name.
    """
    found: dict[str, Path] = {}
    for path in paths:
        key = (path.parent.relative_to(root) / plain_stem(path)).as_posix()
        if key in found:
            raise DatasetError(
                f"{found[key]} and {path} have the same name: it is not clear which one to use.",
                hint="Keep one of them.",
            )
        found[key] = path
    return found


def image_named(folder: Path, name: str, where: Path) -> Path:
    """Return the image that a label file names, looked for where such files usually lie.

    Parameters
    ----------
    folder : Path
        The folder that was given.
    name : str
        As the label file says, perhaps with folders of another computer.
    where : Path
        The label file.

    Raises
    ------
    DatasetError
        If it is not there.
    """
    stated = Path(name.replace("\\", "/"))
    short = stated.name
    places = [where.parent, folder, *(p for p in folder.rglob("*") if p.is_dir())]
    tried = [place / part for part in (stated, short) for place in places]
    for path in tried:
        if path.is_file():
            return path
    raise DatasetError(
        f"{where} speaks of the image {name}, which is not in {folder}.",
        hint="Put the images beside the labels, or into a folder called images.",
    )
