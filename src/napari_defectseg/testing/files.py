"""Files that are not what they seem: what every reader and format must bear."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_defectseg.core.errors import DefectSegError

NOISE = np.random.default_rng(0).bytes(4096)


def strangers(folder: Path) -> Iterator[Path]:
    """Yield things that no reader or format may claim: empty, text, noise, an empty folder."""
    for name, content in (
        ("empty.xyz", b""),
        ("notes.xyz", b"measured on Tuesday\n" * 20),
        ("noise.xyz", NOISE),
    ):
        path = folder / name
        path.write_bytes(content)
        yield path
    nothing = folder / "nothing"
    nothing.mkdir()
    yield nothing


def damaged(path: Path, folder: Path) -> Iterator[Path]:
    """Yield damaged copies of a file or folder, under its own name.

    Each file of it in turn is cut off (after nothing, a few bytes, a half, all but a byte), or
    replaced by noise.
    """
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    for number, file in enumerate(sorted(files)[:4]):
        content = file.read_bytes()
        cuts = sorted({0, min(7, len(content)), len(content) // 2, max(len(content) - 1, 0)})
        for kind, bad in enumerate([*(content[:cut] for cut in cuts), NOISE]):
            place = folder / f"damaged-{number}-{kind}"
            place.mkdir()
            copy = place / path.name
            if path.is_file():
                for beside in path.parent.iterdir():
                    if beside.is_file():
                        shutil.copy(beside, place / beside.name)
                copy.write_bytes(bad)
            else:
                shutil.copytree(path, copy)
                (copy / file.relative_to(path)).write_bytes(bad)
            yield copy


def check_sentence(error: DefectSegError, kind: type[DefectSegError] = DefectSegError) -> None:
    """Fail unless an error is of a kind and says a whole sentence."""
    assert isinstance(error, kind), error
    assert error.sentence.endswith((".", "!", "?")), error.sentence
