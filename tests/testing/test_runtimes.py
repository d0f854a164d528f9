"""Our own runtimes keep the contract that strangers get."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch

from napari_defectseg.testing import RuntimeContract, RuntimeSample


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3, padding=1), torch.nn.ReLU())
    return net.eval()


def sample(file: Path) -> RuntimeSample:
    block = np.random.default_rng(0).standard_normal((2, 12, 14)).astype(np.float32)
    with torch.inference_mode():
        wanted = network()(torch.from_numpy(block)[None])[0].numpy()
    return RuntimeSample(file, block, wanted)


class TestTorchScript(RuntimeContract):
    target = "napari_defectseg.models.runtimes.torchscript"

    def write(self, folder: Path) -> RuntimeSample:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.script(network()).save(str(folder / "a.pt"))
        return sample(folder / "a.pt")


class TestTorchExport(RuntimeContract):
    target = "napari_defectseg.models.runtimes.torch_export"

    def write(self, folder: Path) -> RuntimeSample:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(network(), (torch.zeros(1, 2, 12, 14),))
            torch.export.save(program, str(folder / "a.pt2"))
        return sample(folder / "a.pt2")
