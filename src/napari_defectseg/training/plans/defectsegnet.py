"""DefectSegNet (Roberts et al. 2019): one defect against all else, from a few large micrographs."""

from __future__ import annotations

from napari_defectseg.training.plan import TrainingPlan

WIDTHS = (4, 16, 32, 64)
REDUCED = (2, 8, 16, 32)
DEFECT_WEIGHT = 8.0
"""The authors' ``weight`` for a defect's pixels, which their loss builds and never uses."""


def plan(variant: str = "as-meant", *, reduced: bool = False) -> TrainingPlan:
    """Return the plan.

    Adam at 0.00145 and 8 segments of 512 px a step, one step a round, 100 rounds; after 10
    rounds without a better one back to the best weights and the rate × 0.273, five times.
    Quarter turns and mirroring give each training region of 1024 px eightfold, and each holds
    2 × 2 segments; ``defectseg dataset split --by quarters`` makes the five regions.

    Parameters
    ----------
    variant : str
        ``"as-published"``: the loss counts pixels of defects only, batch normalisation measures
        each image, the output is stretched from its least to its greatest value.
        ``"as-meant"``: every pixel counts, defects 8 times (the weight that the authors built),
        moving averages that settle, an output that is a probability.
    reduced : bool
        Half the widths, segments of 128 px.
    """
    published = variant == "as-published"
    return TrainingPlan(
        name="defectsegnet",
        network="defectsegnet",
        variant=variant,
        widths=REDUCED if reduced else WIDTHS,
        patch=(128, 128) if reduced else (512, 512),
        batch=8,
        epochs=100,
        steps_per_epoch=1,
        learning_rate=0.00145,
        weight_decay=0.0,
        dice_weight=0.0,
        foreground_share=0.0,
        symmetries=("flip_x", "rot90_yx"),
        zoom=0.0,
        gain=0.0,
        offset=0.0,
        gamma=0.0,
        noise=0.0,
        blur=0.0,
        patience=10,
        loss="defectsegnet",
        optimiser="adam",
        schedule="plateau",
        factor=0.273,
        plateaus=5,
        scaling="authors",
        lattice=2,
        outputs="one",
        batch_statistics=published,
        momentum=0.001 if published else 0.1,
        clip=0.0,
    )
