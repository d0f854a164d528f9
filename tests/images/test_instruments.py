"""A pixel size typed once is known for the next image of the same instrument."""

from __future__ import annotations

import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import CalibrationError
from napari_defectseg.images.instruments import forget, recall, remember


@pytest.fixture
def file(tmp_path):
    return tmp_path / "settings" / "instruments.json"


def test_what_was_remembered_comes_back_with_its_source(file):
    remember("JEOL 200 kV 40000 x", Calibration((0.486, 0.486), "nm"), file=file)
    remember("Zeiss 5 kV", Calibration((2.0, 0.1, 0.1), "µm"), file=file)
    known = recall("JEOL 200 kV 40000 x", file=file)
    assert known is not None
    assert (known.spacing, known.unit) == ((0.486, 0.486), "nm")
    assert "JEOL 200 kV 40000 x" in known.source
    volume = recall("Zeiss 5 kV", 3, file=file)
    assert volume is not None
    assert volume.spacing == (None, 0.1, 0.1)


def test_unknown_instruments_have_no_size_and_can_be_forgotten(file):
    assert recall("JEOL", file=file) is None
    remember("JEOL", Calibration((1.0, 1.0), "nm"), file=file)
    forget("JEOL", file=file)
    assert recall("JEOL", file=file) is None


def test_nameless_instruments_and_unknown_sizes_are_refused(file):
    with pytest.raises(CalibrationError, match="which instrument"):
        remember(" ", Calibration((1.0, 1.0), "nm"), file=file)
    with pytest.raises(CalibrationError, match="no pixel size"):
        remember("JEOL", Calibration.uncalibrated(2), file=file)
    assert not file.exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"JEOL": {"spacing": [0, 1]}}', '{"JEOL": 3}'])
def test_a_damaged_file_is_a_sentence(file, text):
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(CalibrationError, match=r"instruments\.json cannot be read"):
        recall("JEOL", file=file)
