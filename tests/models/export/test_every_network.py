"""Every network that is built in is exported to every kind, and comes back the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.models import test_monai, test_nnunet, test_plain_networks, test_smp, test_transformers
from tests.models.export.there_and_back import ROUND_TRIP, differs, model_of
from tests.testing import test_architectures

from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.export.model import EXPORTS
from napari_defectseg.models.installed import InstalledKind
from napari_defectseg.testing import ArchitectureContract

HOMES = (test_architectures, test_monai, test_nnunet, test_plain_networks, test_smp,
         test_transformers)  # fmt: skip
"""Where the contract of each network names settings of small ones."""
TRACED = ("onnx", "bioimageio")


def _cases() -> Iterator[Any]:
    names = {id(kind): name for name, kind in ARCHITECTURES.items()}
    for home in HOMES:
        for item in vars(home).values():
            contract = isinstance(item, type) and issubclass(item, ArchitectureContract)
            if contract and item is not ArchitectureContract:
                name = names[id(item.architecture)]
                for number, settings in enumerate(item.examples):
                    yield pytest.param(name, settings, id=f"{name}-{number}")


CASES = list(_cases())
FIRST = [case for case in CASES if case.id.endswith("-0")]


@pytest.mark.parametrize(("architecture", "settings"), CASES)
def test_weights_and_card_bring_every_network_back(
    architecture: str, settings: Mapping[str, Any], tmp_path: Path
) -> None:
    assert differs(model_of(architecture, settings), "safetensors", tmp_path) == 0.0


@pytest.mark.long
@pytest.mark.parametrize("to", TRACED)
@pytest.mark.parametrize(("architecture", "settings"), FIRST)
def test_graphs_of_every_network_give_its_probabilities(
    architecture: str, settings: Mapping[str, Any], to: str, tmp_path: Path
) -> None:
    """Within 1e-5, opened by onnxruntime, at another size where the size is free."""
    pytest.importorskip("onnxscript")
    assert differs(model_of(architecture, settings), to, tmp_path) < ROUND_TRIP


def test_no_network_and_no_kind_is_left_out() -> None:
    own = {name for name, kind in ARCHITECTURES.items() if not isinstance(kind, InstalledKind)}
    assert {case.id.rpartition("-")[0] for case in CASES} == own
    assert set(EXPORTS.names()) == {"safetensors", *TRACED}
