"""Makes the helpers of this room importable."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_models import make

from napari_defectseg.models.model import TorchModel


@pytest.fixture(scope="session")
def plane_model() -> TorchModel:
    """A small 2D network with a background and two classes."""
    return make(2)


@pytest.fixture(scope="session")
def volume_model() -> TorchModel:
    """A small 3D network with a background and two classes."""
    return make(3, (3, 4, 5))


@pytest.fixture
def published_page() -> dict[str, np.ndarray]:
    """What the page of the U-Net for powder beds computed, or a skip with a sentence."""
    from tests.models import reference

    return reference.arrays("unet_pbf/dashboard/dashboard.npz")
