"""Finding handed-over edits: the folder itself, a folder of results, another image."""

import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.find_journal import find_journal
from napari_defectseg.labels.journal import Journal
from napari_defectseg.labels.labelmap import LabelMap


@pytest.fixture
def kept(tmp_path):
    classes = ClassMap.of(["void"])
    labels = LabelMap.empty((8, 8), classes, ("y", "x"), Calibration((1.0, 1.0), "nm", "made"))
    labels.planes[0][2:4, 2:4] = 1
    labels.object_classes[1] = 1
    folders = {}
    for image, sha in (("steel_07", "aa" * 32), ("steel_08", "bb" * 32)):
        journal = Journal.start(tmp_path, labels, image=image, image_sha256=sha)
        journal.close()
        folders[image] = journal.folder
    return folders


def test_the_folder_itself_and_the_one_that_fits_in_a_folder_of_results(tmp_path, kept):
    assert find_journal(kept["steel_07"], "aa" * 32).path == kept["steel_07"]
    assert find_journal(tmp_path, "bb" * 32).path == kept["steel_08"]


def test_edits_of_another_image_are_refused_by_name(kept):
    with pytest.raises(LabelError, match="other images: steel_07"):
        find_journal(kept["steel_07"], "cc" * 32)


def test_a_folder_without_edits_says_what_to_choose(tmp_path):
    with pytest.raises(LabelError, match="holds no edits"):
        find_journal(tmp_path / "empty", "aa" * 32)
