"""`defectseg train`: a model folder, the same for a seed; Ctrl-C keeps the best round."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.models.open import open_model
from napari_defectseg.training.plan import TrainingPlan

SETS = ("train", "train", "validation", "test")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Bright squares on noise, split into three sets."""
    made = Dataset.create(tmp_path / "data", ["void"])
    for number, split in enumerate(SETS):
        rng = np.random.default_rng(number)
        mask = np.zeros((48, 48), np.uint8)
        for y, x in rng.integers(0, 40, (5, 2)):
            mask[y : y + 7, x : x + 7] = 1
        pixels = (mask * 2.0 + rng.normal(0, 0.3, mask.shape)).astype(np.float32)
        image = CalibratedImage.from_array(pixels, calibration=Calibration.of((0.5, 0.5), "nm"))
        made.add(image, mask, specimen=f"s{number}", split=split)  # type: ignore[arg-type]
    return made.path


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.json"
    TrainingPlan(
        name="tiny", widths=(4, 8), patch=(32, 32), batch=4, epochs=40, steps_per_epoch=4
    ).write(path)
    return path


def test_it_leaves_a_model_that_open_takes_and_a_seed_repeats_it(
    defectseg, data: Path, plan: Path, tmp_path: Path
) -> None:
    options = ["--plan", plan, "--epochs", 2, "--seed", 7, "--device", "cpu"]
    said = defectseg("train", data, "--out", tmp_path / "model", *options, "--json")
    assert said.status == 0, said.err
    assert said.document["training"]["epochs"] == 2
    assert said.document["training"]["plan"]["seed"] == 7
    assert "round 2: loss" in said.err
    assert (tmp_path / "model" / "curves.csv").exists()
    card = defectseg("open", tmp_path / "model", "--json").document
    assert card["sha256"] == said.document["sha256"]
    assert card["classes"] == ["void"]
    assert card["scores"]["images"] == 1
    again = defectseg("train", data, "--out", tmp_path / "again", *options, "--json")
    assert again.document["sha256"] == said.document["sha256"]


def test_going_on_from_a_model(defectseg, data: Path, plan: Path, tmp_path: Path) -> None:
    options = ["--plan", plan, "--epochs", 1, "--device", "cpu", "--quiet"]
    assert defectseg("train", data, "--out", tmp_path / "first", *options).status == 0
    said = defectseg(
        "train", data, "--out", tmp_path / "second", "--from", tmp_path / "first", *options,
        "--json",
    )  # fmt: skip
    parent = open_model(tmp_path / "first").sha256
    assert said.document["training"]["parent_sha256"] == parent


def test_what_cannot_be_trained_gets_a_sentence(
    defectseg, data: Path, plan: Path, tmp_path: Path
) -> None:
    out = ["--out", tmp_path / "model"]
    said = defectseg("train", tmp_path / "none", *out)
    assert said.status == 1
    assert "does not exist" in said.err
    said = defectseg("train", data, *out, "--plan", "magic")
    assert said.status == 1
    assert "There is no training plan 'magic'" in said.err
    Dataset.create(tmp_path / "empty", ["void"])
    said = defectseg("train", tmp_path / "empty", *out)
    assert said.status == 1
    assert "no images for train" in said.err
    assert not (tmp_path / "model").exists()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "card.json").write_text("{}")
    said = defectseg("train", data, *out, "--plan", plan)
    assert said.status == 1
    assert "was left as it is" in said.err


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent to a process in another way there.")
def test_ctrl_c_keeps_the_best_round(data: Path, tmp_path: Path) -> None:
    slow = tmp_path / "slow.json"
    TrainingPlan(
        widths=(4, 8), patch=(32, 32), batch=4, epochs=400, steps_per_epoch=4, patience=400
    ).write(slow)
    command = [
        sys.executable, "-m", "napari_defectseg.cli.main", "train", str(data), "--out",
        str(tmp_path / "model"), "--plan", str(slow), "--device", "cpu",
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        # Where tests run in the background Ctrl-C is ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("round 2"):
                running.send_signal(signal.SIGINT)
                break
        err = running.stderr.read()
        running.wait(timeout=60)
    assert running.returncode == 130, err
    assert f"Stopped. The best round so far is in {tmp_path / 'model'}." in err
    assert open_model(tmp_path / "model").card.training["ended"] == "stopped by a person"


def test_a_published_plan_with_its_options_goes_on_from_a_model(
    defectseg, data: Path, plan: Path, tmp_path: Path
) -> None:
    short = ["--epochs", 1, "--seed", 3, "--device", "cpu"]
    first = tmp_path / "first"
    assert defectseg("train", data, "--out", first, "--plan", plan, *short).status == 0
    said = defectseg(
        "train", data, "--out", tmp_path / "second", "--plan", plan, "--from", first, "--part",
        "decoder", "--replay", data, "--resume", "--find-rate", *short,
    )  # fmt: skip
    assert said.status == 0, said.err
    assert "Learning rate" in said.err
    assert "on the hold-out" in said.out
    assert "on earlier data" in said.out
    assert not (tmp_path / "second.checkpoint").exists()
    guard = open_model(tmp_path / "second").card.training["guard"]
    assert [one["name"] for one in guard["hold_out"]] == ["void"]


def test_published_plans_are_found_by_name_and_variant(
    defectseg, data: Path, tmp_path: Path
) -> None:
    short = ["--epochs", 1, "--device", "cpu", "--reduced", "--json"]
    said = defectseg(
        "train", data, "--out", tmp_path / "m", "--plan", "defectsegnet", "--variant",
        "as-published", *short,
    )  # fmt: skip
    assert said.status == 0, said.err
    assert said.document["training"]["plan"]["variant"] == "as-published"
    said = defectseg("train", data, "--out", tmp_path / "n", "--plan", "unet", "--reduced")
    assert said.status == 1
    assert "has no variants" in said.err
    words = ["--plan", "am-segnet", "--variant", "as-published"]
    said = defectseg("train", data, "--out", tmp_path / "n", *words)
    assert said.status == 1
    assert "published no training plan" in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_training_that_was_killed_goes_on_to_the_same_weights(
    defectseg, data: Path, plan: Path, tmp_path: Path
) -> None:
    """SIGKILL after a round; the same command again leads to the weights of one run."""
    words = ["--plan", str(plan), "--epochs", "25", "--device", "cpu"]
    assert defectseg("train", data, "--out", tmp_path / "whole", *words).status == 0
    code = "import sys; from napari_defectseg.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "train", str(data), "--out", str(tmp_path / "m")]
    running = subprocess.Popen([*command, *words, "--resume"], stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    for line in running.stderr:
        if "round 3:" in line:
            running.send_signal(signal.SIGKILL)
            break
    running.wait()
    running.stderr.close()
    assert (tmp_path / "m.checkpoint").is_file()
    assert not (tmp_path / "m").exists()
    said = defectseg("train", data, "--out", tmp_path / "m", *words, "--resume")
    assert said.status == 0, said.err
    assert "round 1:" not in said.err
    whole, resumed = open_model(tmp_path / "whole"), open_model(tmp_path / "m")
    assert resumed.sha256 == whole.sha256
