"""What the authors say goes into the card, what the file says counts more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.open import open_model


def saved(name: str, settings: dict[str, Any], path: Path, **beside: Any) -> Path:
    network = ARCHITECTURES.get(name).build(settings)
    torch.save({"state_dict": network.state_dict(), **beside}, path)
    return path


def test_names_in_the_file_count_more_than_those_of_the_authors(tmp_path: Path) -> None:
    names = ["background", "pit", "scale", "crack"]
    settings = {"widths": (6, 12, 18, 24)}
    path = saved("mff_metal", settings, tmp_path / "a.pth", class_names=names)
    card = open_model(path).card
    assert card.classes.names == ("pit", "scale", "crack")
    assert card.sources["classes"] == "file"
    assert card.sources["task"] == card.sources["preprocessing"] == "card"
    assert card.missing == ("pixel_size",)


def test_names_of_overlapping_classes_are_one_an_output(tmp_path: Path) -> None:
    path = saved(
        "unet_pbf", {"width": 2, "out_channels": 2}, tmp_path / "a.pth", classes=["a", "b"]
    )
    card = open_model(path).card
    assert (card.task, card.classes.names, card.classes.exclusive) == (
        "multilabel",
        ("a", "b"),
        False,
    )


def test_another_number_of_classes_is_asked_for(tmp_path: Path) -> None:
    path = saved("mff_metal", {"widths": (6, 12, 18, 24), "out_channels": 6}, tmp_path / "a.pth")
    card = open_model(path).card
    assert card.sources["classes"] == card.sources["task"] == "guess"
    assert {"classes", "task"} <= set(card.missing)
    path = saved("unet_pbf", {"width": 2, "out_channels": 3}, tmp_path / "b.pth")
    card = open_model(path).card
    assert (card.task, card.classes.names) == ("multilabel", ("class 1", "class 2", "class 3"))
    assert "classes" in card.missing


@pytest.mark.parametrize("name", ["mff_metal", "lmffnet", "unet_pbf", "transunet"])
def test_every_published_card_names_its_source_and_what_is_unusual(name: str) -> None:
    architecture = ARCHITECTURES.get(name)
    says = architecture.published(architecture.facts({})["settings"])
    assert says.fields["citation"]
    assert says.fields["licence"]
    assert says.fields["quirks"]


def test_a_new_network_of_a_published_kind_is_designed_for_own_classes() -> None:
    card = design(
        "mine",
        "mff_metal",
        {"widths": (6, 12, 18, 24), "in_channels": 1},
        classes=ClassMap.of(["void"]),
    )
    network = TorchModel.new(card, seed=1).network()
    assert network(torch.zeros(1, 1, 16, 24)).shape == (1, 2, 16, 24)
    assert card.halo is None
