"""Labels as other programs write them become the right pixels of the right classes."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.datasets.exchange import make

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.datasets.foreign import ImportSettings
from napari_defectseg.datasets.importing import import_dataset, look


def read(source: Path, target: Path, **names: str) -> Dataset:
    return import_dataset(source, target, ImportSettings(names=names)).dataset


def test_colours_are_shown_and_named_once(tmp_path: Path) -> None:
    source, truth = tmp_path / "data", make.mask()
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    for name in ("a", "b"):
        make.write(source / "images" / f"{name}.png", make.picture())
        make.write(source / "masks" / f"{name}.png", colours[truth])
    with pytest.raises(DatasetError, match=r"#0000ff: 2\.60%; #ff0000: 2\.30%.*--name '#0000ff=…'"):
        read(source, tmp_path / "set")
    assert not (tmp_path / "set").exists()
    made = read(source, tmp_path / "set", **{"#ff0000": "void", "#0000ff": "loop"})
    assert [(c.name, c.colour) for c in made.classes] == [("loop", "#0000ff"), ("void", "#ff0000")]
    np.testing.assert_array_equal(made.pairs()[0].mask() == 2, truth == 1)
    again = read(source, tmp_path / "set")  # the dataset knows the colours now
    assert len(again.pairs()) == 4


def test_a_palette_is_numbers_with_colours(tmp_path: Path) -> None:
    source, truth = tmp_path / "data", make.mask()
    make.write(source / "JPEGImages" / "a.png", make.picture())
    picture = Image.fromarray(truth)
    picture.putpalette([0, 0, 0, 200, 10, 10, 10, 200, 10])
    (source / "SegmentationClass").mkdir()
    picture.save(source / "SegmentationClass" / "a.png")
    made = read(source, tmp_path / "set", **{"1": "void", "2": "loop"})
    np.testing.assert_array_equal(made.pairs()[0].mask(), truth)
    assert made.classes.by_name("void").colour == "#c80a0a"


def test_neu_seg_is_read_as_published(tmp_path: Path) -> None:
    """images/training with annotations/training: JPEG beside label numbers 0 … 3."""
    source = tmp_path / "NEU_Seg-main"
    truth = np.minimum(make.mask(), 3)
    for place in ("training", "test"):
        grey = np.repeat(make.picture()[..., np.newaxis], 3, axis=-1)
        make.write(source / "images" / place / f"{place}_1.jpg", grey)
        make.write(source / "annotations" / place / f"{place}_1.png", truth)
    np.save(source / "annotations" / "boundary.npy", truth)
    found = import_dataset(
        source, tmp_path / "set", ImportSettings(names={"1": "inclusion", "2": "patch"})
    )
    assert {pair.split for pair in found.dataset.pairs()} == {"train", "test"}
    assert found.dataset.pairs()[0].image().channels == 3
    np.testing.assert_array_equal(found.dataset.pairs()[0].mask(), truth)


def test_white_on_black_is_one_class_and_255_beside_numbers_is_unlabelled(tmp_path: Path) -> None:
    make.write(tmp_path / "one" / "a.png", make.picture())
    make.write(tmp_path / "one" / "a_mask.png", (make.mask() == 1).astype(np.uint8) * 255)
    made = read(tmp_path / "one", tmp_path / "set1", **{"255": "void"})
    np.testing.assert_array_equal(made.pairs()[0].mask(), make.mask() == 1)
    numbers = make.mask()
    numbers[:, :3] = 255
    make.write(tmp_path / "two" / "images" / "a.png", make.picture())
    make.write(tmp_path / "two" / "labels" / "a.png", numbers)
    made = read(tmp_path / "two", tmp_path / "set2", **{"1": "void", "2": "loop"})
    np.testing.assert_array_equal(made.pairs()[0].mask(), numbers)


def test_smeared_masks_are_refused(tmp_path: Path) -> None:
    make.write(tmp_path / "d" / "images" / "a.png", make.picture())
    make.write(tmp_path / "d" / "masks" / "a.jpg", make.picture(3))
    with pytest.raises(DatasetError, match="more than 64 colours"):
        look(tmp_path / "d")


@pytest.mark.parametrize("arrangement", ["CLASS/NAME", "NAME/CLASS", "NAME_CLASS"])
def test_one_picture_a_class(arrangement: str, tmp_path: Path) -> None:
    source, truth = tmp_path / "data", make.mask()
    for name in ("a1", "a12"):
        make.write(source / "images" / f"{name}.png", make.picture())
        for value, word in ((1, "void"), (2, "loop")):
            place = arrangement.replace("CLASS", word).replace("NAME", name)
            make.write(source / "masks" / f"{place}.png", (truth == value).astype(np.uint8) * 255)
    form, found = look(source)
    assert form == "planes"
    assert found.exclusive
    made = read(source, tmp_path / "set")
    order = {item.name: item.value for item in made.classes}
    for pair in made.pairs():
        np.testing.assert_array_equal(pair.mask() == order["void"], truth == 1)
        np.testing.assert_array_equal(pair.mask() == order["loop"], truth == 2)


def test_coco_of_others_polygons_and_both_run_lengths(tmp_path: Path) -> None:
    make.write(tmp_path / "d" / "images" / "a.png", make.picture())
    counts = [5 * 40 + 5, 10, 30, 10, 1745]
    words = {
        "images": [{"id": 7, "file_name": "C:\\scans\\a.png", "height": 40, "width": 50}],
        "categories": [{"id": 3, "name": "void"}, {"id": 9, "name": "loop"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3,
             "segmentation": [[10, 20, 20, 20, 20, 30, 10, 30]]},
            {"id": 2, "image_id": 7, "category_id": 9,
             "segmentation": {"size": [40, 50], "counts": counts}},
            {"id": 3, "image_id": 7, "category_id": 9, "iscrowd": 1,
             "segmentation": {"size": [40, 50], "counts": packed([1960, 40])}},
        ],
    }  # fmt: skip
    (tmp_path / "d" / "annotations.json").write_text(json.dumps(words))
    pair = read(tmp_path / "d", tmp_path / "set").pairs()[0]
    wanted = np.zeros((40, 50), np.uint8)
    wanted[20:30, 10:20] = 1
    wanted[5:15, 5:7] = 2
    wanted[:, 49] = 255
    np.testing.assert_array_equal(pair.mask(), wanted)
    found = pair.instances()
    assert found is not None
    assert found.max() == 2


def packed(runs: list[int]) -> str:
    """Return COCO's compressed text, written from its description for this test."""
    text = ""
    for n, run in enumerate(runs):
        value = run - (runs[n - 2] if n > 2 else 0)
        more = True
        while more:
            code = value & 0x1F
            value >>= 5
            more = value != (-1 if code & 0x10 else 0)
            text += chr((code | (0x20 if more else 0)) + 48)
    return text


def test_run_lengths_packed_and_unpacked_are_the_same() -> None:
    from napari_defectseg.datasets.runlength import counts_of, mask_of

    rng = np.random.default_rng(1)
    for _ in range(20):
        mask = rng.random((23, 31)) > rng.random()
        counts = counts_of(mask)
        np.testing.assert_array_equal(mask_of(counts, mask.shape), mask)
        np.testing.assert_array_equal(mask_of(packed(counts), mask.shape), mask)


def test_labelme_with_every_shape(tmp_path: Path) -> None:
    make.write(tmp_path / "d" / "a.png", make.picture())
    buffer = io.BytesIO()
    Image.fromarray(np.full((3, 4), 255, np.uint8)).save(buffer, "PNG")
    shapes = [
        {"label": "void", "points": [[10, 5], [20, 5], [20, 9], [10, 9]], "shape_type": "polygon"},
        {"label": "void", "points": [[30, 12], [25, 10]], "shape_type": "rectangle", "group_id": 4},
        {"label": "loop", "points": [[10, 25], [13, 25]], "shape_type": "circle"},
        {"label": "line", "points": [[30.5, 20.5], [40.5, 20.5]], "shape_type": "line"},
        {"label": "void", "points": [[44, 1], [48, 4]], "shape_type": "mask",
         "mask": base64.b64encode(buffer.getvalue()).decode()},
        {"label": "__ignore__", "points": [[0, 30], [5, 30], [5, 40], [0, 40]]},
    ]  # fmt: skip
    words = {"version": "5", "shapes": shapes, "imagePath": "..\\x\\a.png", "imageData": None}
    (tmp_path / "d" / "a.json").write_text(json.dumps(words))
    made = read(tmp_path / "d", tmp_path / "set")
    mask, value = made.pairs()[0].mask(), {c.name: c.value for c in made.classes}
    assert (mask[5:9, 10:20] == value["void"]).all()
    assert (mask[10:12, 25:30] == value["void"]).all()
    assert (mask == value["void"]).sum() == 40 + 10 + 12
    assert abs((mask == value["loop"]).sum() - np.pi * 9) < 6
    assert (mask[20, 30:41] == value["line"]).all()
    assert (mask[30:, :5] == 255).all()


def test_real_labelme_polygons_agree_with_the_masks_drawn_from_them(
    real_data: Path, tmp_path: Path
) -> None:
    import shutil

    folder = real_data / "steel_surface_pitting"
    (tmp_path / "d").mkdir()
    shutil.copy(folder / "images" / "bsd_00.jpg", tmp_path / "d")
    shutil.copy(folder / "polygons" / "bsd_00.json", tmp_path / "d")
    made = read(tmp_path / "d", tmp_path / "set")
    found = made.pairs()[0].mask() == 1
    wanted = np.asarray(Image.open(folder / "masks" / "bsd_00.png")) > 0
    assert made.classes.names == ("Pitting",)
    # That mask was drawn with its outlines; ours has the pixels whose centres lie inside.
    assert not (found & ~wanted).any()
    assert 2 * (found & wanted).sum() / (found.sum() + wanted.sum()) > 0.95


def test_regions_of_imagej(tmp_path: Path) -> None:
    roifile = pytest.importorskip("roifile")
    make.write(tmp_path / "d" / "a.png", make.picture())
    square = roifile.ImagejRoi.frompoints([[10, 5], [20, 5], [20, 9], [10, 9]], name="void-1")
    other = roifile.ImagejRoi.frompoints([[30, 10], [40, 10], [40, 14], [30, 14]], name="0012-0345")
    other.group = 2
    roifile.roiwrite(tmp_path / "d" / "RoiSet_a.zip", [square, other])
    made = read(tmp_path / "d", tmp_path / "set", **{"group 2": "loop"})
    mask, value = made.pairs()[0].mask(), {c.name: c.value for c in made.classes}
    assert (mask[5:9, 10:20] == value["void"]).all()
    assert (mask[10:14, 30:40] == value["loop"]).all()
    assert np.count_nonzero(mask) == 80


def test_shapes_of_napari_in_a_volume(tmp_path: Path) -> None:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.images.save import save_image

    (tmp_path / "d").mkdir()
    image = CalibratedImage.from_array(make.picture(0, (4, 40, 50)), axes="zyx")
    save_image(image, tmp_path / "d" / "pillar.tif")
    lines = ["index,shape-type,vertex-index,axis-0,axis-1,axis-2"]
    lines += [
        f"0,polygon,{n},2.0,{y},{x}"
        for n, (y, x) in enumerate([(4.5, 9.5), (4.5, 19.5), (8.5, 19.5), (8.5, 9.5)])
    ]
    lines += [
        f"1,ellipse,{n},0.0,{y},{x}"
        for n, (y, x) in enumerate([(10, 10), (10, 30), (20, 30), (20, 10)])
    ]
    (tmp_path / "d" / "pillar_void.csv").write_text("\n".join(lines) + "\n")
    pair = read(tmp_path / "d", tmp_path / "set").pairs()[0]
    assert (pair.mask()[2, 5:9, 10:20] == 1).all()
    assert pair.mask()[2].sum() == 40
    assert abs(int(pair.mask()[0].sum()) - np.pi * 5 * 10) < 12
    ellipse = np.argwhere(pair.mask()[0])
    assert np.ptp(ellipse[:, 1]) > np.ptp(ellipse[:, 0])


def test_layers_of_a_powder_bed(tmp_path: Path) -> None:
    import h5py

    rng = np.random.default_rng(0)
    with h5py.File(tmp_path / "build 1.hdf5", "w") as file:
        file["slices/camera_data/visible/0"] = rng.integers(0, 255, (6, 20, 30), np.uint8)
        file["slices/camera_data/visible/1"] = rng.integers(0, 255, (6, 20, 30), np.uint8)
        for key in ("0", "8"):
            file[f"slices/segmentation_results/{key}"] = rng.random((6, 20, 30)) > 0.7
        for axis, length in (("x", 300.0), ("y", 200.0)):
            file.attrs[f"printer/{axis}_real_dimension"] = length
            file.attrs[f"printer/{axis}_real_dimension/units"] = "mm"
        wanted = file["slices/segmentation_results/8"][3]
    settings = ImportSettings(every=3, specimen_of="build \\d+")
    made = import_dataset(tmp_path / "build 1.hdf5", tmp_path / "set", settings).dataset
    assert made.classes.names == ("powder", "spatter")
    assert not made.classes.exclusive
    assert [pair.origin.details["layer"] for pair in made.pairs()] == [0, 3]
    np.testing.assert_array_equal(made.pairs()[1].mask()[1], wanted)
    assert made.pairs()[0].calibration.describe() == "10 mm/px"
    assert {pair.specimen for pair in made.pairs()} == {"build 1"}


def test_nnunet_of_others_with_nifti_and_an_ignore_label(tmp_path: Path) -> None:
    source = tmp_path / "Dataset001_pores"
    volume = make.picture(0, (5, 8, 9)).astype(np.int16)
    truth = (volume % 3).astype(np.uint8)
    for folder, array in (("imagesTr/p_0000", volume), ("labelsTr/p", truth)):
        path = source / f"{folder}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(nifti(array))
    words = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "pore": 1, "ignore": 2},
        "numTraining": 1,
        "file_ending": ".nii.gz",
    }
    (source / "dataset.json").write_text(json.dumps(words))
    pair = read(source, tmp_path / "set").pairs()[0]
    np.testing.assert_array_equal(pair.image().read(), volume)
    np.testing.assert_array_equal(pair.mask(), np.where(truth == 2, 255, truth))
    assert pair.calibration.describe().startswith("0.5")


def nifti(array: np.ndarray) -> bytes:
    """Return a NIfTI-1 file, written from the format's description for this test."""
    import gzip
    import struct

    head = bytearray(352)
    head[:4] = struct.pack("<i", 348)
    head[40:56] = struct.pack("<8h", array.ndim, *array.shape[::-1], *[1] * (7 - array.ndim))
    head[70:74] = struct.pack("<2h", {"i2": 4, "u1": 2}[array.dtype.str[1:]], array.itemsize * 8)
    head[76:108] = struct.pack("<8f", 1, 0.5, 0.5, 0.5, 0, 0, 0, 0)
    head[108:120] = struct.pack("<3f", 352, 1, 0)
    head[123] = 2
    head[344:348] = b"n+1\0"
    return gzip.compress(bytes(head) + array.tobytes())


def test_classes_that_a_dataset_does_not_know_are_refused(tmp_path: Path) -> None:
    Dataset.create(tmp_path / "set", ClassMap.of(["pore"]))
    make.write(tmp_path / "d" / "images" / "a.png", make.picture())
    make.write(tmp_path / "d" / "masks" / "a.png", make.mask())
    with pytest.raises(Exception, match="no class 'void'"):
        read(tmp_path / "d", tmp_path / "set", **{"1": "void", "2": "pore"})


def test_a_folder_without_labels_is_told_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="peregrine, nnunet, yolo, coco, labelme"):
        look(tmp_path / "empty")


def test_nothing_appears_when_an_import_fails_half_way(tmp_path: Path) -> None:
    make.write(tmp_path / "d" / "images" / "a.png", make.picture())
    make.write(tmp_path / "d" / "masks" / "a.png", make.mask())
    make.write(tmp_path / "d" / "images" / "b.png", make.picture(1, (10, 10)))
    make.write(tmp_path / "d" / "masks" / "b.png", make.mask())
    with pytest.raises(DatasetError, match="needs"):
        read(tmp_path / "d", tmp_path / "set", **{"1": "void", "2": "loop"})
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


def test_real_pairs_of_several_kinds_are_read(real_data: Path, tmp_path: Path) -> None:
    """Superalloys (numbers), pits (white on black, JPEG colour pictures)."""
    made = read(
        real_data / "sem_superalloy_precipitates", tmp_path / "a",
        **{"1": "secondary", "2": "tertiary"},
    )  # fmt: skip
    assert len(made.pairs()) == 3
    made = read(real_data / "steel_surface_pitting", tmp_path / "b")
    assert made.pairs()[0].image().channels == 3
