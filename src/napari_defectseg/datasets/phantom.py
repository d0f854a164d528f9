"""Phantoms as a dataset folder: images, exact masks, and the exact list of objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.atomic import atomic_folder, refuse_existing
from napari_defectseg.core.errors import AlreadyExists, DatasetError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.datasets.card import CARD
from napari_defectseg.datasets.dataset import Dataset

if TYPE_CHECKING:
    from napari_defectseg.phantoms.phantom import Phantom

LICENCE = "CC0-1.0"


def write_phantoms(
    kind: str,
    out: str | Path,
    *,
    count: int = 1,
    seed: int = 0,
    shape: Sequence[int] | None = None,
    overwrite: bool = False,
) -> Dataset:
    """Make phantoms and save them as a dataset; see `write_phantoms_steps`."""
    return drive(
        write_phantoms_steps(kind, out, count=count, seed=seed, shape=shape, overwrite=overwrite)
    )


def write_phantoms_steps(
    kind: str,
    out: str | Path,
    *,
    count: int = 1,
    seed: int = 0,
    shape: Sequence[int] | None = None,
    overwrite: bool = False,
) -> Steps[Dataset]:
    """Make phantoms and save each as a specimen of its own; stopping keeps what is finished.

    Parameters
    ----------
    kind : str
        ``"micrograph"``, ``"surface"``, ``"movie"`` or ``"tomogram"``.
    out : str or Path
        The dataset folder to make.
    count : int
        How many; number n has the seed ``seed + n``.
    seed : int
    shape : sequence of int, optional
        Pixels along each axis.
    overwrite : bool
        Replace a dataset that is there; it stays until all phantoms are finished.

    Raises
    ------
    AlreadyExists
        If `out` exists, and is no dataset or may not be replaced.
    DatasetError
        If fewer than one phantom was asked for.
    """
    if count < 1:
        raise DatasetError(f"{count} phantoms were asked for.", hint="Ask for 1 or more.")
    out = Path(out)
    text = f"{kind} phantoms"
    with _place(out, overwrite) as folder:
        dataset: Dataset | None = None
        for number in range(count):
            yield Step(number, count, text)
            made = _make(kind, seed + number, shape)
            if dataset is None:
                dataset = Dataset.create(
                    folder,
                    made.classes,
                    name=out.name,
                    licence=LICENCE,
                    made_by=f"defectseg phantom {kind} --seed {seed} --count {count}",
                )
            add_phantom(dataset, made)
        yield Step(count, count, text)
    return Dataset.open(out)


def add_phantom(dataset: Dataset, phantom: Phantom) -> None:
    """Save a phantom into a dataset, as a specimen of its own."""
    name = f"{phantom.kind}-{phantom.seed}"
    dataset.add(
        phantom.image,
        phantom.mask,
        specimen=name,
        instances=phantom.instances,
        objects=object_columns(phantom),
        origin={
            "who": "phantom",
            "kind": phantom.kind,
            "seed": phantom.seed,
            "facts": plain(phantom.facts),
        },
    )


def plain(value: Any) -> Any:
    """Return `value` with numpy numbers, arrays and tuples turned into plain JSON values."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _make(kind: str, seed: int, shape: Sequence[int] | None) -> Phantom:
    from napari_defectseg.phantoms.make import phantom

    return phantom(kind, seed=seed, shape=None if shape is None else tuple(shape))


def object_columns(phantom: Phantom) -> dict[str, Any]:
    """Return the list of objects with ``name [unit]`` where a column has a unit."""
    named = {}
    for name, values in phantom.objects.items():
        unit = phantom.unit_of(name)
        named[f"{name} [{unit}]" if unit else name] = values
    return named


@contextmanager
def _place(out: Path, overwrite: bool) -> Iterator[Path]:
    """Give the folder to fill: `out` itself, or one that takes the place of an old dataset."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        yield out
        return
    refuse_existing(out, overwrite)
    if not (out / CARD).is_file():
        raise AlreadyExists(
            f"{out} is not a dataset folder and was left as it is.",
            hint="Only a dataset can be overwritten by a dataset; choose another name.",
        )
    with atomic_folder(out, overwrite=True) as folder:
        yield folder
