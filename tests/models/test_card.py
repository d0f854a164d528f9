"""The card: what fits together, where each field came from, and the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError, ModelMissing
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.preprocess import Invert, Normalise

CLASSES = ClassMap.of(["void", "loop"])


def card(**fields: object) -> ModelCard:
    return ModelCard.of(
        {"name": "steel", "architecture": "unet", "dims": 2, "classes": CLASSES, **fields}
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"activation": "sigmoid"}, "task 'exclusive' goes with activation 'softmax'"),
        ({"task": "binary", "activation": "sigmoid"}, "'binary' has one class, not 2"),
        ({"task": "multilabel", "activation": "sigmoid"}, "exclusive does not agree with task"),
        ({"thresholds": {"crack": 0.5}}, "threshold for 'crack', which is no class"),
        ({"thresholds": {"void": 1.5}}, "threshold of 'void' is 1.5"),
        ({"halo": 5, "grid": 4}, "halo 5 is not a multiple of grid 4"),
        ({"pixel_size": (2.0, 1.0), "pixel_unit": "nm"}, "not a range"),
        ({"pixel_size": (1.0, 2.0), "pixel_unit": "px"}, "not a unit of length"),
        ({"preprocessing": (Normalise(), Normalise(scope="slice"))}, "mixes the scopes"),
        ({"dims": 4}, "wrong 'dims'"),
        ({"name": ""}, "wrong 'name'"),
        ({"colour": 1}, "'colour', which this version does not know"),
        ({"symmetries": ("upside_down",)}, "symmetries"),
    ],
)
def test_what_does_not_fit_together_is_a_sentence(fields, words) -> None:
    with pytest.raises(ModelError, match=words):
        card(**fields)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ModelError, match="has no 'dims'; has no 'classes'"):
        ModelCard.of({"name": "steel", "architecture": "unet"})


def test_every_field_has_a_source() -> None:
    made = card(missing=("task",))
    assert made.sources["classes"] == "card"
    assert made.sources["licence"] == "guess"
    changed = made.replaced(task="exclusive", licence="MIT")
    assert changed.sources["licence"] == changed.sources["task"] == "you"
    assert changed.missing == ()
    assert made.missing == ("task",)


def test_channels_follow_from_task_and_background() -> None:
    assert (card().out_channels, card().score_channels) == (3, 3)
    bare = card(has_background=False)
    assert (bare.out_channels, bare.score_channels) == (2, 3)
    overlapping = card(
        task="multilabel",
        activation="sigmoid",
        classes=ClassMap.of(["void", "loop"], exclusive=False),
    )
    assert (overlapping.out_channels, overlapping.score_channels) == (2, 2)


def test_other_names_for_the_same_channels_keep_their_thresholds() -> None:
    made = card(thresholds={"loop": 0.4}).with_classes(ClassMap.of(["pore", "crack"]))
    assert made.classes.names == ("pore", "crack")
    assert made.thresholds == {"crack": 0.4}
    assert (made.sources["classes"], made.sources["thresholds"]) == ("you", "card")
    with pytest.raises(ModelError, match=r"has 2 classes \(void, loop\); 1 names"):
        card().with_classes(ClassMap.of(["pore"]))


def test_the_file_gives_back_the_card(tmp_path: Path) -> None:
    made = card(
        preprocessing=(Normalise(method="zscore", scope="slice"), Invert(about=0.0)),
        pixel_size=(0.2, 0.6),
        pixel_unit="nm",
        thresholds={"void": 0.25},
        scores={"dice": {"void": 0.9}},
        citation="Someone 2026",
        symmetries=("flip_y", "rot90_yx"),
        missing=("task",),
        halo=None,
    )
    made.write(tmp_path / "card.json")
    assert ModelCard.read(tmp_path / "card.json") == made
    text = (tmp_path / "card.json").read_text(encoding="utf-8")
    assert '"license"' in text
    assert '"cite": "Someone 2026"' in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[1]", "holds a JSON list"),
        ("{}", "no format_version"),
        ("[" * 100_000, "is not JSON"),
        ('{"format_version": 1}', "has no 'name'"),
    ],
)
def test_a_file_that_is_no_card_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "card.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=words) as caught:
        ModelCard.read(path)
    assert "card.json" in str(caught.value)


def test_no_file_and_too_long_a_file(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="does not exist"):
        ModelCard.read(tmp_path / "card.json")
    (tmp_path / "card.json").write_bytes(b" " * (5 << 20))
    with pytest.raises(ModelError, match="too long for a card"):
        ModelCard.read(tmp_path / "card.json")
