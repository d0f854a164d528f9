"""The engine: plans that train end to end, kills, parts, earlier data, means, rates, the guard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import Cancelled, TrainingError
from napari_defectseg.core.progress import drive
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.open import open_model
from napari_defectseg.training.assemble import freeze
from napari_defectseg.training.fit import TrainSettings, train
from napari_defectseg.training.guard import guard
from napari_defectseg.training.plan import PUBLISHED, TrainingPlan, plan_of
from napari_defectseg.training.plans import mff_metal
from napari_defectseg.training.rate import find_rate_steps

CPU = TrainSettings(threads=1, device="cpu")
TINY = TrainingPlan(
    widths=(4, 8), patch=(32, 32), batch=4, epochs=4, steps_per_epoch=6, learning_rate=2e-2
)
SPLITS = ("train", "train", "validation", "test")


def made(
    folder: Path, shape: tuple[int, ...] = (64, 64), names: tuple[str, ...] = ("void",),
    *, contrast: float = 60,
) -> Dataset:  # fmt: skip
    """Bright squares of each class on noise, 8 bit."""
    dataset = Dataset.create(folder, list(names))
    for number, split in enumerate(SPLITS):
        rng = np.random.default_rng(number)
        mask = np.zeros(shape, np.uint8)
        for n in range(8):
            corner = [int(rng.integers(0, k - 9)) for k in shape]
            mask[tuple(slice(c, c + 9) for c in corner)] = 1 + n % len(names)
        data = 80 + contrast * mask + rng.normal(0, 8, shape)
        image = CalibratedImage.from_array(data.clip(0, 255).astype(np.uint8))
        dataset.add(image, mask, specimen=f"s{number}", split=split)  # type: ignore[arg-type]
    return dataset


@pytest.mark.parametrize("variant", ["as-published", "as-meant"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_each_published_plan_trains_to_a_model_that_predicts(
    name: str, variant: str, tmp_path: Path
) -> None:
    if (name, variant) == ("am-segnet", "as-published"):
        with pytest.raises(TrainingError, match="published no training plan"):
            plan_of(name, variant=variant)
        return
    plan = plan_of(name, variant=variant, reduced=True)
    patch = (16, 16, 16) if plan.dims == 3 else (32, 32)
    plan = plan.with_changes(epochs=2, steps_per_epoch=2, patch=patch, batch=2)
    names = ("void",) if plan.outputs == "one" else ("void", "loop")
    dataset = made(tmp_path / "data", (16, 32, 32) if plan.dims == 3 else (64, 64), names)
    model = train(dataset, plan, tmp_path / "m", CPU)
    assert model.card.architecture == plan.network
    assert model.card.training["plan"]["variant"] == plan.variant
    opened = open_model(tmp_path / "m")
    pair = dataset.pairs("test")[0]
    assert predict(opened, pair.image()).mask().shape[-2:] == pair.label_shape[-2:]
    assert set(opened.card.scores["classes"]) == set(names)


def test_published_widths_are_those_of_the_papers() -> None:
    from napari_defectseg.training.networks import new_card

    wanted = {
        "am-segnet": None, "defectsegnet": 350_430, "mff-metal": None, "pbf-unet": None,
        "dcnn3d": 365_889,
    }  # fmt: skip
    for name, count in wanted.items():
        plan = plan_of(name)
        names = ["void"] if plan.outputs == "one" else ["a", "b", "c", "d"]
        card = new_card(name, ClassMap.of(names), 1, plan)
        if count:
            assert card.parameters == count
    assert (
        new_card("s", ClassMap.of(["a", "b", "c"]), 1, plan_of("mff-metal")).parameters == 981_580
    )
    wide = new_card("t", ClassMap.of(["a", "b", "c"]), 1, mff_metal.teacher())
    assert wide.parameters == 34_390_390
    six = ClassMap.of(list("abcdef"), exclusive=False)
    assert new_card("p", six, 1, plan_of("pbf-unet")).parameters == 31_036_806
    four = ClassMap.of(list("abcd"))
    assert new_card("a", four, 1, plan_of("am-segnet")).parameters == 17_526_064


def test_a_plan_for_one_class_says_so(tmp_path: Path) -> None:
    dataset = made(tmp_path / "data", names=("void", "loop"))
    with pytest.raises(TrainingError, match="finds one class; the dataset has 2"):
        train(dataset, plan_of("defectsegnet", reduced=True), tmp_path / "m", CPU)


def test_a_student_learns_from_its_teacher(tmp_path: Path) -> None:
    dataset = made(tmp_path / "data", names=("void", "loop"))
    short = {"epochs": 1, "steps_per_epoch": 2, "patch": (32, 32), "batch": 2}
    wide = mff_metal.teacher(reduced=True).with_changes(**short)
    teacher = train(dataset, wide, tmp_path / "teacher", CPU)
    plan = plan_of("mff-metal", reduced=True).with_changes(**short)
    settings = TrainSettings(threads=1, device="cpu", teacher=teacher)
    student = train(dataset, plan, tmp_path / "student", settings)
    alone = train(dataset, plan, tmp_path / "alone", CPU)
    assert student.card.training["teacher_sha256"] == teacher.sha256
    assert student.sha256 != alone.sha256


@pytest.mark.parametrize(
    "changes",
    [{}, {"ema": 0.9}, {"optimiser": "adam", "schedule": "milestones", "milestones": (2,)}],
)
def test_a_killed_training_goes_on_to_the_same_weights(changes: dict, tmp_path: Path) -> None:
    dataset, plan = made(tmp_path / "data"), TINY.with_changes(**changes)
    whole = train(dataset, plan, tmp_path / "whole", CPU)
    keep = tmp_path / "kept"
    settings = TrainSettings(threads=1, device="cpu", keep=keep)
    steps = []
    with pytest.raises(Cancelled):
        train(dataset, plan, tmp_path / "m", settings, on_step=steps.append,
              cancelled=lambda: sum(s.partial is not None for s in steps) >= 2)  # fmt: skip
    assert keep.is_file()
    assert not (tmp_path / "m").exists()
    resumed = train(dataset, plan, tmp_path / "m", settings)
    assert resumed.sha256 == whole.sha256
    assert not keep.exists()
    assert resumed.card.training["epochs"] == whole.card.training["epochs"]


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    dataset = made(tmp_path / "data")
    settings = TrainSettings(threads=1, device="cpu", keep=tmp_path / "kept")
    steps = []
    with pytest.raises(Cancelled):
        train(dataset, TINY, tmp_path / "m", settings, on_step=steps.append,
              cancelled=lambda: any(s.partial is not None for s in steps))  # fmt: skip
    with pytest.raises(TrainingError, match="another plan, dataset or beginning"):
        train(dataset, TINY.with_changes(seed=5), tmp_path / "m", settings)
    (tmp_path / "kept").write_bytes(b"half")
    with pytest.raises(TrainingError, match="cannot be read"):
        train(dataset, TINY, tmp_path / "m", settings)


def test_a_mean_of_weights_lags_behind_the_weights() -> None:
    from napari_defectseg.training.optimise import Mean

    layer = torch.nn.Conv2d(1, 1, 1)
    mean = Mean(layer, 0.5)
    first = mean.network.weight.clone()  # type: ignore[union-attr, operator]
    with torch.no_grad():
        layer.weight += 1
    mean.update(layer)
    share = min(0.5, 2 / 11)
    torch.testing.assert_close(mean.network.weight, first + (1 - share))


@pytest.mark.parametrize("architecture", ["unet", "mff_metal", "unet_pbf", "dcnn3d"])
def test_head_and_decoder_of_any_network_can_learn_alone(architecture: str) -> None:
    settings: dict = {
        "unet": {"dims": 2, "in_channels": 1, "widths": (4, 8, 8)},
        "mff_metal": {"widths": (6, 12, 18, 24), "in_channels": 3},
        "unet_pbf": {"width": 4},
        "dcnn3d": {"base": 2, "levels": 3},
    }[architecture]
    card = design("n", architecture, settings, classes=ClassMap.of(["void"]), task="exclusive")
    counts = {}
    for part in ("all", "decoder", "head"):
        network = TorchModel.new(card).network().requires_grad_(True)
        freeze(network, card, part)
        counts[part] = sum(w.numel() for w in network.parameters() if w.requires_grad)
    assert 0 < counts["head"] < counts["decoder"] < counts["all"]


def test_only_the_head_changes_when_only_the_head_learns(tmp_path: Path) -> None:
    dataset = made(tmp_path / "data")
    parent = train(dataset, TINY, tmp_path / "parent", CPU)
    settings = TrainSettings(start_from=parent, threads=1, device="cpu", part="head")
    child = train(dataset, TINY.with_changes(epochs=1), tmp_path / "child", settings)
    before, after = parent.state_dict(), child.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert len(changed) <= 2
    assert child.card.training["part"] == "head"


def test_earlier_data_have_their_share_of_the_patches(tmp_path: Path) -> None:
    from napari_defectseg.training.assemble import replayed_steps
    from napari_defectseg.training.patches import PatchSampler
    from napari_defectseg.training.prepare import load_steps
    from napari_defectseg.training.start import start

    new, old = made(tmp_path / "new"), made(tmp_path / "old", (96, 96))
    _, card = start(new, TINY, None)
    examples = drive(load_steps(new.pairs("train"), card, "new"))
    settings = TrainSettings(replay=old, replay_share=0.25)
    sampler = PatchSampler([*examples, *drive(replayed_steps(card, examples, settings))], TINY)
    assert 1 - sampler._shares[len(examples) - 1] == pytest.approx(0.25)
    with pytest.raises(TrainingError, match="makes no sense"):
        drive(replayed_steps(card, examples, TrainSettings(replay=old, replay_share=1.5)))


def test_a_rate_is_found_between_the_ends(tmp_path: Path) -> None:
    found = drive(find_rate_steps(made(tmp_path / "data"), TINY, CPU, tried=30))
    assert 1e-5 < found.suggested < 1
    assert len(found.rates) == len(found.losses)


def test_the_guard_tells_better_from_worse(tmp_path: Path) -> None:
    dataset = made(tmp_path / "data")
    good = train(dataset, TINY.with_changes(epochs=8), tmp_path / "good", CPU)
    bad = TorchModel.new(good.card, seed=9)
    pairs = dataset.pairs()
    found = guard(bad, good, pairs, pairs)
    assert [one.verdict for one in found.hold_out] == ["better"]
    assert found.accepted
    back = guard(good, bad, pairs, pairs)
    assert back.hold_out[0].verdict == "worse"
    assert not back.accepted
    assert back.hold_out[0].low < back.hold_out[0].high < 0
    same = guard(good, good, pairs)
    assert same.hold_out[0].verdict == "no clear difference"


def test_five_regions_are_those_of_defectsegnet(tmp_path: Path) -> None:
    from napari_defectseg.datasets.split import split

    dataset = Dataset.create(tmp_path / "data", ["void"])
    image = CalibratedImage.from_array(np.zeros((2048, 2048), np.uint8), name="m")
    dataset.add(image, np.zeros((2048, 2048), np.uint8), specimen="A")
    split(dataset, by="quarters")
    shapes = sorted((p.split, p.label_shape) for p in dataset.pairs())
    assert shapes == [
        ("test", (1024, 512)), ("train", (1024, 1024)), ("train", (1024, 1024)),
        ("train", (1024, 1024)), ("validation", (1024, 512)),
    ]  # fmt: skip


def test_sub_volumes_of_the_tomogram_network_are_five_by_five() -> None:
    from napari_defectseg.training.example import Example
    from napari_defectseg.training.patches import PatchSampler

    plan = plan_of("dcnn3d", reduced=True)
    example = Example(np.zeros((1, 32, 96, 96), np.float32), np.zeros((1, 32, 96, 96), np.uint8))
    sampler = PatchSampler([example], plan)
    corners = {sampler._corner(0, (32, 32, 32), np.random.default_rng(n)) for n in range(400)}
    assert corners == {(0, 16 * a, 16 * b) for a in range(5) for b in range(5)}
