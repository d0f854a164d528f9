"""`FormatContract`: what a format of models must do."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_defectseg.core.errors import DefectSegError, ModelError
from napari_defectseg.models.arraymodel import ArrayModel, OpenedModel
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import Match
from napari_defectseg.models.model import TorchModel
from napari_defectseg.testing.files import check_sentence, damaged, strangers


class FormatContract:
    """Inherit it, name the `format`, and write a model in it.

    Attributes
    ----------
    format : module or object
        As the entry point in the group ``napari_defectseg.formats`` names it.
    """

    format: Any

    def write(self, folder: Path) -> Path:
        """Write a small model and return its path."""
        raise NotImplementedError

    def card(self) -> ModelCard | None:
        """Return the card that stands beside the model; None: it has its own, or is guessed."""
        return None

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Return the model of `write`, in a folder of its own."""
        folder = tmp_path / "sample"
        folder.mkdir()
        return self.write(folder)

    def open(self, path: Path) -> OpenedModel:
        """Open a model through the format."""
        model = self.format.open(path, self.card())
        assert isinstance(model, TorchModel | ArrayModel)
        return model

    def test_its_own_file_is_recognised(self, path: Path) -> None:
        """The format says that it fits."""
        match = self.format.recognise(path)
        assert isinstance(match, Match)
        assert match.fits

    def test_strangers_are_refused_with_a_reason(self, tmp_path: Path) -> None:
        """Half a sentence that says what was seen: users read all reasons together."""
        for path in strangers(tmp_path):
            match = self.format.recognise(path)
            assert not match.fits, path.name
            assert match.reason
            assert not match.reason.endswith("."), "half a sentence, others stand beside it"

    def test_the_card_says_what_the_network_is(self, path: Path) -> None:
        """Channels, dimensions and parameters of the card are those of the network."""
        model = self.open(path)
        card = model.card
        assert isinstance(card, ModelCard)
        if isinstance(model, TorchModel):
            assert card.parameters == sum(p.numel() for p in model.network().parameters())
        result = self.predict(model)
        model.close()
        assert result.shape[:2] == (1, card.out_channels)
        assert result.ndim == 2 + card.dims
        assert np.isfinite(result).all()

    def test_the_network_is_ready_and_kept(self, path: Path) -> None:
        """In evaluation mode, built once; after `close` it is built again, the same."""
        model = self.open(path)
        if isinstance(model, TorchModel):
            network = model.network()
            assert not network.training
            assert model.network() is network
        before = self.predict(model)
        model.close()
        np.testing.assert_array_equal(self.predict(model), before)
        model.close()
        again = self.open(path)
        np.testing.assert_array_equal(self.predict(again), before)
        again.close()

    def test_the_model_knows_where_it_came_from(self, path: Path) -> None:
        """Path, format, files, and a hash that is the same each time."""
        model = self.open(path)
        assert Path(model.path) == path
        assert model.format
        assert model.files
        assert len(model.sha256) == 64
        assert self.open(path).sha256 == model.sha256

    def test_every_field_says_how_it_is_known(self, path: Path) -> None:
        """File, card, guess or the person; what is missing is a field, and none is twice."""
        card = self.open(path).card
        fields = set(ModelCard.model_fields) - {"sources", "missing"}
        assert fields <= set(card.sources)
        assert set(card.missing) <= fields
        assert len(set(card.missing)) == len(card.missing)

    def test_a_card_beside_the_model_is_used(self, path: Path) -> None:
        """What a person says about a model counts more than a guess."""
        card = self.open(path).card.replaced(name="renamed")
        assert self.format.open(path, card).card == card

    def test_damaged_models_are_opened_or_refused_in_a_sentence(
        self, path: Path, tmp_path: Path
    ) -> None:
        """Cut off or overwritten: a model, or a `ModelError`; never anything else."""
        for broken in damaged(path, tmp_path):
            if not self.format.recognise(broken).fits:
                continue
            try:
                model = self.format.open(broken, self.card())
                if isinstance(model, TorchModel):
                    model.network()
            except DefectSegError as error:
                check_sentence(error, ModelError)

    @staticmethod
    def predict(model: OpenedModel) -> np.ndarray[Any, Any]:
        """Return the logits of a ramp on the smallest grid that has several cells."""
        import torch

        card = model.card
        shape = (card.in_channels, *(card.tile or (4 * card.grid,) * card.dims))
        ramp = torch.linspace(-1, 1, math.prod(shape)).reshape(shape)
        if isinstance(model, ArrayModel):
            return model.start(1).run(ramp.numpy())[None]
        with torch.inference_mode():
            logits = model.network()(ramp[None])
        array: np.ndarray[Any, Any] = logits.numpy()
        return array
