"""The name of each image's folder in a result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
DOUBLE = (".ome.tif", ".ome.tiff", ".ome.zarr", ".nii")


def stem_of(path: str | Path) -> str:
    """Return the name of an image without folder and suffix; ``FILE::part`` keeps its part.

    Examples
    --------
    >>> stem_of("a/steel.ome.tif"), stem_of("map.mrc.gz"), stem_of("shot.h5::entry/data")
    ('steel', 'map', 'shot-entry-data')
    """
    file, _, part = str(path).partition("::")
    name = Path(file).name
    for suffix in COMPRESSED:
        name = _without(name, suffix)
    for suffix in DOUBLE:
        shorter = _without(name, suffix)
        if shorter != name:
            break
    else:
        shorter = name.rsplit(".", 1)[0] if "." in name.strip(".") else name
    return shorter + (f"-{part.replace('/', '-').strip('-')}" if part else "")


def stems(paths: Sequence[str | Path]) -> tuple[str, ...]:
    """Return one folder name for each path; paths of one stem get ``<parent>__<stem>``.

    Names differ by more than capitals, since some disks do not tell those apart.
    """
    plain = [stem_of(path) for path in paths]
    with_parent = [f"{_parent(path)}__{stem}" for path, stem in zip(paths, plain, strict=True)]
    count = Counter(stem.casefold() for stem in plain)
    chosen = [
        parent if count[stem.casefold()] > 1 else stem
        for stem, parent in zip(plain, with_parent, strict=True)
    ]
    found: list[str] = []
    seen: set[str] = set()
    for name in chosen:
        number, unique = 1, name
        while unique.casefold() in seen:
            number += 1
            unique = f"{name}-{number}"
        seen.add(unique.casefold())
        found.append(unique)
    return tuple(found)


def _parent(path: str | Path) -> str:
    return Path(str(path).partition("::")[0]).resolve().parent.name or "root"


def _without(name: str, suffix: str) -> str:
    long_enough = len(name) > len(suffix)
    return name[: -len(suffix)] if long_enough and name.lower().endswith(suffix) else name
