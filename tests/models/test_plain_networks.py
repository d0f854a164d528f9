"""Networks without a name of their own: plain U-Nets by shapes, chains of torch's layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.models.published import reference, run
from tests.models.training import losses_of_ten_steps
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architectures import plain_unet, torch_layers
from napari_defectseg.models.architectures.plain_unet import SKIP_FIRST, UP_FIRST
from napari_defectseg.models.open import open_model
from napari_defectseg.models.recognise import seen
from napari_defectseg.testing.architecture import ArchitectureContract

SMALL: dict[str, Any] = {"width": 4, "poolings": 2}
CHAIN: dict[str, Any] = {
    "layers": [
        ["body.0", "Conv2d", {"in_channels": 1, "out_channels": 4, "kernel_size": 3,
                              "padding": 1}],
        ["body.1", "BatchNorm2d", {"num_features": 4}],
        ["body.2", "LeakyReLU", {"negative_slope": 0.2}],
        ["pool", "MaxPool2d", {"kernel_size": 2}],
        ["up", "ConvTranspose2d", {"in_channels": 4, "out_channels": 4, "kernel_size": 2,
                                   "stride": 2}],
        ["head", "Conv2d", {"in_channels": 4, "out_channels": 2, "kernel_size": 1}],
    ],
}  # fmt: skip


class TestSkipFirst(ArchitectureContract):
    architecture = SKIP_FIRST
    examples = (SMALL, {**SMALL, "dims": 3, "bias": False}, {**SMALL, "norm": False})


class TestUpFirst(ArchitectureContract):
    architecture = UP_FIRST
    examples = (SMALL,)


class TestTorchLayers(ArchitectureContract):
    """A chain of layers; they are its settings."""

    architecture = torch_layers
    examples = (
        CHAIN,
        {"layers": [["0", "Conv3d", {"in_channels": 2, "out_channels": 1, "kernel_size": 3,
                                     "padding": 1}]]},
    )  # fmt: skip

    def test_it_knows_its_own_tensors(self) -> None:
        """Tensors alone do not say which layers lie between them, so it claims none."""
        for settings in self.examples:
            state = self.build(settings).state_dict()
            shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
            assert self.architecture.recognise(shapes) is None

    def test_the_nearest_network_of_its_own_tensors_is_itself(self) -> None:
        """Without its layers there is no nearest one."""
        assert self.architecture.nearest({"0.weight": (1, 1, 3, 3)}) == {}


@pytest.mark.parametrize(("kind", "settings"), [(SKIP_FIRST, SMALL), (torch_layers, CHAIN)])
def test_ten_steps_of_training_lower_the_loss(kind: Any, settings: dict[str, Any]) -> None:
    losses = losses_of_ten_steps(kind, settings)
    assert losses[-1] < 0.9 * losses[0]


def _double(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before in (inputs, outputs):
        layers += [nn.Conv2d(before, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)]
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


class Homemade(nn.Module):
    """A U-Net as many write it for themselves: the way up stands first in the file."""

    def __init__(self, skip_first: bool) -> None:
        super().__init__()
        self.skip_first = skip_first
        self.ups = nn.ModuleList()
        self.downs = nn.ModuleList([_double(1, 4), _double(4, 8)])
        for width in (8, 4):
            self.ups.append(nn.ConvTranspose2d(2 * width, width, 2, 2))
            self.ups.append(_double(2 * width, width))
        self.bottom, self.last = _double(8, 16), nn.Conv2d(4, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for down in self.downs:
            skips.append(down(x))
            x = nn.functional.max_pool2d(skips[-1], 2)
        x = self.bottom(x)
        for up, block in zip(self.ups[::2], self.ups[1::2], strict=True):
            both = [skips.pop(), up(x)]
            x = block(torch.cat(both if self.skip_first else both[::-1], dim=1))
        result: torch.Tensor = self.last(x)
        return result


@pytest.mark.parametrize("skip_first", [True, False])
def test_a_homemade_unet_is_opened_and_the_open_question_asked(
    tmp_path: Path, skip_first: bool
) -> None:
    """Both networks are named; the one that a person chooses gives the file's own numbers."""
    torch.manual_seed(0)
    network = Homemade(skip_first).eval()
    file = tmp_path / "mine.pth"
    torch.save(network.state_dict(), file)
    card = open_model(file).card
    assert "architecture" in card.missing
    assert card.sources["architecture"] == "guess"
    assert "'plain_unet' and 'plain_unet_up_first' alike" in card.quirks[0]
    name = "plain_unet" if skip_first else "plain_unet_up_first"
    chosen = open_model(file, settings={"architecture": name, "classes": "void,loop"})
    assert chosen.card.architecture == name
    assert "architecture" not in chosen.card.missing
    assert chosen.card.sources["architecture"] == "you"
    assert chosen.card.classes.names == ("void", "loop")
    assert not any("alike" in quirk for quirk in chosen.card.quirks)
    x = np.random.default_rng(0).normal(size=(1, 1, 24, 32)).astype(np.float32)
    np.testing.assert_allclose(run(chosen.network(), x), run(network, x), atol=1e-6)


@pytest.mark.parametrize("settings", [SMALL, {**SMALL, "norm": False, "poolings": 4, "dims": 3}])
def test_names_may_be_sorted(settings: dict[str, Any]) -> None:
    """As in safetensors files, where all convolutions of a block precede its normalisations."""
    shapes = {name: tuple(t.shape) for name, t in SKIP_FIRST.build(settings).state_dict().items()}
    found = SKIP_FIRST.recognise(dict(sorted(shapes.items())))
    assert found is not None
    assert found["names"] == list(plain_unet.own_names(found["poolings"], found["norm"]))
    homemade = {name: tuple(t.shape) for name, t in Homemade(True).state_dict().items()}
    assert SKIP_FIRST.recognise(dict(sorted(homemade.items()))) == SKIP_FIRST.recognise(homemade)


def test_another_architecture_than_the_tensors_is_refused(tmp_path: Path) -> None:
    torch.save(Homemade(True).state_dict(), tmp_path / "mine.pth")
    with pytest.raises(ModelError, match="not those of the network 'segformer'") as caught:
        open_model(tmp_path / "mine.pth", settings={"architecture": "segformer"})
    assert "plain_unet, plain_unet_up_first" in caught.value.hint


def test_shapes_that_leave_more_open_are_refused() -> None:
    """Another width, one convolution more, or a layer of another kind."""
    state = Homemade(True).state_dict()
    shapes = {name: tuple(t.shape) for name, t in state.items()}
    assert SKIP_FIRST.recognise(shapes) is not None
    changes: list[dict[str, tuple[int, ...]]] = [
        {"last.weight": (3, 4, 3, 3)},
        {"more.weight": (4, 4, 3, 3)},
        {"bottom.0.weight": (12, 8, 3, 3)},
        {"scale": (4,)},
    ]
    for change in changes:
        assert SKIP_FIRST.recognise({**shapes, **change}) is None


def test_a_named_network_is_never_taken_for_a_plain_one(tmp_path: Path) -> None:
    from napari_defectseg.models.architectures.milesial_unet import KIND

    torch.save(KIND.build({"width": 4, "poolings": 2}).state_dict(), tmp_path / "unet.pth")
    card = open_model(tmp_path / "unet.pth").card
    assert card.architecture == "milesial_unet"
    assert "architecture" not in card.missing


def test_own_names_are_as_many_as_layers() -> None:
    settings = plain_unet.PlainUNetSettings(**SMALL)
    assert len(plain_unet.own_names(2, True)) == len(list(plain_unet._layers(settings)))


def test_what_is_refused_is_described() -> None:
    words = seen({"a.weight": (8, 2, 3, 3), "b.weight": (5, 8, 1, 1), "n.running_mean": (8,)})
    assert words == (
        " Seen: 2D, 2 channels into its first convolution, 2 convolutions (1 of 3×3, 1 of 1×1) "
        "with 8, 5 features, 1 batch normalisations, 5 out of its last one."
    )
    assert seen({"fc.weight": (3, 3)}) == ""


def test_a_whole_chain_gives_the_numbers_it_had() -> None:
    """Dilation, groups and the slope of its nonlinearity are in the file alone."""
    folder = reference("formats") / "torch2d"
    model = open_model(folder / "sequential_whole_module.pt")
    with np.load(folder / "input.npz") as x, np.load(folder / "output_sequential.npz") as y:
        np.testing.assert_allclose(run(model.network(), x["x"]), y["y"], atol=1e-5)
    assert model.card.architecture == "torch_layers"
    assert model.card.sources["architecture"] == "file"


def test_nested_chains_with_an_activation_at_the_end(tmp_path: Path) -> None:
    network = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.InstanceNorm2d(4), nn.PReLU()),
        nn.MaxPool2d(2),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Conv2d(4, 2, 1),
        nn.Sigmoid(),
    ).eval()
    torch.save({"model": network, "epoch": 3}, tmp_path / "whole.pt")
    model = open_model(tmp_path / "whole.pt")
    card = model.card
    assert (card.task, card.activation, card.halo, card.grid) == ("multilabel", "sigmoid", None, 2)
    x = np.random.default_rng(0).normal(size=(1, 1, 16, 16)).astype(np.float32)
    found = torch.from_numpy(run(model.network(), x)).sigmoid().numpy()
    np.testing.assert_allclose(found, run(network, x), atol=1e-6)


def test_facts_of_a_chain_are_plain_and_its_tiles_exact() -> None:
    facts = torch_layers.facts(CHAIN)
    assert torch_layers.facts(facts["settings"]) == facts
    assert (facts["grid"], facts["out_channels"]) == (2, 2)
    halo = facts["halo"]
    network = torch_layers.build(CHAIN).eval()
    x = torch.randn(1, 1, 2 * halo + 6, 8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole, tile = network(x)[:, :, halo + 2 : halo + 4], network(x[:, :, 2 : 2 * halo + 4])
    np.testing.assert_allclose(whole.numpy(), tile[:, :, halo : halo + 2].numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([["0", "Linear", {}]], "is Linear with strange settings"),
        ([["0", "Conv2d", {"device": "cuda"}]], "strange settings"),
        ([["0", "Conv2d", {"in_channels": 1 << 20}]], "too large"),
        ([["0", "Conv2d", {"in_channels": 1}]], "cannot be built"),
        ([["0", "ReLU", {}]], "without convolutions"),
        (CHAIN["layers"][:4], "makes 0.5 pixels of each"),
        ([["0", "Conv2d", {"in_channels": 1, "out_channels": 2, "kernel_size": 3}]], "30 × 30"),
        ([], "0 layers"),
    ],
)
def test_chains_that_are_no_networks_are_refused(layers: list[Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        torch_layers.facts({"layers": layers})


def test_a_chain_with_layers_of_others_is_not_taken_for_one(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4, 4))
    torch.save(network, tmp_path / "whole.pt")
    with pytest.raises(ModelError, match=r"fit no network.*Seen: 2D, 1 channels"):
        open_model(tmp_path / "whole.pt")
