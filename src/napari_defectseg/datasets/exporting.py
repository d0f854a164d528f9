"""A dataset folder in the form of another program."""

from __future__ import annotations

from pathlib import Path

from napari_defectseg.core.atomic import atomic_folder
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.core.progress import Steps, drive
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.datasets.foreign import WRITERS


def export_steps(
    dataset: Dataset, form: str, out: str | Path, *, overwrite: bool = False
) -> Steps[list[str]]:
    """Write all pairs that count in another form; the folder appears when it is whole.

    Parameters
    ----------
    dataset : Dataset
    form : str
        ``"coco"``, ``"nnunet"``, ``"yolo"`` or ``"pairs"``.
    out : path
        The folder to make.
    overwrite : bool
        Whether a folder that is there may be replaced.

    Returns
    -------
    list of str
        What the form could not keep.

    Raises
    ------
    DatasetError
        If the dataset is empty, or the form cannot hold it.
    AlreadyExists
        If `out` exists and may not be replaced.
    """
    writer = WRITERS.get(form)
    if not dataset.pairs():
        raise DatasetError(f"{dataset.path} holds no pairs to export.")
    with atomic_folder(out, overwrite=overwrite) as folder:
        return (yield from writer.write_steps(dataset, folder))


def export_dataset(
    dataset: Dataset, form: str, out: str | Path, *, overwrite: bool = False
) -> list[str]:
    """Write a dataset in another form; see `export_steps`."""
    return drive(export_steps(dataset, form, out, overwrite=overwrite))
