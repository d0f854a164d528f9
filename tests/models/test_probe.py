"""What a program does, found on noise: sizes that it takes, how far it looks, its activation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.probe import Hint, Probed, probe


class Here:
    """A runner without a process."""

    confinement = ""

    def __init__(self, function):
        self._function = function

    def run(self, block):
        try:
            with torch.inference_mode():
                return self._function(torch.from_numpy(block)[None])[0].numpy()
        except RuntimeError as error:
            raise ModelError(str(error)) from error


def test_a_convolution_looks_as_far_as_its_filter():
    found = probe(Here(torch.nn.Conv2d(2, 5, 7, padding=3)), Hint(2, 2), "here")
    assert found == Probed(2, 2, 5, 1, 4, None, "none")  # 3, and one to be sure


def test_pooling_makes_a_grid():
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3, padding=1),
        torch.nn.MaxPool2d(4),
        torch.nn.Upsample(scale_factor=4),
    )
    found = probe(Here(net), Hint(2, 1), "here")
    assert found.grid == 4
    assert found.halo in (4, 8)


def test_statistics_of_the_image_mean_that_it_looks_at_all_of_it():
    net = torch.nn.Sequential(torch.nn.Conv3d(1, 2, 1), torch.nn.InstanceNorm3d(2))
    assert probe(Here(net), Hint(3, 1), "here").halo is None


def test_one_size_is_found_or_believed():
    def only(size):
        def run(x):
            if x.shape[2:] != size:
                raise RuntimeError(f"wants {size}")
            return torch.softmax(torch.cat([x, -x], 1), 1)

        return Here(run)

    assert probe(only((64, 64)), Hint(2, 1), "here").tile == (64, 64)
    found = probe(only((30, 50)), Hint(2, 1, (30, 50)), "here")
    assert (found.tile, found.activation) == ((30, 50), "softmax")
    with pytest.raises(ModelError, match="takes none of the sizes that were tried"):
        probe(only((31, 51)), Hint(2, 1), "here")


def test_what_is_no_picture_is_refused():
    with pytest.raises(ModelError, match="none of the sizes"):
        probe(Here(torch.nn.AvgPool2d(2)), Hint(2, 1), "here")


def test_it_is_kept_as_plain_values():
    found = Probed(2, 1, 3, 8, None, (64, 64), "sigmoid")
    assert Probed.from_dict(found.as_dict()) == found
    assert np.isscalar(found.as_dict()["grid"])
