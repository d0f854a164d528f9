"""The whole journey by the command line, from phantoms to scores, and bad input on the way."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_defectseg as ds
from napari_defectseg.cli.main import run
from napari_defectseg.images.save import save_array, save_image

PLAN = {
    "name": "tiny", "widths": [8, 16], "patch": [32, 32], "batch": 8, "epochs": 6,
    "steps_per_epoch": 25, "learning_rate": 0.02,
}  # fmt: skip
SIZE = "192,192"


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def defectseg(*arguments: object) -> Said:
    """Run one verb in this process; no traceback may ever reach the user."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = run([str(argument) for argument in arguments])
    assert "Traceback" not in err.getvalue()
    return Said(status, out.getvalue(), err.getvalue())


def program(*arguments: object, before: Callable[[], None] | None = None) -> Said:
    """Run one verb as a program of its own."""
    command = [sys.executable, "-m", "napari_defectseg.cli.main", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, preexec_fn=before
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms → split → train → predict → measure → evaluate; the folder it was done in."""
    top = tmp_path_factory.mktemp("journey")
    (top / "tiny.json").write_text(json.dumps(PLAN))
    for verb in (
        ["phantom", "micrograph", "--out", top / "data", "--count", 5, "--shape", SIZE],
        ["phantom", "micrograph", "--out", top / "new", "--count", 2, "--seed", 50,
         "--shape", SIZE],
        ["dataset", "split", top / "data", "--fractions", "0.6,0.2,0.2"],
        ["train", top / "data", "--out", top / "model", "--plan", top / "tiny.json",
         "--device", "cpu", "--seed", 1],
        ["open", top / "model"],
    ):  # fmt: skip
        said = defectseg(*verb)
        assert said.status == 0, (verb, said.err)
    images = sorted((top / "new" / "images").glob("*.tif"))
    said = program(
        "predict", *images, "--model", top / "model", "--out", top / "result", "--device", "cpu"
    )
    assert said.status == 0, said.err
    return top


def test_the_result_is_complete_and_in_nanometres(journey: Path) -> None:
    for name in ("micrograph-50", "micrograph-51"):
        place = journey / "result" / name
        assert {path.name for path in place.iterdir()} == {
            "mask.ome.tif", "labels.ome.tif", "overlay.png", "objects.csv", "summary.json",
        }  # fmt: skip
        summary = json.loads((place / "summary.json").read_text("utf-8"))
        truth = ds.Dataset.open(journey / "new").pair(name)
        assert summary["image"]["unit"] == truth.calibration.unit == "nm"
        assert summary["image"]["pixel_size"] == pytest.approx(truth.calibration.spacing)
        assert summary["image"]["sha256"] == truth.sha256["image"]
        with (place / "objects.csv").open(encoding="utf-8") as file:
            assert "area [nm²]" in next(csv.reader(file))


def test_measuring_a_true_mask_gives_the_true_objects(journey: Path, tmp_path: Path) -> None:
    pair = ds.Dataset.open(journey / "new").pair("micrograph-50")
    instances, objects = pair.path("instances"), pair.objects()
    assert objects is not None
    said = defectseg("measure", instances, "--out", tmp_path / "m", "--json")
    assert said.status == 0, said.err
    with (tmp_path / "m" / "objects.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    truth = np.asarray(pair.instances())
    assert len(rows) == len(np.unique(truth[truth > 0])) == 3
    pixel = pair.calibration.steps[0] * pair.calibration.steps[1]
    drawn = dict(zip(*np.unique(truth[truth > 0], return_counts=True), strict=True))
    total = sum(float(row["area [nm²]"]) for row in rows)
    assert total == pytest.approx(pixel * sum(drawn.values()))


def test_measuring_a_result_gives_its_own_table(journey: Path, tmp_path: Path) -> None:
    place = journey / "result" / "micrograph-50"
    image = journey / "new" / "images" / "micrograph-50.ome.tif"
    said = defectseg(
        "measure", place / "labels.ome.tif", "--image", image, "--out", tmp_path / "m", "--json"
    )
    assert said.status == 0, said.err
    summary = json.loads((place / "summary.json").read_text("utf-8"))
    for name, numbers in summary["classes"].items():
        for key in ("objects", "pixels", "fraction", "number_density"):
            assert said.document["classes"][name][key] == numbers[key], (name, key)


def test_the_model_has_learnt_and_its_scores_can_be_taken_again(journey: Path) -> None:
    said = defectseg("evaluate", journey / "new", journey / "result", "--json")
    assert said.status == 0, said.err
    assert said.document["compared"] == ["micrograph-50", "micrograph-51"]
    card = defectseg("open", journey / "model", "--json").document
    assert card["scores"]["images"] >= 1
    assert set(said.document["classes"]) == set(card["classes"])
    again = defectseg(
        "evaluate", journey / "new" / "masks", journey / "new" / "masks", "--json"
    ).document
    assert again["mean_iou"] == 1.0
    assert said.document["classes"]["precipitate"]["dice"] > 0.1


def test_the_recipe_of_the_result_repeats_it_to_the_byte(journey: Path, tmp_path: Path) -> None:
    image = journey / "new" / "images" / "micrograph-51.ome.tif"
    said = defectseg("run", journey / "result", image, "--out", tmp_path / "again")
    assert said.status == 0, said.err
    first, again = journey / "result", tmp_path / "again"
    for name in ("mask.ome.tif", "labels.ome.tif", "objects.csv", "overlay.png"):
        one, other = (top / "micrograph-51" / name for top in (first, again))
        assert one.read_bytes() == other.read_bytes(), name
    one, other = (
        json.loads((top / "micrograph-51" / "summary.json").read_text("utf-8"))
        for top in (first, again)
    )
    for summary in (one, other):
        del summary["seconds"], summary["created"]
    assert one == other


def test_a_correction_is_saved_and_trained_on(journey: Path, tmp_path: Path) -> None:
    """The predicted mask, saved as truth of a new specimen: the next training sees it."""
    place = journey / "result" / "micrograph-50"
    folder = tmp_path / "grown"
    names = ",".join(ds.Dataset.open(journey / "data").classes.names)
    assert defectseg("dataset", "create", folder, "--classes", names).status == 0
    said = defectseg(
        "dataset", "add", folder, journey / "new" / "images" / "micrograph-50.ome.tif",
        place / "mask.ome.tif", "--specimen", "A3", "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    pair = ds.Dataset.open(folder).pair(said.document["id"])
    np.testing.assert_array_equal(pair.mask(), ds.open_image(place / "mask.ome.tif").read())
    info = defectseg("dataset", "info", folder, "--json").document
    assert info["specimens"] == {"A3": 1}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.touch(), "is empty"),
        (lambda path: path.write_bytes(b"II*\x00 and so on"), "bad.tif"),
        (lambda path: path.write_text("no picture at all"), "bad.tif"),
        (
            lambda path: save_image(
                ds.CalibratedImage.from_array(np.full((32, 32), np.nan, np.float32)), path
            ),
            "no finite value",
        ),
        (
            lambda path: save_array(
                np.zeros((5, 16, 16), np.uint8),
                path,
                axes="cyx",
                calibration=ds.Calibration.uncalibrated(2),
            ),
            "channel",
        ),
        (lambda path: None, "is not there"),
    ],
    ids=["empty", "truncated", "text", "NaN", "five channels", "missing"],
)
def test_bad_images_get_a_sentence_and_the_good_one_a_result(
    journey: Path, tmp_path: Path, make: Callable[[Path], object], says: str
) -> None:
    make(tmp_path / "bad.tif")
    good = journey / "new" / "images" / "micrograph-50.ome.tif"
    said = defectseg(
        "predict", tmp_path / "bad.tif", good, "--model", journey / "model", "--out",
        tmp_path / "out", "--device", "cpu", "--json",
    )  # fmt: skip
    assert said.status == 1
    assert len(said.document["failed"]) == 1
    assert says in said.document["failed"][0]["sentence"]
    assert (tmp_path / "out" / "micrograph-50" / "objects.csv").exists()
    assert not (tmp_path / "out" / "bad").exists()


def test_an_image_without_pixel_size_is_measured_in_px(journey: Path, tmp_path: Path) -> None:
    source = ds.open_image(journey / "new" / "images" / "micrograph-50.ome.tif")
    bare = ds.CalibratedImage.from_array(source.read(), name="bare")
    save_image(bare, tmp_path / "bare.png") if bare.dtype == np.uint8 else save_image(
        bare, tmp_path / "bare.tif"
    )
    image = next(tmp_path.glob("bare.*"))
    said = defectseg("predict", image, "--model", journey / "model", "--out", tmp_path / "out")
    assert said.status == 0, said.err
    assert "no pixel size" in said.err
    heading = (tmp_path / "out" / "bare" / "objects.csv").read_text("utf-8").splitlines()[0]
    assert "area [px²]" in heading
    assert "nm" not in heading


@pytest.mark.skipif(sys.platform == "win32", reason="No limits for the size of files there.")
def test_a_disk_that_is_full_gives_a_sentence_and_leaves_no_half_result(
    journey: Path, tmp_path: Path
) -> None:
    def full() -> None:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    image = journey / "new" / "images" / "micrograph-50.ome.tif"
    said = program(
        "predict", image, "--model", journey / "model", "--out", tmp_path / "out",
        "--device", "cpu", before=full,
    )  # fmt: skip
    assert said.status == 1
    assert "could not be written" in said.err
    assert not list((tmp_path / "out").glob("*/*"))


def test_the_other_verbs_answer_bad_input_with_a_sentence(journey: Path, tmp_path: Path) -> None:
    image = journey / "new" / "images" / "micrograph-50.ome.tif"
    text = tmp_path / "notes.txt"
    text.write_text("nothing")
    out = ["--out", tmp_path / "out"]
    for verb, says in (
        (["open", text], "notes.txt"),
        (["predict", image, "--model", text, *out], "notes.txt"),
        (["measure", text, *out], "notes.txt"),
        (["evaluate", image, text], "notes.txt"),
        (["train", text, *out], "is not a dataset folder"),
        (["run", text, image, *out], "is not JSON"),
        (["dataset", "add", journey / "data", text, image, "--specimen", "A"], "notes.txt"),
        (["dataset", "add", journey / "data", image, image, "--specimen", "A"], "mask"),
    ):
        said = defectseg(*verb)
        assert said.status == 1, (verb, said)
        assert says in said.err, verb
        assert not (tmp_path / "out").exists(), verb
    assert len(ds.Dataset.open(journey / "data").pairs()) == 5


def test_real_micrographs_without_pixel_size_of_their_own(
    journey: Path, real_data: Path, tmp_path: Path
) -> None:
    images = sorted((real_data / "tem_loops_316l" / "images").glob("*.png"))[:2]
    said = defectseg(
        "predict", *images, "--model", journey / "model", "--out", tmp_path / "out",
        "--spacing", "0.390625", "--unit", "nm", "--device", "cpu", "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    assert [Path(one["folder"]).name for one in said.document["results"]] == [
        image.stem for image in images
    ]
    scored = defectseg(
        "evaluate", real_data / "tem_loops_316l" / "masks", tmp_path / "out", "--classes",
        "void,precipitate,loop,line", "--json",
    )  # fmt: skip
    assert scored.status == 0, scored.err
    assert len(scored.document["compared"]) == 2
