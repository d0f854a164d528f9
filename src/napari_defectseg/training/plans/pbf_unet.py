"""The six-class U-Net for powder beds (k-sanika-20/Defect_Detection_in_AM, 2025)."""

from __future__ import annotations

from napari_defectseg.training.plan import TrainingPlan

WIDTHS = (64, 128, 256, 512, 1024)
REDUCED = (8, 16, 32, 64, 128)
STEPS = 157
"""Steps a round: the published number of batches of 16."""


def plan(variant: str = "as-published", *, reduced: bool = False) -> TrainingPlan:
    """Return the plan.

    Binary cross-entropy a map, Adam at 0.001, 6 rounds of batches of 16, nothing changed in
    the pictures, no schedule.

    Parameters
    ----------
    variant : str
        ``"as-published"``: whole layers are shrunk to 128 × 128 px, and judged at that size.
        ``"as-meant"``: patches of 128 × 128 px at the size at which the network is then used.
    reduced : bool
        An eighth of the widths, 64 × 64 px.
    """
    side = 64 if reduced else 128
    return TrainingPlan(
        name="pbf-unet",
        network="unet_pbf",
        variant=variant,
        widths=REDUCED if reduced else WIDTHS,
        patch=(side, side),
        batch=16,
        epochs=6,
        steps_per_epoch=STEPS,
        learning_rate=1e-3,
        weight_decay=0.0,
        dice_weight=0.0,
        foreground_share=0.0,
        symmetries=(),
        zoom=0.0,
        gain=0.0,
        offset=0.0,
        gamma=0.0,
        noise=0.0,
        blur=0.0,
        patience=6,
        loss="bce",
        optimiser="adam",
        schedule="constant",
        scaling="authors",
        whole=variant == "as-published",
        outputs="each",
        clip=0.0,
    )
