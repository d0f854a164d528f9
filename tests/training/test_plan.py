from __future__ import annotations

from pathlib import Path

import pytest

from napari_defectseg.core.errors import FileMissing, TrainingError
from napari_defectseg.training.plan import PLANS, TrainingPlan, plan_of


@pytest.mark.parametrize("name", PLANS.names())
def test_every_named_plan_survives_its_file(name: str, tmp_path: Path) -> None:
    plan = plan_of(name)
    plan.write(tmp_path / "plan.json")
    assert plan_of(str(tmp_path / "plan.json")) == plan


def test_keyholes_are_never_turned_over() -> None:
    assert plan_of("movie").symmetries == ("flip_x",)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dims": 4}, "4 dimensions"),
        ({"patch": (100, 128)}, "multiples of 8"),
        ({"symmetries": ("flip_t",)}, "flip_t is not a symmetry"),
        ({"batch": 0}, "1 or more"),
        ({"widths": (16,)}, "2 levels"),
    ],
)
def test_a_plan_that_cannot_be_gets_a_sentence(changes: dict[str, object], words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        TrainingPlan().with_changes(**changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "not a JSON file"), ("[]", "holds no plan"), ('{"epoch": 3}', "unknown entries: epoch")],
)
def test_a_broken_file_gets_a_sentence(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(TrainingError, match=words):
        plan_of(str(path))


def test_a_plan_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(FileMissing, match="Known: unet"):
        plan_of("unett")
