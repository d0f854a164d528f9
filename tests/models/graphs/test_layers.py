"""Layers follow the rules of Keras, against plain loops over pixels."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.models.graphs.field import grid_of, halo_of
from napari_defectseg.models.graphs.functions import run
from napari_defectseg.models.graphs.graph import Graph, Node
from napari_defectseg.models.graphs.network import GraphNetwork
from napari_defectseg.models.graphs.operations import variables_of
from napari_defectseg.models.graphs.weights import tensors_of


def network(op: str, attrs: dict[str, Any], channels: int, seed: int = 0) -> tuple[Any, list]:
    """Return a network of one layer and its weights as Keras holds them."""
    graph = Graph(2, channels, (Node("n", op, ("input",), attrs),), "n")
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=s).astype(np.float32) for _, s in variables_of(graph, graph.nodes[0])]
    net = GraphNetwork(graph)
    net.load_state_dict(tensors_of(graph, graph.nodes[0], arrays), strict=False)
    return net.eval(), arrays


def through(net: Any, x: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return net(torch.from_numpy(x)[None].movedim(-1, 1)).movedim(1, -1)[0].numpy()


def begin(n: int, k: int, s: int, same: bool) -> tuple[int, int]:
    """Return zeros in front and length of the result, as TensorFlow defines them."""
    if not same:
        return 0, (n - k) // s + 1
    out = -(-n // s)
    return max((out - 1) * s + k - n, 0) // 2, out


SIZES = {
    "n": st.integers(8, 12),
    "k": st.integers(1, 4),
    "s": st.integers(1, 3),
    "same": st.booleans(),
}


@settings(max_examples=40, deadline=None)
@given(**SIZES, d=st.integers(1, 2))
def test_convolutions_of_any_stride_and_padding(n: int, k: int, s: int, same: bool, d: int) -> None:
    s = 1 if d > 1 else s
    attrs = {
        "filters": 2,
        "kernel": [k, k],
        "strides": [s, s],
        "dilation": [d, d],
        "padding": "same" if same else "valid",
    }
    net, (kernel, bias) = network("conv", attrs, 3)
    x = np.random.default_rng(1).normal(size=(n, n + 1, 3)).astype(np.float32)
    extent = (k - 1) * d + 1
    (by, ny), (bx, nx) = (begin(length, extent, s, same) for length in x.shape[:2])
    wanted = np.zeros((ny, nx, 2))
    for i, j, a, b in product(range(ny), range(nx), range(k), range(k)):
        y, z = i * s - by + a * d, j * s - bx + b * d
        if 0 <= y < x.shape[0] and 0 <= z < x.shape[1]:
            wanted[i, j] += x[y, z] @ kernel[a, b]
    np.testing.assert_allclose(through(net, x), wanted + bias, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(**SIZES)
def test_transposed_convolutions_have_size_and_place_of_keras(
    n: int, k: int, s: int, same: bool
) -> None:
    """The gradient of a convolution: each pixel spreads its kernel, then the rest is cut."""
    attrs = {
        "filters": 2,
        "kernel": [k, k],
        "strides": [s, s],
        "padding": "same" if same else "valid",
    }
    net, (kernel, bias) = network("transposed", attrs, 3)
    x = np.random.default_rng(2).normal(size=(n, n, 3)).astype(np.float32)
    out = n * s if same else n * s + max(k - s, 0)
    cut = max(k - s, 0) // 2 if same else 0
    wanted = np.zeros((out, out, 2))
    for i, j, a, b in product(range(n), range(n), range(k), range(k)):
        y, z = i * s + a - cut, j * s + b - cut
        if 0 <= y < out and 0 <= z < out:
            wanted[y, z] += kernel[a, b] @ x[i, j]
    np.testing.assert_allclose(through(net, x), wanted + bias, atol=1e-4)


def test_depthwise_and_separable_convolutions() -> None:
    """Output channel c * m + j belongs to input channel c."""
    window = {"kernel": [3, 3], "strides": [1, 1], "padding": "same", "multiplier": 2}
    net, (kernel, bias) = network("depthwise", window, 3)
    x = np.random.default_rng(3).normal(size=(5, 6, 3)).astype(np.float32)
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    wanted = sum(
        padded[a : a + 5, b : b + 6, :, None] * kernel[a, b] for a, b in product(range(3), range(3))
    ).reshape(5, 6, 6)
    np.testing.assert_allclose(through(net, x), wanted + bias, atol=1e-5)
    net, (kernel, point, bias) = network("separable", {**window, "filters": 4}, 3)
    wanted = sum(
        padded[a : a + 5, b : b + 6, :, None] * kernel[a, b] for a, b in product(range(3), range(3))
    ).reshape(5, 6, 6)
    np.testing.assert_allclose(through(net, x), wanted @ point[0, 0] + bias, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(**SIZES)
def test_pooling_counts_pixels_of_the_image_alone(n: int, k: int, s: int, same: bool) -> None:
    x = np.random.default_rng(4).normal(size=(n, n, 1)).astype(np.float32)
    attrs = {"kernel": [k, k], "strides": [s, s], "padding": "same" if same else "valid"}
    tensor = torch.from_numpy(x)[None].movedim(-1, 1)
    before, out = begin(n, k, s, same)
    for op, reduce in (("max_pool", np.max), ("average_pool", np.mean)):
        found = run(op, [tensor], attrs)[0, 0].numpy()
        assert found.shape == (out, out)
        for i, j in product(range(out), range(out)):
            y, z = max(i * s - before, 0), max(j * s - before, 0)
            part = x[y : i * s - before + k, z : j * s - before + k]
            assert found[i, j] == pytest.approx(reduce(part), abs=1e-5)


def test_batch_normalisation_has_the_numbers_of_keras() -> None:
    """(x - mean) / sqrt(var + 0.001) * gamma + beta; scale and centre may be absent."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(4, 4, 3)).astype(np.float32)
    for scale, center in product((True, False), (True, False)):
        attrs = {"eps": 1e-3, "momentum": 0.9, "scale": scale, "center": center}
        graph = Graph(2, 3, (Node("n", "batch_norm", ("input",), attrs),), "n")
        node = graph.nodes[0]
        names = [name for name, _ in variables_of(graph, node)]
        values = {name: np.abs(rng.normal(size=3)).astype(np.float32) for name in names}
        net = GraphNetwork(graph).eval()
        net.load_state_dict(tensors_of(graph, node, list(values.values())), strict=False)
        assert net.layers["n"].momentum == pytest.approx(0.1)
        wanted = (x - values["moving_mean"]) / np.sqrt(values["moving_variance"] + 1e-3)
        wanted = wanted * values.get("gamma", 1) + values.get("beta", 0)
        np.testing.assert_allclose(through(net, x), wanted, atol=1e-5)


def test_bilinear_up_sampling_lies_between_the_centres_of_pixels() -> None:
    """The half-pixel rule, edges repeated."""
    x = torch.tensor([[[[0.0, 4.0]]]])
    found = run("upsample", [x], {"size": [1, 2], "mode": "bilinear"})[0, 0, 0]
    assert found.tolist() == [0, 1, 3, 4]
    nearest = run("upsample", [x], {"size": [2, 2], "mode": "nearest"})[0, 0]
    assert nearest.tolist() == [[0, 0, 4, 4]] * 2


@settings(max_examples=25, deadline=None)
@given(
    kernels=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    transposed=st.booleans(),
    bilinear=st.booleans(),
    dilation=st.integers(1, 2),
)
def test_the_halo_is_sound(
    kernels: list[int], transposed: bool, bilinear: bool, dilation: int
) -> None:
    """A cell of the grid depends on nothing beyond the halo, whatever the layers are."""
    nodes, x = [], "input"
    for i, k in enumerate(kernels):
        attrs = {"filters": 2, "kernel": [k, k], "padding": "same", "strides": [2, 2]}
        nodes.append(Node(f"down{i}", "conv", (x,), attrs))
        wide = {**attrs, "strides": [1, 1], "dilation": [dilation] * 2}
        nodes.append(Node(f"wide{i}", "conv", (f"down{i}",), wide))
        x = f"wide{i}"
    for i, k in enumerate(kernels):
        mode = "bilinear" if bilinear else "nearest"
        up = {"filters": 2, "kernel": [k, k], "padding": "same", "strides": [2, 2]}
        size = {"size": [2, 2], "mode": mode}
        node = ("transposed", up) if transposed else ("upsample", size)
        nodes.append(Node(f"up{i}", node[0], (x,), node[1]))
        x = f"up{i}"
    graph = Graph(2, 1, tuple(nodes), x)
    grid, halo = grid_of(graph), halo_of(graph)
    assert grid == 2 ** len(kernels)
    assert halo is not None
    net = GraphNetwork(graph).double().eval()
    length = 2 * halo + 3 * grid
    image = torch.zeros(1, 1, length, 2 * grid, dtype=torch.float64)
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0)).double()
    other = noise.clone()
    start = halo + grid
    other[:, :, : start - halo] = 9
    other[:, :, start + grid + halo :] = 9
    with torch.inference_mode():
        cell = slice(start, start + grid)
        difference = net(noise)[:, :, cell] - net(other)[:, :, cell]
    assert float(difference.abs().max()) < 1e-12
