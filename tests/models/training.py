"""Ten steps of training on a bright square, for any kind of network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from napari_defectseg.models.architecture import Architecture


def losses_of_ten_steps(architecture: Architecture, settings: Mapping[str, Any]) -> list[float]:
    """Return the losses of ten steps."""
    facts = architecture.facts(settings)
    dims, outputs, side = facts["dims"], facts["out_channels"], 4 * facts["grid"]
    torch.manual_seed(0)
    network = architecture.build(settings).train()
    truth = torch.zeros((2, *[side] * dims), dtype=torch.long)
    truth[(slice(None), *[slice(side // 4, side // 2)] * dims)] = 1
    x = truth[:, None].float() + 0.2 * torch.randn((2, facts["in_channels"], *truth.shape[1:]))
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
    return losses
