"""Keyholes, surfaces, drift and tracks of movies against exact truth, and on real radiographs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.measurement.movies.keyholes import measure_keyholes
from napari_defectseg.measurement.movies.movie import MovieStatistics, measure_movie
from napari_defectseg.measurement.movies.settings import MovieSettings
from napari_defectseg.measurement.movies.summary import series_mean, summary_of_movie
from napari_defectseg.measurement.movies.surface import SubstrateLine, surface_of_picture
from napari_defectseg.measurement.regions import measure_regions, take_in
from napari_defectseg.phantoms.make import phantom
from napari_defectseg.phantoms.phantom import Phantom

CLASSES = ClassMap.of(["keyhole", "pore"])
BOTH = MovieSettings(keyhole="keyhole", pores=("pore",))


def statistics(
    mask: np.ndarray,
    image: CalibratedImage | None,
    settings: MovieSettings = BOTH,
    classes: ClassMap = CLASSES,
    **sizes: object,
) -> MovieStatistics:
    source = take_in(mask, image, classes=classes, **sizes)  # type: ignore[arg-type]
    table = measure_regions(mask, image=image, classes=classes, **sizes)  # type: ignore[arg-type]
    return measure_movie(source, table, settings, image)


def made(seed: int, **settings: object) -> Phantom:
    return phantom("movie", seed=seed, shape=(20, 160, 400), above="dark", **settings)


@pytest.fixture(scope="module", params=[0, 2, 3])
def true_movie(request: pytest.FixtureRequest) -> tuple[Phantom, MovieStatistics]:
    picture = made(request.param)
    return picture, statistics(picture.mask, picture.image)


def test_depth_width_and_front_wall_are_those_of_the_phantom(true_movie) -> None:
    picture, movie = true_movie
    pixel = picture.image.calibration.steps[0]
    depth = movie.frames["keyhole_depth"]
    truth = picture.facts["keyhole_depth"]
    assert np.array_equal(np.isfinite(depth), np.isfinite(truth))
    assert np.array_equal(movie.frames["keyhole_present"], np.isfinite(truth))
    assert np.nanmax(np.abs(depth - truth)) < 2 * pixel
    rows = picture.rows("keyhole")
    for column, limit in (
        ("width_at_half_depth", 1.5 * pixel),
        ("front_wall_angle", 1.0),
    ):
        name = column if column == "front_wall_angle" else f"keyhole_{column}"
        found = movie.frames[name][rows["frame"]]
        assert np.sqrt(np.nanmean((found - rows[column]) ** 2)) < limit, column


def test_the_surface_is_found_in_the_grey_values(true_movie) -> None:
    picture, movie = true_movie
    assert movie.line is not None
    assert movie.line.source.startswith("edge of grey values")
    truth = picture.facts["surface"] / picture.image.calibration.steps[0]
    assert np.abs(movie.line.row([0, 399]) - truth).max() < 1.5


def test_the_laser_has_its_speed_in_metres_a_second(true_movie) -> None:
    picture, movie = true_movie
    assert movie.laser.unit == "m/s"
    assert abs(movie.laser.value) == pytest.approx(picture.facts["laser_speed_m_per_s"], rel=0.1)
    assert movie.laser.low < movie.laser.value < movie.laser.high
    way = {1: "left to right", -1: "right to left"}[movie.ahead]
    assert way == picture.image.acquisition.scan_direction


def test_every_track_is_one_pore_of_the_truth() -> None:
    picture = made(4, pore_rate=0.4, before=(1, 1))
    objects = {
        int(n): int(picture.mask[picture.instances == n][0])
        for n in np.unique(picture.instances)
        if n
    }
    source = take_in(picture.instances, picture.image, classes=CLASSES, object_classes=objects)
    table = measure_regions(
        picture.instances, image=picture.image, classes=CLASSES, object_classes=objects
    )
    movie = measure_movie(source, table, BOTH, picture.image)
    assert movie.tracks is not None
    labels = table["label"][movie.tracks.rows]
    pure = [
        np.unique(labels[movie.tracks.track == track]).size == 1
        for track in movie.tracks.table["track"]
    ]
    assert len(pure) >= 6
    assert np.mean(pure) > 0.9
    whole = [
        np.unique(movie.tracks.track[labels == label]).size == 1 for label in np.unique(labels)
    ]
    assert np.mean(whole) > 0.85
    assert movie.with_tracks(table)["track"][movie.tracks.rows].tolist() == (
        movie.tracks.track.tolist()
    )


def discs(path: list[dict[int, tuple[float, float]]], shape=(60, 100), radius=4) -> np.ndarray:
    """Return masks of pores (value 2) at places, frame by frame."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    frames = []
    for places in path:
        mask = np.zeros(shape, np.uint8)
        for cy, cx in places.values():
            mask[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = 2
        frames.append(mask)
    return np.stack(frames)


def test_births_ends_gaps_and_velocities_are_counted() -> None:
    path: list[dict[int, tuple[float, float]]] = []
    for frame in range(8):
        places = {1: (20.0, 20.0 + 2 * frame)}
        if 2 <= frame <= 5 and frame != 4:  # born in sight, lost once, gone in sight
            places[2] = (45.0 - frame, 70.0)
        path.append(places)
    calibration = Calibration.of((2.0, 2.0), "µm").with_frame_time(10.0, "µs")
    image = CalibratedImage(discs(path).astype(np.float32), ("t", "y", "x"), calibration)
    movie = statistics(discs(path), image, MovieSettings(pores=("pore",)))
    tracks = movie.tracks
    assert tracks is not None
    assert len(tracks.table) == 2
    assert tracks.births.tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert tracks.ends.tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    assert tracks.lost == 1
    velocity = tracks.table.column("velocity-1")
    assert velocity.unit == "m/s"
    # 2 px of 2 µm in 10 µs.
    assert velocity.values[0] == pytest.approx(0.4, abs=1e-6)
    assert tracks.table["velocity-0"][1] == pytest.approx(-0.2, abs=1e-6)
    assert movie.frames["pore_count"].tolist() == [1, 1, 2, 2, 1, 2, 1, 1]
    assert movie.frames.column("time").unit == "µs"
    assert np.isnan(tracks.table["velocity_to_laser"]).all()


def test_pores_that_touch_the_edge_are_neither_born_nor_ended() -> None:
    path = [{1: (30.0, 98.0 - 3 * frame)} if frame else {} for frame in range(6)]
    movie = statistics(discs(path), None, MovieSettings(pores=("pore",), reach=10), spacing=(1, 1),
                       unit="µm")  # fmt: skip
    assert movie.tracks is not None
    assert movie.tracks.births.sum() == 0
    assert movie.clock.speed_unit == "µm/frame"
    assert any("in frames" in note for note in movie.notes)


def test_without_a_keyhole_depths_are_undefined_and_said() -> None:
    movie = statistics(np.zeros((4, 20, 30), np.uint8), None, spacing=(1.0, 1.0), unit="µm")
    assert not movie.frames["keyhole_present"].any()
    assert np.isnan(movie.frames["keyhole_depth"]).all()
    assert np.isnan(movie.frames["melt_pool_depth"]).all()
    assert any("undisturbed surface" in note for note in movie.notes)
    assert any("melt pool" in note for note in movie.notes)
    plain = summary_of_movie(movie)
    assert plain["means"]["keyhole_depth"]["value"] is None
    assert plain["laser_velocity"]["reason"]


def test_rectangle_keyhole_has_its_exact_sizes() -> None:
    """A box 30 rows deep and 12 columns wide under a given surface."""
    holes = np.zeros((1, 60, 50), bool)
    holes[0, 20:50, 10:22] = True
    found = measure_keyholes(holes, SubstrateLine(19.5), (2.0, 3.0), ahead=1)
    assert found.depth[0] == found.rim_depth[0] == 60
    assert found.width_at_surface[0] == found.width_at_half_depth[0] == 36
    assert found.area[0] == 30 * 12 * 6
    assert found.front_wall_angle[0] == pytest.approx(90)
    assert found.aspect[0] == pytest.approx(60 / 36)
    assert found.front[0] == pytest.approx(21.5 * 3)


def test_depth_counts_from_the_surface_and_not_from_a_raised_rim() -> None:
    holes = np.zeros((1, 60, 50), bool)
    holes[0, 14:50, 10:22] = True
    found = measure_keyholes(holes, SubstrateLine(19.5), (1.0, 1.0), ahead=-1)
    assert found.depth[0] == 30
    assert found.rim_depth[0] == 36
    assert found.area[0] == 30 * 12


def test_a_closed_keyhole_has_no_width_at_the_surface() -> None:
    holes = np.zeros((1, 60, 50), bool)
    holes[0, 35:50, 10:22] = True
    found = measure_keyholes(holes, SubstrateLine(19.5), (1.0, 1.0), ahead=1)
    assert found.depth[0] == 30
    assert np.isnan(found.width_at_surface[0])


def test_a_tilted_surface_is_found_under_noise() -> None:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:80, :300]
    grey = np.where(y > 30.3 + 0.02 * x, 600.0, 1000.0)
    frames = ndimage.gaussian_filter(grey, 1.2)[None] + rng.normal(0, 60, (6, 80, 300))
    holes = np.zeros(frames.shape, bool)
    holes[:, 33:60, 140:160] = True
    line = surface_of_picture(lambda k: frames[k], holes, SubstrateLine(33.0))
    assert line is not None
    assert line.slope == pytest.approx(0.02, abs=0.002)
    # The step lies between the last pixel that is not below and the first one that is.
    assert line.row(0.0) == pytest.approx(30.3, abs=0.6)


def test_the_pictures_own_drift_is_found_and_taken_out() -> None:
    picture = made(5, pore_rate=0.0, old_pores=(4, 4), texture=(0.2, 0.2), photons=(4e5, 4e5))
    frames = picture.image.read().astype(np.float64)
    shifts = np.stack([np.linspace(0, 6, 20), np.linspace(0, -9, 20)], axis=1)
    moved = np.stack(
        [ndimage.shift(f, s, order=1, mode="nearest") for f, s in zip(frames, shifts, strict=True)]
    )
    masks = np.stack([
        ndimage.shift(m, np.rint(s), order=0)
        for m, s in zip(picture.mask, shifts, strict=True)
    ])  # fmt: skip
    image = replace(picture.image, data=moved)
    plain = statistics(masks, image)
    steady = statistics(masks, image, replace(BOTH, drift=True))
    found = np.stack([steady.frames["drift-0"], steady.frames["drift-1"]], axis=1)
    assert np.abs(found - shifts).max() < 0.35
    assert np.nanmedian(steady.tracks.table["speed"]) < 0.25 * np.nanmedian(
        plain.tracks.table["speed"]
    )


def test_movies_of_volumes_and_strange_classes_are_refused_in_words() -> None:
    stack = np.zeros((3, 4, 5), np.uint8)
    with pytest.raises(MeasurementError, match="t, y, x"):
        statistics(stack, None, spacing=(1.0, 1.0, 1.0), unit="nm")
    with pytest.raises(MeasurementError, match="no class 'pool'"):
        statistics(stack, None, MovieSettings(melt_pool="pool"), spacing=(1.0, 1.0), unit="nm")
    with pytest.raises(MeasurementError, match="scan direction"):
        MovieSettings(scan_direction="upwards")


def test_a_melt_pool_is_measured_with_the_keyhole_in_it() -> None:
    mask = np.zeros((5, 50, 90), np.uint8)
    mask[1:, 10:30, 20:60] = 2
    mask[1:, 10:40, 50:55] = 1
    classes = ClassMap.of(["keyhole", "melt pool"])
    settings = MovieSettings(keyhole="keyhole", melt_pool="melt pool")
    movie = statistics(mask, None, settings, classes, spacing=(1.0, 1.0), unit="µm")
    assert np.isnan(movie.frames["melt_pool_depth"][0])
    assert movie.frames["melt_pool_depth"][1] == 30
    assert movie.frames["melt_pool_length"][1] == 40


def test_means_of_frames_know_what_correlated_frames_are_worth() -> None:
    rng = np.random.default_rng(8)
    held = []
    for _ in range(300):
        value, series = 0.0, []
        for _ in range(120):
            value = 0.8 * value + rng.standard_normal()
            series.append(value)
        mean = series_mean(series)
        held.append(mean.low <= 0 <= mean.high)
    assert np.mean(held) > 0.88


def test_real_keyhole_of_ti64_has_the_depths_of_its_masks(real_data: Path) -> None:
    folder = real_data / "xray_keyhole_ti64"
    flat = Calibration.uncalibrated(2)
    image = replace(open_image(folder / "frames.tif"), axes=("t", "y", "x"), calibration=flat)
    mask = open_image(folder / "masks.tif").read()
    movie = statistics(mask, image)
    assert movie.line is not None
    # The plate's edge in the grey values lies a little below the row at which the masks end.
    assert movie.line.row(300.0) == pytest.approx(31.7, abs=1.0)
    table = [86, 90, 88, 90, 89, 90, 85, 96, 78, 88, 92, 92, 94, 96, 87, 89, 84, 95, 88, 94]
    apart = np.array(table) - movie.frames["keyhole_depth"]
    assert np.ptp(apart) < 1.0
    assert movie.ahead == 1
    assert movie.frames.column("keyhole_depth").unit == "px"
    assert movie.laser.unit == "px/frame"
    # Two old pores at rest.
    assert len(movie.tracks.table) == 2
    assert np.nanmax(movie.tracks.table["speed"]) < 0.05


def test_pores_of_the_real_wall_are_followed_where_they_stay(real_data: Path) -> None:
    flat = Calibration.uncalibrated(2)
    image = open_image(real_data / "xray_meltpool_wall" / "frames.tif")
    image = replace(image, axes=("t", "y", "x"), calibration=flat)
    grey = image.read().astype(np.float64)
    bright = ndimage.gaussian_filter(grey, (0, 1, 1)) - ndimage.gaussian_filter(grey, (0, 7, 7))
    bright[:, :52] = 0  # air, and the edge of the wall
    mask = (bright > 4 * 1.48 * np.median(np.abs(bright[:, 52:]))).astype(np.uint8)
    classes = ClassMap.of(["pore"])
    movie = statistics(mask, image, MovieSettings(pores=("pore",), drift=True), classes)
    long = movie.tracks.table["frames"] >= 30
    assert np.count_nonzero(long) >= 5
    assert np.median(movie.tracks.table["speed"][long]) < 0.1
    assert np.abs(movie.frames["drift-0"]).max() < 3
