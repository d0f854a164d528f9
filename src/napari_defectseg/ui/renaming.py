"""Other names, colours and patterns for classes: all that was made with them follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.classes import ClassMap

if TYPE_CHECKING:
    from napari_defectseg.inference.prediction import Prediction
    from napari_defectseg.labels.decode import DecodeSettings
    from napari_defectseg.measurement.table import RegionTable
    from napari_defectseg.ui.session import Session


def rename_classes(session: Session, old: ClassMap, new: ClassMap) -> None:
    """Give everything of a session that has the classes `old` the classes `new`.

    Objects, edits and their history stay as they are: they know classes by value.

    Parameters
    ----------
    session : Session
    old, new : ClassMap
        Of the same values in the same order.
    """
    names = dict(zip(old.names, new.names, strict=True))
    for values in session.works():
        prediction, labels = values.get("prediction"), values.get("labels")
        decode, table = values.get("decode"), values.get("table")
        if prediction is not None and prediction.classes == old:
            values["prediction"] = _prediction(prediction, new, names)
            if decode is not None:
                values["decode"] = _decode(decode, names)
        if labels is not None and labels.classes == old:
            labels.classes = new
        if table is not None and table.classes == old:
            values["table"] = _table(table, new, names)
    for field in ("decode", "prediction", "labels"):
        getattr(session.events, field).emit(getattr(session, field))


def _prediction(prediction: Prediction, new: ClassMap, names: Mapping[str, str]) -> Prediction:
    thresholds = {names[name]: value for name, value in prediction.thresholds.items()}
    return replace(prediction, classes=new, thresholds=thresholds)


def _decode(decode: DecodeSettings, names: Mapping[str, str]) -> DecodeSettings:
    thresholds = {names.get(name, name): value for name, value in decode.thresholds.items()}
    return replace(decode, thresholds=thresholds)


def _table(table: RegionTable, new: ClassMap, names: Mapping[str, str]) -> RegionTable:
    columns: dict[str, Any] = dict(table.columns)
    if "class" in columns:
        values = [names.get(str(value), str(value)) for value in columns["class"].values]
        columns["class"] = replace(columns["class"], values=np.array(values, str))
    return replace(table, columns=columns, classes=new)
