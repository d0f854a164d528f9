"""`defectseg phantom` and `defectseg dataset` keep the promises of the folder."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.datasets.dataset import Dataset


@pytest.fixture
def phantoms(defectseg, tmp_path: Path) -> Path:
    folder = tmp_path / "phantoms"
    said = defectseg(
        "phantom", "micrograph", "--out", folder, "--count", 3, "--shape", "96,128", "--json"
    )
    assert said.status == 0, said.err
    assert said.document["pairs"] == ["micrograph-0", "micrograph-1", "micrograph-2"]
    return folder


def test_phantoms_have_exact_truth_beside_them(phantoms: Path) -> None:
    from napari_defectseg.phantoms.make import phantom

    pair = Dataset.open(phantoms).pair("micrograph-1")
    truth = phantom("micrograph", seed=1, shape=(96, 128))
    np.testing.assert_array_equal(pair.mask(), truth.mask)
    np.testing.assert_array_equal(pair.instances(), truth.instances)
    np.testing.assert_array_equal(pair.image().read(), truth.image.read())
    assert pair.calibration.steps == truth.image.calibration.steps
    path = pair.path("objects")
    assert path is not None
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["area [nm²]"]) for row in rows] == truth.objects["area"].tolist()


def test_phantoms_replace_a_dataset_only_when_asked(defectseg, phantoms: Path) -> None:
    ask = ["phantom", "micrograph", "--out", phantoms, "--shape", "64,64"]
    said = defectseg(*ask)
    assert said.status == 1
    assert "exists already" in said.err
    assert defectseg(*ask, "--overwrite").status == 0
    assert len(Dataset.open(phantoms).pairs()) == 1


def test_a_folder_that_is_no_dataset_is_never_replaced(defectseg, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("ten days")
    said = defectseg("phantom", "micrograph", "--out", tmp_path / "thesis", "--overwrite")
    assert said.status == 1
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "ten days"


def test_create_add_info_split(defectseg, phantoms: Path, tmp_path: Path) -> None:
    folder = tmp_path / "steel"
    names = "void,precipitate,loop,line"
    assert defectseg("dataset", "create", folder, "--classes", names).status == 0
    for number in range(3):
        said = defectseg(
            "dataset", "add", folder, phantoms / f"images/micrograph-{number}.ome.tif",
            phantoms / f"masks/micrograph-{number}.ome.tif", "--specimen", f"S{number}", "--json",
        )  # fmt: skip
        assert said.status == 0, said.err
        assert said.document["specimen"] == f"S{number}"
    said = defectseg("dataset", "split", folder, "--seed", 1, "--json")
    assert said.status == 0
    assert said.document["splits"] == {"train": 1, "validation": 1, "test": 1}
    said = defectseg("dataset", "info", folder)
    assert "3 pairs, 3 specimens" in said.out


def test_what_does_not_fit_gets_a_sentence(defectseg, phantoms: Path, tmp_path: Path) -> None:
    said = defectseg("dataset", "info", tmp_path / "none")
    assert said.status == 1
    assert "does not exist" in said.err
    defectseg("dataset", "create", tmp_path / "pores", "--classes", "pore")
    said = defectseg(
        "dataset", "add", tmp_path / "pores", phantoms / "images/micrograph-0.ome.tif",
        phantoms / "masks/micrograph-0.ome.tif", "--specimen", "A",
    )  # fmt: skip
    assert said.status == 1
    assert "which is no class of this dataset (1 pore)" in said.err
    said = defectseg("dataset", "create", phantoms, "--classes", "pore")
    assert said.status == 1
    assert "was left as it is" in said.err
