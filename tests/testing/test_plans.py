"""Our own training plans keep the contract that strangers' plans must keep."""

from __future__ import annotations

import pytest

from napari_defectseg.testing import TrainingPlanContract
from napari_defectseg.training.plan import PLANS


@pytest.mark.parametrize("name", PLANS.names())
class TestOurs(TrainingPlanContract):
    @pytest.fixture(autouse=True)
    def _choose(self, name, monkeypatch):
        monkeypatch.setattr(TestOurs, "plan", staticmethod(PLANS.get(name)), raising=False)

    def test_its_name_is_that_of_its_entry(self, name):
        assert PLANS.get(name)().name == name
