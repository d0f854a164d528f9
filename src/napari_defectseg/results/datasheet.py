"""The datasheet of a dataset: one page that tells a successor what it is and what to beware of."""

from __future__ import annotations

import base64
import html
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from napari_defectseg.core.atomic import refuse_existing, write_text
from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.core.provenance import now
from napari_defectseg.datasets.check import Report
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.datasets.info import DatasetInfo
from napari_defectseg.datasets.pair import Pair
from napari_defectseg.results.overlay import overlay

PICTURES = 12
"""So many pairs are shown, evenly spread."""
EDGE = 240
"""Pixels along the longer side of a picture on the page."""
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;"
    "vertical-align:top}figure{display:inline-block;margin:.4rem;font-size:.8rem}"
    "img{max-width:240px;display:block}.swatch{display:inline-block;width:.8em;height:.8em;"
    "margin-right:.4em}"
)


def datasheet_steps(
    dataset: Dataset, out: str | Path, report: Report | None = None, *, overwrite: bool = False
) -> Steps[Path]:
    """Write the page, one HTML file with everything in it.

    Parameters
    ----------
    dataset : Dataset
    out : path
        The HTML file.
    report : Report, optional
        What a check found; without it the page says that nobody checked.
    overwrite : bool
        Whether a page that is there may be replaced.

    Raises
    ------
    AlreadyExists
        If the file exists and may not be replaced.
    """
    out = Path(out)
    refuse_existing(out, overwrite)
    pairs = dataset.pairs()
    figures = []
    shown = pairs[:: max(1, -(-len(pairs) // PICTURES))]
    for number, pair in enumerate(shown):
        yield Step(number, len(shown), "drawing the datasheet")
        figures.append(_figure(pair))
    title = html.escape(dataset.name)
    body = "".join(
        [
            f"<h1>{title}</h1>",
            _about(dataset, dataset.info()),
            _classes(dataset, dataset.info()),
            _sets(pairs),
            _origins(pairs),
            _findings(report),
            "<h2>Pictures</h2>",
            *figures,
            f"<p>Written {html.escape(now())}.</p>",
        ]
    )
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style><body>{body}</body></html>\n"
    )
    write_text(out, page, overwrite=overwrite)
    return out


def datasheet(
    dataset: Dataset, out: str | Path, report: Report | None = None, *, overwrite: bool = False
) -> Path:
    """Write the page; see `datasheet_steps`."""
    return drive(datasheet_steps(dataset, out, report, overwrite=overwrite))


def _table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    first = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    lines = [f"<tr>{first}</tr>"] if head else []
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def _about(dataset: Dataset, info: DatasetInfo) -> str:
    sizes = Counter(pair.calibration.describe() for pair in dataset.pairs())
    told = [
        ("images", str(info.pairs) + (f", {info.excluded} left out" if info.excluded else "")),
        ("specimens", str(len(info.specimens))),
        ("pixel size", ", ".join(f"{size} ({n})" for size, n in sizes.most_common())),
        ("unlabelled", f"{info.unlabelled:.1%} of all pixels; they count neither way"),
        ("licence", dataset.card.licence or "not stated"),
        ("how it was made", dataset.card.made_by or "not stated"),
        ("created", dataset.card.created or "not known"),
    ]
    return _table((name, html.escape(value)) for name, value in told)


def _classes(dataset: Dataset, info: DatasetInfo) -> str:
    rows = []
    for item in dataset.classes:
        count = info.classes[item.name]
        swatch = f'<span class="swatch" style="background:{html.escape(item.colour)}"></span>'
        rows.append(
            (
                swatch + html.escape(item.name),
                str(item.value),
                f"{count.share:.3%}",
                str(count.pairs),
                str(count.specimens),
            )
        )
    kind = "exclude each other" if dataset.classes.exclusive else "may overlap"
    head = ("class", "value", "of what is labelled", "images", "specimens")
    return f"<h2>Classes</h2><p>They {kind}.</p>{_table(rows, head)}"


def _sets(pairs: Sequence[Pair]) -> str:
    rows = []
    for name in ("train", "validation", "test", "unused", None):
        members = [pair for pair in pairs if pair.split == name]
        if members:
            specimens = sorted({pair.specimen for pair in members})
            told = html.escape(", ".join(specimens[:20])) + (" …" if len(specimens) > 20 else "")
            rows.append((name or "not split", str(len(members)), told))
    return f"<h2>Sets</h2>{_table(rows, ('set', 'images', 'specimens'))}"


def _origins(pairs: Sequence[Pair]) -> str:
    people = Counter(pair.origin.who or "not known" for pair in pairs)
    models = Counter(pair.origin.model for pair in pairs if pair.origin.model)
    corrected = sum(pair.event.what == "corrected" for pair in pairs)
    rows = [
        ("labelled by", html.escape(", ".join(f"{who} ({n})" for who, n in people.most_common()))),
        ("corrected afterwards", str(corrected)),
        ("began as predictions of", html.escape(", ".join(models) or "no model")),
    ]
    return f"<h2>Where the labels come from</h2>{_table(rows)}"


def _findings(report: Report | None) -> str:
    if report is None:
        return "<h2>What to beware of</h2><p>Nobody has checked this dataset yet.</p>"
    if not report.findings:
        return "<h2>What to beware of</h2><p>A check found nothing.</p>"
    lines = "".join(
        f"<li><b>{each.severity}</b>: {html.escape(each.sentence)}</li>" for each in report.findings
    )
    return f"<h2>What to beware of</h2><ul>{lines}</ul>"


def _figure(pair: Pair) -> str:
    from PIL import Image

    words = html.escape(f"{pair.id} · {pair.specimen}" + (f" · {pair.split}" if pair.split else ""))
    try:
        picture = Image.fromarray(overlay(pair.image(), pair.mask(), pair.classes))
    except DefectSegError as error:
        return f"<figure>{words}: {html.escape(error.sentence)}</figure>"
    picture.thumbnail((EDGE, EDGE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<figure><img alt="{words}" src="data:image/png;base64,{data}">{words}</figure>'
