"""A folder of micrographs is one collection; what cannot be opened is named, not lost."""

from __future__ import annotations

import csv
import hashlib

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import FileMissing, ImageError
from napari_defectseg.core.progress import Step
from napari_defectseg.images.collection import Collection, find_images
from napari_defectseg.images.save import save_array
from napari_defectseg.images.specimen import specimen_of


@pytest.fixture
def folder(tmp_path):
    """Two specimens, one broken file, one hidden file, a text."""
    for specimen, count in (("A3", 2), ("B1", 1)):
        for number in range(count):
            save_array(
                np.full((6, 8), number, np.uint8),
                tmp_path / "scan" / specimen / f"bf_{number + 9}.ome.tif",
                axes="yx",
                calibration=Calibration((0.5, 0.5), "nm"),
            )
    (tmp_path / "scan" / "B1" / "torn.tif").write_bytes(b"II*\0\x08\0\0\0")
    (tmp_path / "scan" / "B1" / ".bf_1.tif").write_bytes(b"II*\0")
    (tmp_path / "scan" / "notes.txt").write_text("dose 3 dpa")
    return tmp_path / "scan"


def test_a_scan_finds_specimens_fields_and_problems(folder):
    collection = Collection.scan(folder)
    assert [entry.field for entry in collection.entries] == ["bf_9", "bf_10", "bf_9", "torn"]
    assert collection.specimens == ("A3", "B1")
    assert collection.entries[0].shape == (6, 8)
    assert collection.entries[0].calibration.describe() == "0.5 nm/px"
    assert "torn.tif" in collection.entries[3].problem
    assert collection.entries[3].state == "unreadable"
    words = "4 images, 2 specimens, 3 with pixel size, 1 cannot be opened"
    assert collection.describe() == words
    assert collection.open(1).read().max() == 1


def test_the_list_is_usable_while_it_is_read(folder):
    steps = list(Collection.scan_steps(folder))
    assert all(isinstance(step, Step) for step in steps)
    assert [len(step.partial) for step in steps] == [1, 2, 3, 4]


def test_chosen_files_are_taken_as_they_stand(folder):
    """A folder among chosen files is a stack of slices."""
    collection = Collection.scan([folder / "A3" / "bf_9.ome.tif", folder / "A3"], "{specimen}_*")
    assert [entry.shape for entry in collection.entries] == [(6, 8), (2, 6, 8)]
    assert collection.entries[0].specimen == "bf"


def test_the_csv_names_every_image_with_its_hash(folder, tmp_path):
    collection = Collection.scan(folder).with_state(0, "checked")
    path = collection.write_csv(tmp_path / "collection.csv")
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    first = (folder / "A3" / "bf_9.ome.tif").read_bytes()
    assert rows[0]["sha256"] == hashlib.sha256(first).hexdigest()
    assert rows[0]["state"] == "checked"
    assert (rows[0]["pixel_size"], rows[0]["unit"]) == ("0.5 0.5", "nm")
    assert rows[3]["sha256"] == ""
    assert rows[3]["problem"]


def test_an_empty_or_missing_folder_is_a_sentence(tmp_path):
    with pytest.raises(ImageError, match="holds no images"):
        Collection.scan(tmp_path)
    with pytest.raises(FileMissing, match="not there"):
        find_images(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("pattern", "path", "name"),
    [
        (None, "scan/A3/bf_07.tif", "A3"),
        ("{specimen}_*", "scan/A3_bf_07.tif", "A3"),
        ("{specimen}/*", "scan/A3/deep/bf_07.tif", "A3"),
        ("day?_{specimen}_*.tif", "scan/day2_B1_07.tif", "B1"),
        (r"([A-Z]\d+)_", "scan/x_A3_07.tif", "A3"),
        (r"(?P<specimen>[A-Z]\d)", "scan/C4.tif", "C4"),
        (r"^[A-Z]\d", "scan/D5_07.tif", "D5"),
        ("{specimen}_*", "scan/none.tif", ""),
    ],
)
def test_the_specimen_is_where_the_pattern_says(pattern, path, name):
    assert specimen_of(path, pattern, "scan") == name


def test_a_pattern_that_makes_no_sense_is_a_sentence():
    with pytest.raises(ImageError, match="does not say where"):
        specimen_of("a.tif", "([A-Z")
