"""Reference weights, inputs and outputs of published networks: found, rebuilt, compared."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("DEFECTSEG_TEST_REFERENCE", ROOT.parent / "shared" / "reference"))
LOGITS, PROBABILITIES = 1e-4, 2e-5
"""Largest differences that the references justify for the networks of torch."""
WIDE = {"bias": (-0.1, 0.1), "gamma": (0.8, 1.2), "beta": (-0.2, 0.2), "mean": (-0.2, 0.2)}
WIDE |= {"var": (0.5, 1.5), "alpha": (0.1, 0.4), "small": (-0.05, 0.05)}
M = (1 << 64) - 1


def reference(name: str) -> Path:
    """Return a folder of references, or skip with a sentence."""
    folder = REFERENCE / name
    if not folder.exists():
        pytest.skip(f"No reference at {folder}: set DEFECTSEG_TEST_REFERENCE to run this test.")
    return folder


def filled(folder: Path) -> dict[str, torch.Tensor]:
    """Return the state dict that a layout describes, values by the references' recipe."""
    layout = json.loads((folder / "layout.json").read_text())
    seed = layout["fill_seed"]
    return {
        e["name"]: torch.from_numpy(fill(e["name"], tuple(e["shape"]), e["kind"], seed))
        for e in layout["state_dict"]
    }


def fill(name: str, shape: tuple[int, ...], kind: str, seed: int) -> np.ndarray[Any, Any]:
    """Return the recipe's values: uniform numbers from name and seed, scaled by kind."""
    if kind == "count":
        return np.full(shape, 100, np.int64)
    u = _uniform(name, int(np.prod(shape)), seed)
    if kind in WIDE:
        low, high = WIDE[kind]
    else:
        fan = float(np.prod(shape[1:]))
        if kind == "torch_kernel_t":
            kernel = shape[2:]
            fan = float(shape[0]) * max(1.0, np.prod(kernel) / 2.0 ** len(kernel))
        high = float(np.sqrt(6.0 / fan))
        low = -high
    return (low + (high - low) * u).astype(np.float32).reshape(shape)


def _uniform(name: str, count: int, seed: int) -> np.ndarray[Any, Any]:
    key = zlib.crc32(f"{seed}/{name}".encode())
    start = np.uint64((key * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & M)
    with np.errstate(over="ignore"):
        step = np.uint64(0x9E3779B97F4A7C15)
        z = start + np.arange(1, count + 1, dtype=np.uint64) * step
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def run(network: torch.nn.Module, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return logits."""
    with torch.inference_mode():
        result: np.ndarray[Any, Any] = network(torch.from_numpy(x)).numpy()
    return result


def check_logits(found: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> None:
    """Hold logits, softmax and winners against the published code's."""
    np.testing.assert_allclose(found, wanted, atol=LOGITS, rtol=LOGITS)
    best = np.sort(wanted, axis=1)
    clear = best[:, -1] - best[:, -2] > LOGITS
    assert (found.argmax(1) == wanted.argmax(1))[clear].all()


def ten_steps(
    network: torch.nn.Module, channels: int, loss_of: Callable[[torch.Tensor], torch.Tensor]
) -> list[float]:
    """Return the losses of ten steps of training on a bright square."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                torch.nn.init.kaiming_uniform_(parameter, generator=generator)
    x = torch.rand(2, channels, 32, 32, generator=generator)
    x[:, :, 8:20, 8:20] += 1
    optimiser = torch.optim.Adam(network.train().parameters(), lr=1e-2)
    losses = []
    for _ in range(10):
        loss = loss_of(network(x))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses
