"""Fields of a card from words that a person typed."""

from __future__ import annotations

import pytest

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import design
from napari_defectseg.models.settings import with_settings


@pytest.fixture
def card() -> ModelCard:
    return design(
        "small",
        settings={"widths": (4, 8)},
        classes=ClassMap.of(["void", "loop"]),
        thresholds={"loop": 0.4},
    )


@pytest.mark.parametrize(
    ("text", "names", "background"),
    [
        ("pore, crack", ("pore", "crack"), True),
        ("background,pore,crack", ("pore", "crack"), True),
        ("steel,pore,crack", ("steel", "pore", "crack"), False),
    ],
)
def test_names_of_classes_fit_the_outputs_with_or_without_background(
    card: ModelCard, text: str, names: tuple[str, ...], background: bool
) -> None:
    changed = with_settings(card, {"classes": text})
    assert changed.classes.names == names
    assert changed.has_background is background
    assert changed.out_channels == card.out_channels == 3
    assert changed.sources["classes"] == "you"
    assert changed.sources["task"] == card.sources["task"]


def test_thresholds_follow_renamed_classes(card: ModelCard) -> None:
    assert with_settings(card, {"classes": "pore,crack"}).thresholds == {"crack": 0.4}
    assert with_settings(card, {"classes": "steel,pore,crack"}).thresholds == {}


def test_wrong_number_of_names_is_refused_with_the_right_one(card: ModelCard) -> None:
    with pytest.raises(ModelError, match=r"small has 3 outputs; 1 class names.*Give 2, or 3"):
        with_settings(card, {"classes": "pore"})


def test_another_task_brings_its_activation_and_overlap(card: ModelCard) -> None:
    changed = with_settings(card, {"task": "multilabel", "classes": "a,b,c"})
    assert (changed.task, changed.activation, changed.has_background) == (
        "multilabel",
        "sigmoid",
        False,
    )
    assert not changed.classes.exclusive
    assert changed.out_channels == 3
    unnamed = with_settings(card, {"task": "multilabel"})
    assert unnamed.classes.names == ("class 1", "class 2", "class 3")
    with pytest.raises(ModelError, match="3 outputs; task 'binary' goes with one"):
        with_settings(card, {"task": "binary"})
    with pytest.raises(ModelError, match="task"):
        with_settings(card, {"task": "guess"})


def test_other_fields_are_read_from_plain_text(card: ModelCard) -> None:
    changed = with_settings(
        card,
        {
            "pixel_size": "0.2-0.6 nm",
            "thresholds": "void=0.3, loop=0.7",
            "min_size": "12",
            "preprocessing": "zscore:slice,invert",
            "licence": " MIT ",
        },
    )
    assert (changed.pixel_size, changed.pixel_unit) == ((0.2, 0.6), "nm")
    assert changed.thresholds == {"void": 0.3, "loop": 0.7}
    assert (changed.min_size, changed.licence) == (12.0, "MIT")
    assert [step.kind for step in changed.preprocessing] == ["normalise", "invert"]
    assert changed.scope == "slice"
    assert with_settings(card, {"preprocessing": "none"}).preprocessing == ()


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("min_size", "many", "a number"),
        ("classes", " , ", "names with commas"),
        ("thresholds", "void", "void=0.4"),
        ("pixel_size", "small", "0.2-0.6 nm"),
        ("preprocessing", "[{", "percentile:image"),
        ("colour", "red", "cannot be set"),
    ],
)
def test_text_that_cannot_be_read_is_answered_with_an_example(
    card: ModelCard, field: str, text: str, words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        with_settings(card, {field: text})
