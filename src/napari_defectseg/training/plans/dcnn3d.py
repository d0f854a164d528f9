"""The 3D-DCNN (Gaudez et al. 2022): precipitates and pores in tomograms, voxel by voxel."""

from __future__ import annotations

from napari_defectseg.training.plan import TrainingPlan

WIDTHS = (8, 16, 32, 64)
REDUCED = (4, 8, 16, 32)
SIDE = 192
"""Voxels along y and x of a sub-volume; a volume gives 5 × 5 of them."""


def plan(variant: str = "as-published", *, reduced: bool = False) -> TrainingPlan:
    """Return the plan.

    Binary cross-entropy, Adam at 0.005, 200 rounds of 13 steps, 2 sub-volumes a step from the
    5 × 5 that a volume is divided into along y and x, each z-scored on its own. The network
    learns the probability that a voxel is *not* the class (its label is 0).

    Parameters
    ----------
    variant : str
        ``"as-published"``: every sub-volume is turned by 90° in its plane, always the same way,
        which is what the authors' first rotation does. ``"as-meant"``: by a random quarter turn.
    reduced : bool
        Half the widths, sub-volumes of 32 voxels.
    """
    # One fixed turn of every sub-volume is only another orientation of the data: nothing is
    # turned then, and the weights stand for the usual orientation.
    turns = () if variant == "as-published" else ("rot90_yx",)
    return TrainingPlan(
        name="dcnn3d",
        dims=3,
        network="dcnn3d",
        variant=variant,
        widths=REDUCED if reduced else WIDTHS,
        patch=(32, 32, 32) if reduced else (128, SIDE, SIDE),
        batch=2,
        epochs=200,
        steps_per_epoch=13,
        learning_rate=0.005,
        weight_decay=0.0,
        dice_weight=0.0,
        foreground_share=0.0,
        symmetries=turns,
        zoom=0.0,
        gain=0.0,
        offset=0.0,
        gamma=0.0,
        noise=0.0,
        blur=0.0,
        patience=200,
        loss="bce",
        optimiser="adam",
        schedule="constant",
        scaling="patch",
        lattice=5,
        outputs="one",
        inverted=True,
        clip=0.0,
    )
