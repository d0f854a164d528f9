"""Datasets of other programs become a dataset folder, or join one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from napari_defectseg.core.atomic import atomic_folder
from napari_defectseg.core.errors import DatasetError, FileMissing
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.datasets.card import CARD
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.datasets.foreign import FORMS, Found, ImportSettings, Item
from napari_defectseg.datasets.meaning import Meaning, settle
from napari_defectseg.images.specimen import specimen_of


@dataclass(frozen=True)
class Imported:
    """What an import made.

    Parameters
    ----------
    dataset : Dataset
    form : str
        The form that the source had.
    pairs : tuple of str
        Names of the new pairs.
    notes : tuple of str
        What was left out or changed, and why.
    """

    dataset: Dataset
    form: str
    pairs: tuple[str, ...]
    notes: tuple[str, ...]


def look(source: str | Path, settings: ImportSettings | None = None) -> tuple[str, Found]:
    """Return the form of a foreign dataset and what is in it, without reading its images.

    Raises
    ------
    FileMissing
        If there is nothing.
    DatasetError
        If no form fits, or the one asked for does not.
    """
    settings = settings or ImportSettings()
    path = Path(source)
    if not path.exists():
        raise FileMissing(f"{path} does not exist.")
    form = settings.form
    if form == "auto":
        form = next((name for name, each in FORMS.items() if each.recognise(path)), "")
        if not form:
            raise DatasetError(
                f"{path} holds no labels in a form that is known: {', '.join(FORMS.names())}.",
                hint="Say which form it has to learn what is missing.",
            )
    found = FORMS.get(form).find(path, settings)
    if not found.items:
        raise DatasetError(f"{path} holds no labelled images of the form {form}.")
    return form, found


def import_steps(
    source: str | Path, target: str | Path, settings: ImportSettings | None = None
) -> Steps[Imported]:
    """Read a foreign dataset into a dataset folder.

    A new dataset appears when all of it is there; one that exists keeps what was finished
    when the work is stopped.

    Parameters
    ----------
    source : path
        Folder or file.
    target : path
        A new dataset folder, or one that exists: its classes then count.
    settings : ImportSettings, optional

    Raises
    ------
    DatasetError
        If marks have no name, classes do not fit, or files are damaged or missing.
    """
    settings = settings or ImportSettings()
    target = Path(target)
    yield Step(0, 0, "looking at what is there")
    form, found = look(source, settings)
    old = Dataset.open(target) if (target / CARD).is_file() else None
    exclusive = found.exclusive and not settings.overlapping
    meaning = settle(found.marks, settings.names, old.classes if old else None, exclusive=exclusive)
    notes = list(found.notes)
    pairs = []
    with _place(target, old, meaning, settings, f"imported from {form}") as dataset:
        for number, item in enumerate(found.items):
            yield Step(number, len(found.items), f"reading {item.name}")
            pairs.append(_add(dataset, item, meaning, Path(source), settings, form, notes))
    return Imported(Dataset.open(target), form, tuple(pairs), tuple(notes))


def import_dataset(
    source: str | Path, target: str | Path, settings: ImportSettings | None = None
) -> Imported:
    """Read a foreign dataset into a dataset folder; see `import_steps`."""
    return drive(import_steps(source, target, settings))


def _add(
    dataset: Dataset,
    item: Item,
    meaning: Meaning,
    source: Path,
    settings: ImportSettings,
    form: str,
    notes: list[str],
) -> str:
    image = replace(item.image(), name=item.name)
    truth = item.truth(image, meaning)
    notes += truth.notes
    root = source if source.is_dir() else source.parent
    pattern = settings.specimen_of
    specimen = specimen_of(item.path, pattern, root) if pattern else item.path.stem
    if not specimen:
        raise DatasetError(
            f"The pattern {pattern!r} finds no specimen in {item.path}.",
            hint="Write it like {specimen}_* , or leave it out: each image is then a specimen.",
        )
    pair = dataset.add(
        image,
        truth.mask,
        specimen=specimen,
        split=item.split,
        instances=truth.instances,
        origin={"file": str(item.path), "who": "import", "form": form, **item.detail},
    )
    return pair.id


@contextmanager
def _place(
    target: Path, old: Dataset | None, meaning: Meaning, settings: ImportSettings, made_by: str
) -> Iterator[Dataset]:
    if old is not None:
        yield old
        return
    with atomic_folder(target) as folder:
        yield Dataset.create(
            folder, meaning.classes, name=target.name, licence=settings.licence, made_by=made_by
        )
