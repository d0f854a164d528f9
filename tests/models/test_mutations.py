"""A short part of `benchmarks/mutations.py`: damaged models end in a model or in a sentence."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
EACH = 60


@pytest.fixture
def mutations(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    return importlib.import_module("mutations")


def check(mutations: Any, parser: str, files: range, tmp_path: Path) -> Any:
    if parser == "openvino":
        pytest.importorskip("openvino", reason="its models are opened where it is installed")
    mutations.write(tmp_path / "seeds", mutations.PARSERS[parser])
    outcome = mutations.run(parser, tmp_path / "seeds", tmp_path / "work", files)
    assert outcome.sound, mutations.kinds_of(outcome.faults)
    assert sum(outcome.counts.values()) == len(files)
    return outcome


PARSERS = (
    "folder", "safetensors", "torch_zip", "torch_legacy", "inert_pickle", "program", "keras_h5",
    "keras_archive", "keras_json", "tf_checkpoint", "saved_model", "bioimageio", "onnx", "openvino",
    "nnunet", "monai", "smp", "transformers", "named",
)  # fmt: skip


LIKELIEST = ("inert_pickle", "keras_h5", "folder", "saved_model", "onnx")


@pytest.mark.parametrize("parser", LIKELIEST)
def test_some_damaged_models_of_the_likeliest_kinds(
    mutations: Any, parser: str, tmp_path: Path
) -> None:
    outcome = check(mutations, parser, range(EACH), tmp_path)
    assert outcome.counts["refused"] > EACH // 4


@pytest.mark.long
@pytest.mark.parametrize("parser", PARSERS)
def test_damaged_models_of_every_kind(mutations: Any, parser: str, tmp_path: Path) -> None:
    check(mutations, parser, range(1000, 1300), tmp_path)


def test_every_parser_of_the_benchmark_is_here(mutations: Any) -> None:
    assert set(mutations.PARSERS) == set(PARSERS)


def test_what_must_not_happen_is_seen(mutations: Any, tmp_path: Path) -> None:
    """A death, a file that takes too long, and other errors all count as faults."""
    outcome = mutations.Outcome("x")
    outcome.add(1, "opened", 0.1, 0)
    outcome.add(2, "refused", mutations.SECONDS + 1, 0)
    outcome.add(3, "refused", 0.1, mutations.MEMORY + 1)
    outcome.add(4, "FAULT: KeyError", 0.1, 0)
    assert dict(outcome.counts) == {"opened": 1, "slow": 1, "large": 1, "fault": 1}
    assert [number for number, _ in outcome.faults] == [2, 3, 4]
