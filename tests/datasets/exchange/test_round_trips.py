"""What is exported comes back the same: pixels, masks, sets, classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.datasets.exchange import make

from napari_defectseg.core.errors import AlreadyExists, DatasetError
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.datasets.exporting import export_dataset
from napari_defectseg.datasets.foreign import ImportSettings
from napari_defectseg.datasets.importing import import_dataset

FORMS = ("pairs", "coco", "nnunet", "yolo")


def there_and_back(made: Dataset, form: str, folder: Path, **settings: object) -> Dataset:
    export_dataset(made, "pairs" if form == "planes" else form, folder / "out")
    wanted = ImportSettings(**settings)  # type: ignore[arg-type]
    found = import_dataset(folder / "out", folder / "back", wanted)
    assert found.form == form
    return found.dataset


@pytest.mark.parametrize("form", FORMS)
def test_images_masks_and_sets_come_back(form: str, tmp_path: Path) -> None:
    made = make.dataset(tmp_path / "set", unlabelled=form != "yolo")
    back = there_and_back(made, form, tmp_path)
    assert back.classes.names == made.classes.names
    assert len(back.pairs()) == 3
    for one in made.pairs():
        other = back.pair(one.id)
        np.testing.assert_array_equal(other.image().read(), one.image().read())
        wanted = one.mask()
        if form == "yolo":  # its outlines have no holes
            wanted = wanted.copy()
            wanted[7:9, 7:9] = 1
        np.testing.assert_array_equal(other.mask(), wanted)
        if form != "nnunet":
            assert other.split == one.split


def test_objects_come_back_from_coco(tmp_path: Path) -> None:
    made = Dataset.create(tmp_path / "set", ["void"])
    objects = np.zeros(make.SHAPE, np.int32)
    objects[5:10, 5:10], objects[5:10, 10:15] = 1, 2
    from napari_defectseg.images.image import CalibratedImage

    image = CalibratedImage.from_array(make.picture())
    made.add(image, (objects > 0).astype(np.uint8), specimen="A", instances=objects)
    back = there_and_back(made, "coco", tmp_path)
    found = back.pairs()[0].instances()
    assert found is not None
    assert found.max() == 2
    assert len(set(found[5:10, 5:10].ravel()) | {0}) == 2
    assert found[7, 7] != found[7, 12]


def test_volumes_go_to_nnunet_with_their_pixel_size(tmp_path: Path) -> None:
    made = make.dataset(tmp_path / "set", (6, 40, 50))
    back = there_and_back(made, "nnunet", tmp_path)
    for one in made.pairs():
        other = back.pair(one.id)
        np.testing.assert_array_equal(other.mask(), one.mask())
        np.testing.assert_array_equal(other.image().read(), one.image().read())
        assert other.calibration.steps == one.calibration.steps


def test_slices_of_volumes_become_pictures_of_coco(tmp_path: Path) -> None:
    made = make.dataset(tmp_path / "set", (3, 40, 50))
    back = there_and_back(made, "coco", tmp_path, specimen_of="{specimen}_z*")
    assert len(back.pairs()) == 9
    assert len({pair.specimen for pair in back.pairs()}) == 3
    np.testing.assert_array_equal(back.pairs()[0].mask(), made.pairs()[0].mask()[0])


@pytest.mark.parametrize("form", ["planes", "coco"])
def test_overlapping_classes_come_back(form: str, tmp_path: Path) -> None:
    made = make.dataset(tmp_path / "set", exclusive=False)
    back = there_and_back(made, form, tmp_path, overlapping=True)
    for one in made.pairs():
        np.testing.assert_array_equal(back.pair(one.id).mask(), one.mask())


def test_nnunet_refuses_classes_that_overlap(tmp_path: Path) -> None:
    made = make.dataset(tmp_path / "set", exclusive=False, unlabelled=False)
    with pytest.raises(DatasetError, match="nnU-Net cannot hold"):
        export_dataset(made, "nnunet", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    made = make.dataset(tmp_path / "set")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("x")
    with pytest.raises(AlreadyExists):
        export_dataset(made, "coco", tmp_path / "out")
    assert (tmp_path / "out" / "thesis.txt").exists()


def test_what_yolo_cannot_hold_is_told(tmp_path: Path) -> None:
    notes = export_dataset(make.dataset(tmp_path / "set"), "yolo", tmp_path / "out")
    assert any("holes" in note for note in notes)
    assert any("unlabelled" in note for note in notes)
