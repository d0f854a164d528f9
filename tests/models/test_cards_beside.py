"""A card beside a weight file, and why a file was recognised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.models import reference as ref

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import AlreadyExists, ModelError
from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.beside import place_beside, write_card_beside
from napari_defectseg.models.joined import JoinedModel
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.open import open_model
from napari_defectseg.models.several import why_recognised
from napari_defectseg.models.weights import write_safetensors


def fresh(seed: int = 0) -> TorchModel:
    card = design(
        "small", settings={"dims": 2, "widths": (4, 6)}, classes=ClassMap.of(["void", "loop"])
    )
    return TorchModel.new(card, seed=seed)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    path = tmp_path / "mailed.pth"
    torch.save(dict(fresh().state_dict()), path)
    return path


def test_the_answers_go_wherever_the_file_goes(bare: Path, tmp_path: Path) -> None:
    model = open_model(bare, settings={"classes": "bubble,ring", "pixel_size": "0.2-0.6 nm"})
    place = write_card_beside(model)
    assert place.name == "mailed.pth.card.json"
    again = open_model(bare)
    assert again.card.classes.names == ("bubble", "ring")
    assert again.card.pixel_size == (0.2, 0.6)
    assert again.card.sources["classes"] == "you"
    assert again.sha256 == model.sha256
    with pytest.raises(AlreadyExists):
        write_card_beside(model)
    write_card_beside(again, overwrite=True)


def test_a_card_for_other_weights_is_not_used_and_that_is_said(bare: Path) -> None:
    write_card_beside(open_model(bare, settings={"classes": "bubble,ring"}))
    torch.save(dict(fresh(seed=1).state_dict()), bare)
    card = open_model(bare).card
    assert card.classes.names == ("class 1", "class 2")
    assert "other weights" in card.quirks[-1]


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "is not JSON"), ("[]", "holds a JSON list"), ("{}", "no format_version")],
)
def test_a_broken_card_beside_is_named(bare: Path, content: str, says: str) -> None:
    place_beside(bare).write_text(content)
    with pytest.raises(ModelError, match=rf"mailed.pth.card.json.*{says}"):
        open_model(bare)


def test_what_carries_its_card_needs_none_beside(bare: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a file"):
        write_card_beside(fresh())
    from napari_defectseg.models.save import save_model

    with pytest.raises(ModelError, match="its card is inside"):
        write_card_beside(open_model(save_model(fresh(), tmp_path / "folder")))


@pytest.mark.parametrize("name", ["defectsegnet/genuine", "am_segnet/genuine/am_f1_tf2ckpt"])
def test_a_folder_of_others_has_its_card_beside_it(name: str, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "checkpoint"
    shutil.copytree(ref.folder() / name, folder)
    model = open_model(folder)
    names = [f"kind {n}" for n in range(len(model.card.classes))]
    write_card_beside(model.with_card(model.card.with_classes(ClassMap.of(names))))
    assert open_model(folder).card.classes.names == tuple(names)


def test_reasons_are_counted_and_read_from_the_shapes(bare: Path) -> None:
    first, every, shapes, others = why_recognised(open_model(bare))
    assert first == "mailed.pth was opened as state_dict."
    count = len([n for n in fresh().state_dict() if not n.endswith("num_batches_tracked")])
    assert every.startswith(f"All {count} tensors")
    assert "the network 'unet', and none of its own is missing" in every
    assert "widths 4 6" in shapes
    assert "No other network has them. The next is" in others


def test_networks_that_files_describe_themselves_have_reasons_too() -> None:
    model = open_model(ref.folder() / "formats" / "keras2_2d" / "unet_full.h5")
    told = why_recognised(model)
    assert "All " in told[1]
    assert "none of its own is missing" in told[1]


def test_every_model_of_several_has_its_reasons() -> None:
    other = fresh(1)
    other = other.with_card(other.card.with_classes(ClassMap.of(["a", "b"])))
    assert len(why_recognised(JoinedModel([fresh(), other]))) == 8


@pytest.fixture
def twin() -> Iterator[None]:
    """A network of a stranger with the very tensors of ours."""
    undo = ARCHITECTURES.add("twin", "napari_defectseg.models.architectures.unet")
    yield
    undo()


@pytest.mark.usefixtures("twin")
def test_where_two_networks_fit_both_are_named_and_either_can_be_stated(bare: Path) -> None:
    model = open_model(bare)
    assert model.card.missing[0] == "architecture"
    assert "fit 'unet' and 'twin' alike" in " ".join(model.card.quirks)
    assert "would fit 'twin', too" in why_recognised(model)[-1]
    chosen = open_model(bare, settings={"architecture": "twin"})
    assert chosen.card.architecture == "twin"
    assert "architecture" not in chosen.card.missing
    with pytest.raises(ModelError, match=r"not those of the network 'dcnn3d'.*unet, twin"):
        open_model(bare, settings={"architecture": "dcnn3d"})


def test_a_safetensors_file_has_its_card_beside_it_too(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_safetensors(fresh().state_dict(), path)
    write_card_beside(open_model(path, settings={"classes": "x,y"}))
    values: dict[str, Any] = json.loads(place_beside(path).read_text())
    assert values["weights_sha256"] == open_model(path).sha256
    assert open_model(path).card.classes.names == ("x", "y")
