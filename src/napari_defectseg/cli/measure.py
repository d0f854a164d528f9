"""``defectseg measure``: sizes, fractions and densities of what a mask shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_defectseg.cli import measure_options as options
from napari_defectseg.cli.options import (
    FrameTime,
    Out,
    Spacing,
    TimeUnit,
    Unit,
    foil_of,
    names,
    pixel_size,
    read_axis,
    thickness,
)
from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, Work, working
from napari_defectseg.measurement.settings import MeasureSettings

if TYPE_CHECKING:
    from pathlib import Path

    from napari_defectseg.batch.taking import MeasureJob

EXAMPLE = "Example: defectseg measure mask.tif --out result --spacing 0.5 --unit nm --classes void"


def measure(
    masks: options.Masks,
    out: Out,
    *,
    image: options.Image = None,
    spacing: Spacing = "",
    unit: Unit = "",
    frame_time: FrameTime = None,
    time_unit: TimeUnit = "",
    classes: options.Classes = "",
    connectivity: options.Connectivity = None,
    columns: options.Columns = "",
    axis: options.Axis = "",
    blur: options.Blur = 0.0,
    border: options.Border = "count",
    roi: options.Roi = None,
    exclude: options.Exclude = None,
    foil_thickness: options.FoilThickness = "",
    thickness_unit: options.ThicknessUnit = "",
    hidden_cap: options.HiddenCap = "",
    lost_zone: options.LostZone = "",
    visible: options.Visible = "",
    fit: options.Fit = "",
    detection_limit: options.DetectionLimit = 0.0,
    unfold: options.Unfold = None,
    lines: options.Lines = "",
    space: options.Space = False,
    runs: options.Runs = 499,
    structure: options.Structure = False,
    denuded_zone: options.DenudedZone = 0.0,
    largest_in: options.LargestIn = 0.0,
    correlate: options.Correlate = "",
    without: options.Without = "",
    method: options.Method = "pearson",
    keyhole: options.KeyholeClass = "",
    tracks: options.PoreClasses = "",
    melt_pool: options.MeltPool = "",
    surface: options.Surface = "",
    scan_direction: options.ScanDirection = "",
    longest_step: options.Reach = 0.0,
    lost_frames: options.LostFrames = 1,
    drift: options.Drift = False,
    lag: options.Lag = 0,
    specimen_of: options.Specimens = "",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Measure every object of masks or label images.

    Writes objects.csv, one row an object, and summary.json, with fractions and densities of
    each class. Without a pixel size all sizes are in px. What further options ask for stands
    in the block statistics of summary.json; of movies frames.csv and tracks.csv stand beside.
    """
    size = pixel_size(spacing, unit, frame_time, time_unit)
    foil = foil_of(thickness(foil_thickness, thickness_unit), hidden_cap, lost_zone, visible)
    direction, rows = read_axis(axis), options.surface_rows(surface)
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.batch.measure import specimens_of
        from napari_defectseg.batch.taking import MeasureJob
        from napari_defectseg.measurement.further import FurtherSettings
        from napari_defectseg.measurement.movies.settings import MovieSettings

        settings = MeasureSettings(
            connectivity=connectivity,
            border=border,
            columns=names(columns),
            axis=direction,
            blur=blur,
        )
        further = FurtherSettings(
            fit=names(fit),
            detection_limit=detection_limit,
            unfold=unfold or "",
            lines=names(lines),
            space=space,
            runs=runs,
            structure=structure,
            zone=denuded_zone,
            largest_in=largest_in,
            correlate=names(correlate),
            without=names(without),
            method=method,
        )
        movie = MovieSettings(
            keyhole, names(tracks), melt_pool, rows, scan_direction, longest_step, lost_frames,
            drift, lag,
        )  # fmt: skip
        job = MeasureJob(
            masks, image, names(classes), size, roi, exclude, foil, settings, further, movie,
            specimens_of(masks, specimen_of) if specimen_of else {},
        )  # fmt: skip
        _measure(work, job, out, overwrite)


def _measure(work: Work, job: MeasureJob, out: Path, overwrite: bool) -> None:
    from napari_defectseg.batch.measure import measure_steps, write_measured

    measured = work.run(measure_steps(job))
    write_measured(measured, out, overwrite=overwrite)
    movies = measured.summary.get("statistics", {}).get("movies", {})
    notes = [note for movie in movies.values() for note in movie["warnings"]]
    for warning in dict.fromkeys((*measured.summary["warnings"], *notes)):
        work.note(warning)
    count = len(measured.table)
    work.result(measured.summary, f"{count} object{'s' * (count != 1)} measured into {out}")
