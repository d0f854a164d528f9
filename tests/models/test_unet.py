"""The U-Net: sizes, recognition, and a halo that is exactly its field of view."""

from __future__ import annotations

import pytest
import torch

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architectures import unet


def shapes_of(network: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize("dims", [2, 3])
def test_default_network_stays_below_three_megabytes(dims: int) -> None:
    network = unet.build({"dims": dims, "out_channels": 4})
    stored = sum(t.numel() * t.element_size() for t in network.state_dict().values())
    assert 2_000_000 < stored < 2_950_000


@pytest.mark.parametrize("dims", [2, 3])
def test_output_has_the_size_of_the_input(dims: int) -> None:
    network = unet.build({"dims": dims, "widths": (2, 3, 4), "in_channels": 2, "out_channels": 5})
    assert network.eval()(torch.zeros(1, 2, *(8,) * dims)).shape == (1, 5, *(8,) * dims)


@pytest.mark.parametrize("norm", ["batch", "none", "instance"])
@pytest.mark.parametrize("dims", [2, 3])
def test_settings_are_recognised_from_names_and_shapes_alone(dims: int, norm: str) -> None:
    settings = {"dims": dims, "in_channels": 3, "out_channels": 2, "widths": (4, 8), "norm": norm}
    assert unet.recognise(shapes_of(unet.build(settings))) == {**settings, "widths": [4, 8]}


def test_a_network_with_one_strange_tensor_is_not_recognised() -> None:
    shapes = shapes_of(unet.build({"widths": (4, 8)}))
    assert unet.recognise({**shapes, "extra.weight": (1,)}) is None
    assert unet.recognise({**shapes, "head.weight": (2, 5, 1, 1)}) is None
    assert unet.recognise({}) is None


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_halo_is_the_field_of_view_and_not_a_pixel_less(levels: int) -> None:
    """The gradient of a cell's output reaches exactly `field_radius` beyond the cell."""
    torch.manual_seed(0)
    network = unet.build({"widths": (2,) * levels, "norm": "none"}).double().eval()
    for parameter in network.parameters():
        parameter.data.abs_().add_(0.1)  # every path open
    cell, radius = 2 ** (levels - 1), unet.field_radius(levels)
    size = cell * (2 * (radius // cell + 2) + 1)
    x = torch.rand(1, 1, cell, size, dtype=torch.double).cumsum(-1).requires_grad_()
    middle = slice(size // 2 // cell * cell, size // 2 // cell * cell + cell)
    reached = set()
    for y in (x, x.flip(-1)):  # maximum pooling picks one side: look from both
        (grad,) = torch.autograd.grad(network(y)[..., middle].sum(), x, retain_graph=True)
        seen = grad.abs().sum((0, 1, 2)).nonzero().flatten()
        reached |= {middle.start - int(seen.min()), int(seen.max()) - (middle.stop - 1)}
    assert max(reached) == radius


def test_strange_settings_are_refused_with_a_sentence() -> None:
    with pytest.raises(ModelError, match="not the settings of a U-Net"):
        unet.build({"depth": 4})
    with pytest.raises(ModelError, match="2 or 3 dimensions"):
        unet.build({"dims": 4})
    with pytest.raises(ModelError, match="not a normalisation"):
        unet.build({"norm": "layer"})
