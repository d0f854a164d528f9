"""MobileNetV3 (Howard et al. 2019) as timm names it, without its classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.models.architecture import Shapes

Row: TypeAlias = tuple[int, int, int, int]
"""Of one block: features inside, features out, kernel, features of its gate (0: none)."""
STRIDES = {6: (2, 2, 2, 1, 2, 1), 7: (1, 2, 2, 2, 1, 2, 1)}
"""Of each stage, of the small and the large network."""
PLAIN = {6: 2, 7: 3}
"""Stages whose activation is ReLU instead of the hard swish."""
TAPS = {6: (-1, 0, 1, 3, 5), 7: (0, 1, 2, 4, 6)}
"""Stage that ends each of the five levels; -1 is the first convolution."""


@dataclass(frozen=True)
class MobileNetSettings:
    """What this encoder is built from.

    Parameters
    ----------
    in_channels, stem : int
        Features of input and first convolution.
    stages : tuple
        Rows of each stage: features inside, out, kernel, features of the gate; the last stage
        is one 1 × 1 convolution.
    """

    in_channels: int = 3
    stem: int = 16
    stages: tuple[tuple[Row, ...], ...] = (
        ((16, 16, 3, 8),),
        ((72, 24, 3, 0), (88, 24, 3, 0)),
        ((96, 40, 5, 24), (240, 40, 5, 64), (240, 40, 5, 64)),
        ((120, 48, 5, 32), (144, 48, 5, 40)),
        ((288, 96, 5, 72), (576, 96, 5, 144), (576, 96, 5, 144)),
        ((576, 576, 1, 0),),
    )

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the input and of the five levels, finest first."""
        ends = [self.stem if tap < 0 else self.stages[tap][-1][1] for tap in self.taps]
        return (self.in_channels, *ends)

    @property
    def taps(self) -> tuple[int, ...]:
        """Stage that ends each level."""
        return TAPS[len(self.stages)]

    @property
    def reach(self) -> None:
        """The gates look at all they see."""


def read_mobilenet(shapes: Shapes, prefix: str) -> MobileNetSettings | None:
    """Return the settings of the encoder whose tensors begin with `prefix`, None if none does."""
    first = shapes.get(f"{prefix}conv_stem.weight")
    stages = 0
    while f"{prefix}blocks.{stages}.0.bn1.weight" in shapes:
        stages += 1
    if first is None or stages not in STRIDES or f"{prefix}blocks.0.0.conv_dw.weight" not in shapes:
        return None
    found = []
    for stage in range(stages):
        rows: list[Row] = []
        while f"{prefix}blocks.{stage}.{len(rows)}.bn1.weight" in shapes:
            rows.append(_row(shapes, f"{prefix}blocks.{stage}.{len(rows)}."))
        found.append(tuple(rows))
    return MobileNetSettings(first[1], first[0], tuple(found))


def _row(shapes: Shapes, block: str) -> Row:
    if f"{block}conv.weight" in shapes:
        outputs = shapes[f"{block}conv.weight"][0]
        return (outputs, outputs, 1, 0)
    inner, _, kernel, _ = shapes[f"{block}conv_dw.weight"]
    last = f"{block}conv_pwl.weight"
    outputs = shapes[last if last in shapes else f"{block}conv_pw.weight"][0]
    gate = shapes.get(f"{block}se.conv_reduce.weight", (0,))[0]
    return (inner, outputs, kernel, gate)


class Gate(nn.Module):
    """Channels weighted by what is seen of them in all."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.conv_reduce, self.conv_expand = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        seen = torch.relu(self.conv_reduce(x.mean((2, 3), keepdim=True)))
        return x * functional.hardsigmoid(self.conv_expand(seen))


class Separable(nn.Module):
    """A convolution of each channel, a gate, one across channels."""

    def __init__(self, inputs: int, row: Row, stride: int, plain: bool) -> None:
        super().__init__()
        _, outputs, kernel, gate = row
        self.plain, self.short = plain, stride == 1 and inputs == outputs
        pad = kernel // 2
        self.conv_dw = nn.Conv2d(inputs, inputs, kernel, stride, pad, groups=inputs, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.se = Gate(inputs, gate) if gate else nn.Identity()
        self.conv_pw = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        found = self.se(_active(self.bn1(self.conv_dw(x)), self.plain))
        result: torch.Tensor = self.bn2(self.conv_pw(found))
        return x + result if self.short else result


class Inverted(nn.Module):
    """More channels, a convolution of each, a gate, fewer channels."""

    def __init__(self, inputs: int, row: Row, stride: int, plain: bool) -> None:
        super().__init__()
        inner, outputs, kernel, gate = row
        self.plain, self.short = plain, stride == 1 and inputs == outputs
        pad = kernel // 2
        self.conv_pw = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv_dw = nn.Conv2d(inner, inner, kernel, stride, pad, groups=inner, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.se = Gate(inner, gate) if gate else nn.Identity()
        self.conv_pwl = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        found = _active(self.bn1(self.conv_pw(x)), self.plain)
        found = self.se(_active(self.bn2(self.conv_dw(found)), self.plain))
        result: torch.Tensor = self.bn3(self.conv_pwl(found))
        return x + result if self.short else result


class Last(nn.Module):
    """A 1 × 1 convolution with normalisation and hard swish."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        return _active(self.bn1(self.conv(x)), plain=False)


def _active(x: torch.Tensor, plain: bool) -> torch.Tensor:
    return torch.relu(x) if plain else functional.hardswish(x)


class MobileNet(nn.Module):
    """The encoder; gives the input and the features of up to five levels."""

    def __init__(self, settings: MobileNetSettings, depth: int = 5) -> None:
        super().__init__()
        s, self.depth = settings, depth
        self.taps = s.taps[:depth]
        self.conv_stem = nn.Conv2d(s.in_channels, s.stem, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(s.stem)
        self.blocks = nn.Sequential()
        before, count = s.stem, len(s.stages)
        for number, rows in enumerate(s.stages):
            stage = nn.Sequential()
            for position, row in enumerate(rows):
                stride = STRIDES[count][number] if position == 0 else 1
                plain = number < PLAIN[count]
                block: nn.Module
                if number == count - 1:
                    block = Last(before, row[1])
                else:
                    kind = Separable if number == 0 else Inverted
                    block = kind(before, row, stride, plain)
                stage.append(block)
                before = row[1]
            self.blocks.append(stage)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return features, finest first, the input before them."""
        found = [x]
        x = functional.hardswish(self.bn1(self.conv_stem(x)))
        if -1 in self.taps:
            found.append(x)
        for number, stage in enumerate(self.blocks):
            if len(found) > self.depth:
                break
            x = stage(x)
            if number in self.taps:
                found.append(x)
        return found
