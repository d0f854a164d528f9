"""Labels to draw in, where there is no prediction yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.labels.labelmap import LabelMap

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.ui.session import Session


def empty_labels(session: Session, image: CalibratedImage, names: list[str]) -> LabelMap:
    """Return labels without objects, of the classes that were named.

    Raises
    ------
    ClassError
        If a name is empty or there twice.
    """
    classes = named_classes(session, names)
    return LabelMap.empty(image.label_shape, classes, image.label_axes, image.calibration)


def named_classes(session: Session, names: list[str]) -> ClassMap:
    """Return known classes of these names, with their colours, or new ones."""
    model, dataset = session.model, session.dataset
    for known in (model.card if model is not None else None, dataset):
        if known is not None and list(known.classes.names) == names:
            return known.classes
    return ClassMap.of(names)
