"""Pictures of phantoms do not change by accident: models were trained on them."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from napari_defectseg.phantoms.make import phantom
from napari_defectseg.phantoms.phantom import Phantom

SHAPES = {
    "micrograph": (96, 128),
    "surface": (96, 128),
    "movie": (4, 64, 128),
    "tomogram": (16, 48, 48),
}
SIDE = 4
"""Of the blocks that grey levels are averaged over, px."""
LEVELS = {"movie": 16, "tomogram": 256}
"""What 12 and 16 bits are divided by."""
PINNED: list[tuple[str, dict[str, str], str]] = [
    ("micrograph", {}, "7003eab23a59f557"),
    ("micrograph", {"scene": "varied"}, "bf0a74caa9cc9f1c"),
    ("surface", {}, "4cc3ee3bb70ab70b"),
    ("movie", {"above": "dark"}, "557ab62deb90f507"),
    ("movie", {"above": "bright"}, "1db831c2a9f62d03"),
    ("tomogram", {}, "86f6c0af4fe38fd6"),
    ("tomogram", {"artefacts": "image"}, "6dc5e6bbb9a9ee95"),
]


def fingerprint(made: Phantom) -> str:
    """Hash of the truth and of whole grey levels averaged over blocks.

    Blocks make it proof against a last digit that another machine rounds another way, and
    still sensitive to any other draw of the noise.
    """
    grey = made.image.read() / LEVELS.get(made.kind, 1)
    rows, columns = (n // SIDE for n in grey.shape[-2:])
    blocks = grey.reshape(*grey.shape[:-2], rows, SIDE, columns, SIDE).mean((-3, -1))
    digest = hashlib.sha256(np.rint(blocks).astype(np.int16).tobytes())
    digest.update(made.mask.tobytes())
    digest.update(made.instances.astype("<i4").tobytes())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize(("kind", "settings", "expected"), PINNED)
def test_a_seed_gives_the_picture_that_it_always_gave(
    kind: str, settings: dict[str, str], expected: str
) -> None:
    made = phantom(kind, seed=11, shape=SHAPES[kind], **settings)
    assert fingerprint(made) == expected


def test_the_fingerprint_sees_another_draw_of_the_noise_alone() -> None:
    one, other = (
        phantom("micrograph", seed=11, shape=(96, 128), dose=d) for d in ((90, 90), (91, 91))
    )
    assert np.array_equal(one.mask, other.mask)
    assert fingerprint(one) != fingerprint(other)


def test_the_fingerprint_does_not_see_a_single_level() -> None:
    made = phantom("tomogram", seed=11, shape=SHAPES["tomogram"])
    before = fingerprint(made)
    made.image.data[0, 0, 0] += 1  # type: ignore[index]
    assert fingerprint(made) == before
