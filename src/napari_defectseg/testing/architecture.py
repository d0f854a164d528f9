"""`ArchitectureContract`: what a kind of network must do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.models.architecture import learnt

FACTS = {"settings", "parameters", "dims", "in_channels", "out_channels", "grid", "halo"}


class ArchitectureContract:
    """Inherit it, name the `architecture`, and give settings of small networks.

    Attributes
    ----------
    architecture : module or object
        As the entry point in the group ``napari_defectseg.architectures`` names it.
    examples : sequence of mapping
        Settings of small networks, each kind of them once: planes, volumes, normalisations.
    tolerance : float
        Largest difference between a tile's logits and the whole image's.
    """

    architecture: Any
    examples: Sequence[Mapping[str, Any]]
    tolerance: float = 1e-5

    def build(self, settings: Mapping[str, Any]) -> torch.nn.Module:
        """Return a network with seeded weights, in evaluation mode."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network: torch.nn.Module = self.architecture.build(settings)
        return network.eval()

    def logits(self, settings: Mapping[str, Any], shape: Sequence[int]) -> torch.Tensor:
        """Return what a network makes of seeded noise of a spatial shape."""
        facts = self.architecture.facts(settings)
        noise = torch.randn(
            1, facts["in_channels"], *shape, generator=torch.Generator().manual_seed(1)
        )
        with torch.inference_mode():
            result: torch.Tensor = self.build(settings)(noise)
        return result

    def test_facts_are_complete_and_plain(self) -> None:
        """They go into a card: every key is there, all settings can be written as JSON."""
        for settings in self.examples:
            facts = self.architecture.facts(settings)
            assert facts.keys() >= FACTS
            assert json.loads(json.dumps(facts)) == facts
            assert self.architecture.facts(facts["settings"]) == facts
            parameters = sum(tensor.numel() for tensor in self.build(settings).parameters())
            assert facts["parameters"] == parameters

    def test_logits_have_the_shape_of_the_input(self) -> None:
        """For every shape of whole cells of the grid, square or not."""
        for settings in self.examples:
            facts = self.architecture.facts(settings)
            dims, grid = facts["dims"], facts["grid"]
            for cells in ([2] * dims, [3, 2, 4][:dims]):
                shape = [grid * n for n in cells]
                found = self.logits(settings, shape)
                assert tuple(found.shape) == (1, facts["out_channels"], *shape)
                assert torch.isfinite(found).all()

    def test_a_tile_with_its_halo_is_a_part_of_the_whole(self) -> None:
        """Away from the edges, logits of a cell depend on nothing beyond the halo."""
        for settings in self.examples:
            facts = self.architecture.facts(settings)
            grid, halo, dims = facts["grid"], facts["halo"], facts["dims"]
            if halo is None:
                continue
            assert halo % grid == 0, "tiles begin on the grid: a halo is a whole number of cells"
            start, stop = halo + grid, halo + 2 * grid
            network = self.build(settings)
            shape = [stop + halo + grid] + [2 * grid] * (dims - 1)
            noise = torch.randn(
                1, facts["in_channels"], *shape, generator=torch.Generator().manual_seed(2)
            )
            with torch.inference_mode():
                whole = network(noise)[:, :, start:stop]
                tile = network(noise[:, :, start - halo : stop + halo])[:, :, halo : halo + grid]
            assert float((whole - tile).abs().max()) <= self.tolerance

    def test_it_can_be_built_without_numbers(self) -> None:
        """Weights are compared with an empty network first: a card may ask for a huge one."""
        for settings in self.examples:
            with torch.device("meta"):
                empty = self.architecture.build(settings)
            kept = self.build(settings).state_dict()
            assert all(tensor.is_meta for tensor in empty.parameters())
            assert {n: t.shape for n, t in empty.state_dict().items()} == {
                name: tensor.shape for name, tensor in kept.items()
            }

    def test_it_learns(self) -> None:
        """Ten steps towards a fixed target lower the loss."""
        for settings in self.examples:
            facts, network = self.architecture.facts(settings), self.build(settings).train()
            dice = torch.Generator().manual_seed(3)
            shape = [2 * facts["grid"]] * facts["dims"]
            noise = torch.randn(2, facts["in_channels"], *shape, generator=dice)
            target = torch.rand(2, facts["out_channels"], *shape, generator=dice).round()
            steps = torch.optim.Adam(network.parameters(), lr=1e-2)
            losses = []
            for _ in range(11):
                logits = network(noise)
                loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
                steps.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                steps.step()
                losses.append(float(loss.detach()))
            assert losses[-1] < losses[0]

    def test_it_knows_its_own_tensors(self) -> None:
        """From names and shapes alone come settings that build the same tensors."""
        for settings in self.examples:
            state = self.build(settings).state_dict()
            shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
            found = self.architecture.recognise(shapes)
            assert found is not None
            again = self.architecture.build(found).state_dict()
            assert {name: tuple(t.shape) for name, t in again.items()} == shapes

    def test_it_does_not_claim_other_tensors(self) -> None:
        """Nothing, something else, one tensor more or of another shape is another network."""
        for settings in self.examples:
            state = self.build(settings).state_dict()
            shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
            first = next(name for name in shapes if shapes[name])
            others: list[dict[str, tuple[int, ...]]] = [
                {},
                {"fc.weight": (10, 10)},
                {**shapes, "one.more": (3,)},
                {**shapes, first: (*shapes[first], 2)},
            ]
            for other in others:
                assert self.architecture.recognise(other) is None

    def test_the_nearest_network_of_its_own_tensors_is_itself(self) -> None:
        """It is what a message compares a foreign file with."""
        for settings in self.examples:
            state = self.build(settings).state_dict()
            shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
            assert dict(self.architecture.nearest(shapes)) == learnt(shapes)

    def test_unknown_settings_are_refused(self) -> None:
        """A misspelt setting is a sentence, not a default."""
        for settings in self.examples:
            with pytest.raises(DefectSegError):
                self.architecture.build({**settings, "no such setting": 1})
            with pytest.raises(DefectSegError):
                self.architecture.facts({**settings, "no such setting": 1})

    def test_the_same_seed_gives_the_same_numbers(self) -> None:
        """Nothing random is left in evaluation mode."""
        for settings in self.examples:
            facts = self.architecture.facts(settings)
            shape = [2 * facts["grid"]] * facts["dims"]
            assert torch.equal(self.logits(settings, shape), self.logits(settings, shape))
