"""Samples to try things with: made here, or downloaded when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.atomic import not_saved, refuse_existing
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import SampleError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.datasets.catalogue import Sample, SampleFile, sample, usual_folder
from napari_defectseg.datasets.download import download_steps
from napari_defectseg.datasets.files import SUFFIX, write_columns
from napari_defectseg.datasets.phantom import object_columns
from napari_defectseg.images.image import CalibratedImage

if TYPE_CHECKING:
    from napari_defectseg.phantoms.phantom import Phantom

SERVER = "https://raw.githubusercontent.com"
ORIGINALS = "originals"
"""Folder inside a sample for files that only a part is shown of."""
LUMINANCE = np.array((0.299, 0.587, 0.114), np.float32)
"""Weights of red, green, blue (ITU-R BT.601), as JPEG has them."""


@dataclass(frozen=True)
class Fetched:
    """A sample on this machine.

    Parameters
    ----------
    sample : Sample
        With its licence and where it comes from.
    folder : Path
    images, masks : tuple of Path
        Its files; a mask has the name of its image.
    """

    sample: Sample
    folder: Path
    images: tuple[Path, ...]
    masks: tuple[Path, ...] = ()

    def open(self, index: int = 0) -> CalibratedImage:
        """Open one of its images, with the pixel size that the catalogue knows."""
        from napari_defectseg.images.open import open_image

        image = open_image(self.images[index])
        known = self.sample
        if not known.pixel_size or image.calibration.calibrated:
            return image
        source = f"the catalogue of samples, {known.name}"
        return image.with_calibration(Calibration.of(known.pixel_size, known.unit, source))


def fetch(
    name: str,
    folder: str | Path | None = None,
    *,
    server: str = SERVER,
    overwrite: bool = False,
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Fetched:
    """Make or download a sample; see `fetch_steps`."""
    steps = fetch_steps(name, folder, server=server, overwrite=overwrite)
    return drive(steps, on_step, cancelled)


def fetch_steps(
    name: str,
    folder: str | Path | None = None,
    *,
    server: str = SERVER,
    overwrite: bool = False,
) -> Steps[Fetched]:
    """Make or download a sample; what is there already is not made or downloaded again.

    Parameters
    ----------
    name : str
        As the catalogue names it.
    folder : path, optional
        Where its files are to lie; by default in the user's cache.
    server : str
        Where public files are downloaded from.
    overwrite : bool
        Whether files of the same names that are something else may be replaced; those in the
        cache always are.

    Raises
    ------
    SampleError
        If there is no such sample, no connection, or the server sends something else.
    AlreadyExists
        If there is another file where one of the sample is to lie.
    NotSaved
        If the disk is full or read-only.
    """
    known = sample(name)
    place = usual_folder(name) if folder is None else Path(folder)
    overwrite = overwrite or folder is None
    if known.phantom:
        return (yield from _made(known, place, overwrite))
    for number, file in enumerate(known.files, start=1):
        target = place / file.local
        original = place / ORIGINALS / file.original if file.changed else target
        steps = _fetched(file, original, server, overwrite)
        try:
            for step in steps:
                yield replace(step, text=f"{step.text} (file {number} of {len(known.files)})")
        finally:
            steps.close()
        if file.changed and not target.exists():
            _cut(file, original, target)
    images = tuple(place / file.local for file in known.files if file.role == "image")
    masks = tuple(place / file.local for file in known.files if file.role == "mask")
    return Fetched(known, place, images, masks)


def _fetched(file: SampleFile, path: Path, server: str, overwrite: bool) -> Steps[Path]:
    if path.exists() and sha256_of_file(path) != file.sha256:
        refuse_existing(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_saved(path, error) from error
    return (yield from download_steps(file.url(server), path, file.sha256, file.bytes))


def _cut(file: SampleFile, original: Path, target: Path) -> None:
    """Write the part of the original that the sample shows."""
    from napari_defectseg.images.open import open_image
    from napari_defectseg.images.save import save_array

    image = open_image(original)
    for name, (_, stop) in file.crop.items():
        if name not in image.axes or image.shape[image.axes.index(name)] < stop:
            raise SampleError(
                f"{original.name} has the shape {image.shape}, too small for the part that is "
                "shown of it."
            )
    pixels = image.read(**{name: slice(*span) for name, span in file.crop.items()})
    axes = image.axes
    if file.grey and axes[-1] == "c":
        pixels = np.rint(pixels[..., :3] @ LUMINANCE).astype(pixels.dtype)
        axes = axes[:-1]
    save_array(pixels, target, axes=axes, calibration=image.calibration)


def _made(known: Sample, place: Path, overwrite: bool) -> Steps[Fetched]:
    """Make a phantom and write image, mask, objects and their list."""
    names = ("image", "mask", "instances")
    paths = {name: place / f"{known.name}_{name}{SUFFIX}" for name in names}
    table = place / f"{known.name}_objects.csv"
    wanted = (*paths.values(), table)
    if not all(path.exists() for path in wanted):
        for path in wanted:
            refuse_existing(path, overwrite)
        yield Step(0, 0, f"making {known.title}")
        from napari_defectseg.phantoms.make import phantom

        _write(phantom(known.phantom), paths, table)
    return Fetched(known, place, (paths["image"],), (paths["mask"],))


def _write(made: Phantom, paths: dict[str, Path], table: Path) -> None:
    from napari_defectseg.images.save import save_array, save_image

    axes = made.image.label_axes if made.classes.exclusive else ("c", *made.image.label_axes)
    known: dict[str, Any] = {
        "axes": axes,
        "calibration": made.image.calibration,
        "overwrite": True,
    }
    colours = {item.value: item.colour for item in made.classes}
    save_image(made.image, paths["image"], overwrite=True)
    save_array(made.mask, paths["mask"], colours=colours, **known)
    save_array(made.instances, paths["instances"], **known)
    table.unlink(missing_ok=True)
    write_columns(table, object_columns(made))
