"""`defectseg predict` and `run`: Python's numbers bit for bit, and nothing lost on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import napari_defectseg as ds
from napari_defectseg.images.save import save_image
from napari_defectseg.results.recipe import Recipe
from napari_defectseg.results.register import read_entries
from napari_defectseg.results.stored import read_result


@pytest.fixture
def ask(model_folder: Path, tmp_path: Path) -> list[object]:
    return ["--model", model_folder, "--out", tmp_path / "out", "--device", "cpu"]


def test_masks_objects_and_table_are_those_of_python(
    defectseg, ask: list[object], model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    said = defectseg("predict", two_images[0], *ask, "--scores", "--json")
    assert said.status == 0, said.err
    image, model = ds.open_image(two_images[0]), ds.open_model(model_folder)
    prediction = ds.predict(model, image, ds.PredictSettings(device="cpu"))
    labels = prediction.labels()
    stored = read_result(tmp_path / "out")[1][0]
    place = tmp_path / "out" / "field 1"
    np.testing.assert_array_equal(ds.open_image(place / "mask.ome.tif").read(), prediction.mask())
    np.testing.assert_array_equal(ds.open_image(place / "labels.ome.tif").read(), labels.planes[0])
    from napari_defectseg.images.store import open_store

    np.testing.assert_array_equal(open_store(place / "scores.zarr")[...], prediction.scores)
    table = ds.measure_regions(labels, image=image, scores=prediction.scores)
    table.write_csv(tmp_path / "python.csv")
    assert (place / "objects.csv").read_bytes() == (tmp_path / "python.csv").read_bytes()
    assert stored.summary["plan"] == prediction.plan
    assert said.document["results"][0]["objects"] == len(table)
    numbers = ds.summarise(table).as_dict()["classes"]
    assert said.document["results"][0]["classes"] == json.loads(json.dumps(numbers))


def test_thresholds_sizes_and_pixel_sizes_reach_the_recipe(
    defectseg, ask: list[object], two_images: list[Path], tmp_path: Path
) -> None:
    said = defectseg(
        "predict", *two_images, *ask, "--threshold", "0.4", "--threshold", "loop=0.7",
        "--min-size", "9", "--spacing", "2", "--unit", "um", "--memory", "500M",
        "--mode", "exact",
    )  # fmt: skip
    assert said.status == 0, said.err
    recipe = Recipe.read(tmp_path / "out")
    assert recipe.decode.thresholds == {"void": 0.4, "loop": 0.7}
    assert recipe.decode.min_size == 9
    assert recipe.predict == {"device": "cpu", "mode": "exact", "memory": 500 * 1024**2}
    stored = read_result(tmp_path / "out")[1]
    assert [one.calibration.spacing for one in stored] == [(2.0, 2.0)] * 2
    assert {one.calibration.unit for one in stored} == {"µm"}


@pytest.mark.parametrize(("form", "suffix"), [("nrrd", ".nrrd"), ("zarr", ".ome.zarr")])
def test_other_formats_hold_the_same(
    defectseg, ask: list[object], two_images: list[Path], tmp_path: Path, form: str, suffix: str
) -> None:
    assert defectseg("predict", two_images[0], *ask).status == 0
    again = [*ask[:2], "--out", tmp_path / "other", *ask[4:]]
    said = defectseg("predict", two_images[0], *again, "--format", form)
    assert said.status == 0, said.err
    place = tmp_path / "other" / "field 1"
    assert (place / f"mask{suffix}").exists()
    assert not (place / "mask.ome.tif").exists()
    one, other = (read_result(tmp_path / name)[1][0].labels() for name in ("out", "other"))
    np.testing.assert_array_equal(one.planes[0], other.planes[0])
    assert one.object_classes == other.object_classes
    mask = ds.open_image(place / f"mask{suffix}")
    assert mask.calibration.spacing == (0.5, 0.5)
    assert mask.calibration.unit == "nm"


def test_frame_time_of_a_movie(defectseg, ask: list[object], tmp_path: Path) -> None:
    movie = ds.CalibratedImage.from_array(np.zeros((3, 16, 16), np.uint8), axes="tyx")
    save_image(movie, tmp_path / "movie.ome.tif")
    said = defectseg(
        "predict", tmp_path / "movie.ome.tif", *ask, "--frame-time", "25", "--time-unit", "us"
    )
    assert said.status == 0, said.err
    summary = read_result(tmp_path / "out")[1][0].summary
    assert summary["image"]["frame_time"] == 25
    assert summary["image"]["time_unit"] == "µs"


def test_a_failing_image_is_named_and_the_others_go_on(
    defectseg, ask: list[object], two_images: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\x00 and so on")
    said = defectseg(
        "predict", two_images[0], broken, tmp_path / "no.png", two_images[1], *ask, "--json"
    )
    assert said.status == 1
    assert "broken.tif" in said.err
    assert "Traceback" not in said.err
    assert len(said.document["results"]) == 2
    assert [Path(one["image"]).name for one in said.document["failed"]] == ["broken.tif", "no.png"]
    states = [entry.state.partition(":")[0] for entry in read_entries(tmp_path / "out")]
    assert states == ["predicted", "failed", "failed", "predicted"]


def test_results_are_not_replaced_or_mixed_unasked(
    defectseg, ask: list[object], two_images: list[Path]
) -> None:
    assert defectseg("predict", two_images[0], *ask).status == 0
    said = defectseg("predict", two_images[0], *ask)
    assert said.status == 1
    assert "holds a result already and was left as it is" in said.err
    said = defectseg("predict", two_images[1], *ask, "--min-size", "100")
    assert said.status == 1
    assert "other settings" in said.err
    assert defectseg("predict", two_images[0], *ask, "--overwrite", "--min-size", "100").status == 0


def test_run_does_what_predict_did(
    defectseg, ask: list[object], two_images: list[Path], tmp_path: Path
) -> None:
    assert defectseg("predict", two_images[0], *ask, "--threshold", "0.35").status == 0
    recipe = tmp_path / "out" / "recipe.json"
    said = defectseg("run", recipe, two_images[0], "--out", tmp_path / "again", "--json")
    assert said.status == 0, said.err
    for name in ("mask.ome.tif", "labels.ome.tif", "objects.csv", "overlay.png"):
        first = (tmp_path / "out" / "field 1" / name).read_bytes()
        assert first == (tmp_path / "again" / "field 1" / name).read_bytes(), name
    assert Recipe.read(tmp_path / "again") == Recipe.read(recipe)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--combine", "mix"], "mix"),
        (["--also", "jpeg"], "cannot be written beside"),
        (["--set", "classes"], "not field=value"),
        (["--threshold", "1.5"], "a probability is 0 to 1"),
        (["--threshold", "crack=0.4"], "there is no class 'crack'"),
        (["--threshold", "high"], "is not X or name=X"),
        (["--memory", "lots"], "is not an amount of memory"),
        (["--spacing", "0.5"], "--spacing needs --unit"),
        (["--time-unit", "s"], "--time-unit needs --frame-time"),
        (["--frame-time", "2"], "--frame-time needs --time-unit"),
        (["--mode", "quick"], "fast"),
        (["--area", "0:10"], "No such option"),
    ],
)
def test_wrong_options_have_status_2_and_write_nothing(
    defectseg, ask: list[object], two_images: list[Path], tmp_path: Path, options, says
) -> None:
    said = defectseg("predict", two_images[0], *ask, *options)
    assert said.status == 2
    assert says in " ".join(said.err.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (np.full((20, 20), np.nan, np.float32), "no finite value"),
        (np.zeros((5, 20, 20), np.float32), ""),
    ],
)
def test_images_without_values(
    defectseg, ask: list[object], tmp_path: Path, data: np.ndarray, says: str
) -> None:
    path = save_image(ds.CalibratedImage.from_array(data), tmp_path / "image.ome.tif")
    said = defectseg("predict", path, *ask)
    assert said.status == (1 if says else 0), said.err
    assert says in said.err


def test_no_model_and_no_device_get_a_sentence(
    defectseg, two_images: list[Path], model_folder: Path, tmp_path: Path
) -> None:
    said = defectseg("predict", two_images[0], "--model", "none", "--out", tmp_path / "out")
    assert said.status == 1
    assert "There is no model at none" in said.err
    said = defectseg(
        "predict", two_images[0], "--model", model_folder, "--out", tmp_path / "out",
        "--device", "cuda:7",
    )  # fmt: skip
    assert said.status == 1
    assert "graphics card" in said.err


def hear_ctrl_c() -> None:
    """Where tests run in the background Ctrl-C is ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent to a process in another way there.")
def test_ctrl_c_keeps_what_is_finished_and_says_so(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    # Hollow on disk, and long enough to be interrupted on any machine.
    np.lib.format.open_memmap(tmp_path / "big.npy", "w+", np.uint8, (400, 1200, 1200)).flush()
    command = [
        sys.executable, "-m", "napari_defectseg.cli.main", "predict", str(two_images[0]),
        str(tmp_path / "big.npy"), "--model", str(model_folder), "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c
    ) as running:
        done = tmp_path / "out" / "collection.csv"
        end = time.monotonic() + 120
        while not done.exists() and running.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.3)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert f"Stopped. 1 finished image kept in {tmp_path / 'out'}." in err
    assert "Traceback" not in err
    assert [entry.folder for entry in read_entries(tmp_path / "out")] == ["field 1"]
    assert not list((tmp_path / "out").glob(".part-*"))
