"""Fresh networks of the published kinds: any width, ten steps of training, cards, other files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.models.keras.writing import seeded, write_h5

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import ARCHITECTURES, published
from napari_defectseg.models.architectures.defectsegnet import rows_in
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.graphs.architecture import GraphArchitecture
from napari_defectseg.models.graphs.graph import Graph
from napari_defectseg.models.graphs.same import same_network
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model
from napari_defectseg.models.settings import with_settings
from napari_defectseg.models.weights import write_safetensors

NARROW = {
    "am_segnet": {"base": 2},
    "am_unet": {"base": 4},
    "am_res_unet": {"base": 4},
    "am_squeeze_unet": {"base": 4},
    "defectsegnet": {"base": 2},
    "dcnn3d": {"base": 2, "levels": 3},
}


@pytest.mark.parametrize("name", NARROW)
def test_ten_steps_of_training_lower_the_loss(name: str) -> None:
    """A bright square on a dark ground, as seen by each network."""
    architecture = ARCHITECTURES.get(name)
    facts = architecture.facts(NARROW[name])
    dims, outputs = facts["dims"], facts["out_channels"]
    torch.manual_seed(0)
    network = architecture.build(NARROW[name]).train()
    side = 2 * facts["grid"]
    truth = torch.zeros((2, *[side] * dims), dtype=torch.long)
    truth[(slice(None), *[slice(side // 4, side // 2)] * dims)] = 1
    x = truth[:, None].float() + 0.2 * torch.randn((2, 1, *truth.shape[1:]))
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    losses = []
    for _ in range(10):
        logits = network(x)
        if outputs == 1:
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], truth.float())
        else:
            loss = torch.nn.functional.cross_entropy(logits, truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
    assert np.mean(losses[5:]) < np.mean(losses[:5])


@pytest.mark.parametrize("name", NARROW)
def test_saved_as_a_folder_or_bare_it_is_the_same_network(name: str, tmp_path: Path) -> None:
    """A model folder keeps everything; bare safetensors are recognised, with the known card."""
    outputs = ARCHITECTURES.get(name).facts(NARROW[name])["out_channels"]
    many = {"classes": ClassMap.of([f"c{i}" for i in range(outputs)]), "has_background": False}
    one = {"classes": ClassMap.of(["pore"]), "task": "binary", "activation": "sigmoid"}
    card = design("new", name, NARROW[name], **(many if outputs > 1 else one))
    model = TorchModel.new(card, seed=1)
    again = open_model(save_model(model, tmp_path / "folder"))
    assert again.card == card
    bare = tmp_path / "weights.safetensors"
    write_safetensors(model.state_dict(), bare)
    found = open_model(bare)
    assert found.card.architecture == name
    assert found.card.citation
    assert found.card.licence
    assert found.card.quirks
    found.network()


@pytest.mark.parametrize("base", [1, 3])
@pytest.mark.parametrize("name", ["am_segnet", "am_unet", "am_res_unet", "am_squeeze_unet"])
def test_weights_alone_of_any_width_are_recognised(name: str, base: int, tmp_path: Path) -> None:
    """Other widths, channels and numbers of classes, from an HDF5 file without a network."""
    architecture = ARCHITECTURES.get(name)
    assert isinstance(architecture, GraphArchitecture)
    settings = {"base": base, "in_channels": 2, "out_channels": 3}
    graph = architecture.graph(settings)
    path = write_h5(graph, seeded(graph), tmp_path / "weights.hdf5")
    card = open_model(path).card
    assert (card.architecture, card.architecture_settings) == (name, settings)
    # Three classes are not the published five: names are asked for.
    assert "classes" in card.missing
    assert len(card.classes) == 2
    assert card.preprocessing == ()


@pytest.mark.parametrize(("base", "levels"), [(1, 2), (4, 3), (2, 5)])
def test_the_3d_network_of_any_base_and_depth(base: int, levels: int, tmp_path: Path) -> None:
    architecture = ARCHITECTURES.get("dcnn3d")
    assert isinstance(architecture, GraphArchitecture)
    graph = architecture.graph({"base": base, "levels": levels})
    card = open_model(write_h5(graph, seeded(graph), tmp_path / "w.h5")).card
    assert card.architecture_settings["base"] == base
    assert card.architecture_settings["levels"] == levels
    assert card.grid == 2 ** (levels - 1)


def test_what_is_guessed_is_said() -> None:
    """AM-SegNet's order of classes, DefectSegNet's pixel size, the phase of the 3D network."""
    for name, field in (
        ("am_segnet", "classes"),
        ("defectsegnet", "pixel_size"),
        ("dcnn3d", "classes"),
    ):
        about = published(name, {})
        assert about is not None
        assert field in about.guesses
        assert {"citation", "licence", "quirks"} <= set(about.fields)
    about = published("am_segnet", {})
    assert about is not None
    colours = [item.colour for item in about.fields["classes"]]
    assert colours == ["#541352", "#d62728", "#2f9aa0", "#10a53d", "#ffcf20"]


def test_the_same_network_under_other_names_and_no_other() -> None:
    """Order of inputs, kinds and sizes count; names do not."""
    architecture = ARCHITECTURES.get("am_segnet")
    assert isinstance(architecture, GraphArchitecture)
    graph = architecture.graph({"base": 1})
    plain = graph.as_plain()
    renamed = Graph.from_plain(_renamed(plain, lambda n: n if n == "input" else f"x_{n}"))
    paired = same_network(graph, renamed)
    assert paired is not None
    assert all(other == f"x_{own}" for own, other in paired.items() if own != "input")
    swapped = {**plain, "nodes": [[*n] for n in plain["nodes"]]}
    for node in swapped["nodes"]:
        if node[0] == "u1.join":
            node[2] = node[2][::-1]
    assert same_network(graph, Graph.from_plain(swapped)) is None
    other = architecture.graph({"base": 2})
    assert same_network(graph, other) is None


def _renamed(plain: dict, name: object) -> dict:
    assert callable(name)
    nodes = [
        [name(n), op, [name(i) for i in inputs], attrs] for n, op, inputs, attrs in plain["nodes"]
    ]
    return {**plain, "nodes": nodes, "output": name(plain["output"])}


def test_tables_of_layers_that_make_no_sense_are_refused() -> None:
    good = "type:convolution|kernel:3,3|filters:4|padding:same|strides:1,1|input tensors:0"
    assert rows_in(good)[0].filters == 4
    for bad in (
        "nonsense",
        good.replace("convolution", "attention"),
        good.replace("3,3", "5,5"),
        good.replace("strides:1,1", "strides:2,2"),
        good.replace("filters:4", "filters:x"),
    ):
        with pytest.raises(ModelError, match="Line 1 of the table"):
            rows_in(bad)


def test_card_fields_of_the_statistics_can_be_set() -> None:
    card = ModelCard.of(
        {
            "name": "n",
            "architecture": "defectsegnet",
            "dims": 2,
            "task": "binary",
            "activation": "none",
            "has_background": False,
            "classes": ClassMap.of(["void"]),
            "grid": 8,
            "halo": 48,
            "segment": 64,
        }
    )
    assert with_settings(card, {"batch_norm": "image"}).batch_norm == "image"
    assert with_settings(card, {"inverted": "yes"}).inverted
    with pytest.raises(ModelError, match="batch_norm"):
        with_settings(card, {"batch_norm": "calibrated"})
    with pytest.raises(ModelError, match="segment"):
        card.replaced(segment=60)


def test_settings_that_make_no_sense_are_refused() -> None:
    for name, settings in (
        ("am_segnet", {"base": 0}),
        ("dcnn3d", {"levels": 1}),
        ("defectsegnet", {"filters": [1, 2]}),
        ("keras", {"dims": 2}),
        ("am_unet", {"out_channels": -1}),
    ):
        with pytest.raises(ModelError):
            ARCHITECTURES.get(name).facts(settings)
