"""`RuntimeContract`: what a runtime of models must do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.arraymodel import Program
from napari_defectseg.models.runtime import RUNTIMES
from napari_defectseg.models.worker.start import WorkerRunner, start_worker

NAME = "the one that is tested"
HEAVY = ("torch", "onnxruntime", "openvino", "tensorflow", "jax")
_IMPORT = """
import sys
sys.path[:0] = {places}
import {module}
print([name for name in {heavy} if name in sys.modules])
"""


@dataclass(frozen=True)
class RuntimeSample:
    """A small model and what it gives.

    Parameters
    ----------
    file : Path
    block : ndarray of float32, shape (channels, *spatial)
    wanted : ndarray, shape (outputs, *spatial)
    options : mapping
        What the runtime needs to know.
    tolerance : float
    """

    file: Path
    block: NDArray[np.float32]
    wanted: NDArray[Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = 1e-4


class RuntimeContract:
    """Inherit it, name the `target`, and write a model.

    Attributes
    ----------
    target : str
        ``"module"`` or ``"module:attribute"``, as the entry point in the group
        ``napari_defectseg.runtimes`` names it.
    """

    target: str

    def write(self, folder: Path) -> RuntimeSample:
        """Write a small model, and say what it gives."""
        raise NotImplementedError

    @pytest.fixture
    def sample(self, tmp_path: Path) -> RuntimeSample:
        """Return the sample of `write`, in a folder of its own."""
        folder = tmp_path / "sample"
        folder.mkdir()
        return self.write(folder)

    @pytest.fixture
    def named(self) -> Iterator[str]:
        """Put the runtime into the table while a test runs."""
        undo = RUNTIMES.add(NAME, self.target)
        yield NAME
        undo()

    def test_importing_it_imports_no_framework(self) -> None:
        """Its framework may start threads: it is imported by `load`, in the confined process."""
        module = self.target.partition(":")[0]
        code = _IMPORT.format(places=sys.path, module=module, heavy=HEAVY)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "[]"

    def test_it_runs_confined_and_gives_its_numbers(
        self, sample: RuntimeSample, named: str
    ) -> None:
        """In the worker process, where nothing can be written; twice the same."""
        runner = _started(sample.file, sample.options, named)
        try:
            first, second = runner.run(sample.block), runner.run(sample.block)
        finally:
            runner.close()
        np.testing.assert_allclose(first, sample.wanted, atol=sample.tolerance)
        np.testing.assert_array_equal(first, second)

    def test_a_damaged_file_is_a_sentence(self, sample: RuntimeSample, named: str) -> None:
        """Whatever the framework does with it, also a crash."""
        data = sample.file.read_bytes()
        sample.file.write_bytes(data[: len(data) // 2])
        runner = _started(sample.file, sample.options, named)
        try:
            with pytest.raises(ModelError):
                runner.run(sample.block)
        finally:
            runner.close()


def _started(file: Path, options: Mapping[str, Any], name: str) -> WorkerRunner:
    return start_worker(Program(name, file, {file.name: ""}, options), 1)
