"""`Layers`: when the layers of a network begin in a pass; hooks that tell of each, and go again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any


class Layers:
    """How a pass is made up of layers, as it was measured in the last whole pass.

    Parameters
    ----------
    marks : sequence of float
        When each layer begins, as a share of the pass, 0 to 1; empty: not known.
    """

    def __init__(self, marks: Sequence[float] = ()) -> None:
        self.marks = tuple(marks)

    @property
    def longest(self) -> float:
        """Share of a pass that its longest layer takes; 1 where the layers are not known."""
        if not self.marks:
            return 1.0
        return max(after - before for before, after in pairwise((0.0, *self.marks, 1.0)))

    def share(self, begun: int) -> float:
        """Return the share of a pass that is over when so many layers have begun."""
        if not self.marks or begun < 1:
            return 0.0
        return self.marks[min(begun, len(self.marks)) - 1]

    def learn(self, starts: Sequence[float], began: float, ended: float) -> None:
        """Take when the layers of a whole pass began.

        Parameters
        ----------
        starts : sequence of float
            Seconds of a clock, one a layer.
        began, ended : float
            Of the pass, by the same clock.
        """
        length = ended - began
        if starts and length > 0:
            self.marks = tuple((start - began) / length for start in starts)


@contextmanager
def hooked(network: Callable[..., Any], begins: Callable[[], None]) -> Iterator[None]:
    """Call `begins` before each layer that runs in the block; what it raises ends the pass.

    Parameters
    ----------
    network : torch.nn.Module or callable
        Its innermost modules are the layers; what is no module is one layer that nobody sees.
    begins : callable
    """
    import torch

    def hook(*_: Any) -> None:
        begins()

    hooks = [
        layer.register_forward_pre_hook(hook)
        for layer in (network.modules() if isinstance(network, torch.nn.Module) else ())
        if not any(layer.children())
    ]
    try:
        yield
    finally:
        for one in hooks:
            one.remove()
