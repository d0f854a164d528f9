"""What a file or folder is that is named but not opened: by what is inside it, with what to do."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.hdf5.node import Node, opened
from napari_defectseg.models.hdf5.source import MAGIC, PLACES
from napari_defectseg.models.kin import FOREST
from napari_defectseg.models.package import DAMAGE, is_zip, zip_at

LONGEST = 1 << 20
MOST_NAMES = 20_000
Seen = tuple[str, str]

UNPACK = "Unpack it first, and open what is in it."
IMAGES = "Open it as an image, in the Data dock."
MATLAB = "Export the network in MATLAB (exportONNXNetwork, or exportNetworkToTensorFlow)."
ONNX = "Export the network to ONNX where it was trained, and open that file."
TF2ONNX = (
    "Convert it to ONNX in an environment of its own, without opening it here: "
    "python -m napari_defectseg.models.convert_tensorflow, see the how-to on TensorFlow; or save "
    "the weights from Keras as .h5 or .keras."
)
STARDIST = (
    "Run it in the StarDist plugin of napari, Fiji or QuPath, and open its labels; StarDist finds "
    "star-shaped objects, not classes of pixels."
)
WEKA = "Segment in Fiji with it, and open the labels with the image; or train a network on them."
ILASTIK = (
    "Run the project in ilastik, export its segmentation, and open that with the image; or train "
    "a network on it."
)
CONSOLIDATE = (
    "Join its parts where it was trained: python -m torch.distributed.checkpoint.format_utils "
    "dcp_to_torch FOLDER weights.pth (DeepSpeed: zero_to_fp32.py)."
)

_PACKED: tuple[tuple[bytes, str], ...] = (
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"\x04\x22\x4d\x18", "an LZ4 file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
)
_OTHERS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"GGUF", "a language model in GGUF, with no use for images", ""),
    (4, b"TFL3", "a model of TensorFlow Lite", f"Use the model that it was made from. {TF2ONNX}"),
    (0, b"ptrt", "an engine of TensorRT, which is made for one graphics card", ONNX),
    (0, b"ftrt", "an engine of TensorRT, which is made for one graphics card", ONNX),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM film", IMAGES),
)


def inside_file(path: Path, head: bytes) -> Seen | None:
    """Return what a file is and what to do, None where it is none of those known here.

    Parameters
    ----------
    path : Path
    head : bytes
        Its first bytes, 512 or more where it has them.
    """
    for start, kind in _PACKED:
        if head.startswith(start):
            return f"it is {kind}", UNPACK
    for place, magic, kind, advice in _OTHERS:
        if head[place : place + len(magic)] == magic:
            return f"it is {kind}", advice
    if head[:2] == b"\x1f\x8b":
        return _gzip(path)
    if b"weka." in head or b"trainableSegmentation" in head:
        return "it is a classifier of Weka, an object of Java", WEKA
    if head.startswith(b"MATLAB 7.3 MAT-file"):
        return "it is a file of MATLAB, version 7.3", MATLAB
    if any(head[place : place + len(MAGIC)] == MAGIC for place in PLACES[:1]):
        return _hdf5(path)
    if is_zip(path):
        return _zip(path)
    return _protobuf(head.ljust(8, b"\0")) or _json(path, head)


def _gzip(path: Path) -> Seen:
    try:
        with gzip.open(path) as file:
            start = file.read(4096)
    except (OSError, EOFError, zlib.error):
        start = b""
    if start[:4] == b"\xac\xed\x00\x05" or b"weka." in start:
        return "it is a classifier of Weka, an object of Java", WEKA
    return "it is a gzip file", UNPACK


def _hdf5(path: Path) -> Seen | None:
    try:
        with opened(path, str(path)) as root:
            return _of_root(root)
    except ModelError as error:
        return f"it is an HDF5 file that cannot be read ({error.sentence.split(': ')[-1]})", ""


def _of_root(root: Node) -> Seen | None:
    names = set(root.links)
    if "ilastikVersion" in names or "PixelClassification" in names or "workflowName" in names:
        return "it is a project of ilastik", ILASTIK
    if any(
        "MATLAB_class" in root.child(n).attributes for n in sorted(names)[:20] if _hard(root, n)
    ):
        return "it is a file of MATLAB, version 7.3", MATLAB
    if names & {"exchange", "entry", "t0", "raw", "data", "volumes", "image", "images"}:
        return "it is an HDF5 file with images", IMAGES
    few = ", ".join(sorted(names)[:4])
    return f"it is an HDF5 file with {few or 'nothing'} in it, not one of Keras", ""


def _hard(root: Node, name: str) -> bool:
    return root.links[name].address >= 0


def _zip(path: Path) -> Seen | None:
    try:
        with zip_at(path) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()[:MOST_NAMES]}
    except DAMAGE:
        return None
    if "saved_model.pb" in names:
        return "it is a zip archive with a SavedModel of TensorFlow", UNPACK
    if {"config.json", "thresholds.json"} <= names:
        return "it is a model of StarDist", STARDIST
    if {"plans.json", "dataset.json"} <= names:
        return "it is an export of nnU-Net", UNPACK
    return None


def _protobuf(head: bytes) -> Seen | None:
    """Return what a message without a signature is: a graph of TensorFlow, or Core ML."""
    if head[:1] == b"\x08" and 0 < head[1] < 16 and head[2:3] == b"\x12":
        size = head[3]
        if size >= 128 or head[4:5] == b"\x0a":  # a description of inputs, not who wrote it
            return "it is a model of Core ML, which runs on computers of Apple alone", ONNX
    if head[:1] == b"\x0a" and _is_node(head):
        return "it is a frozen graph of TensorFlow, a program", TF2ONNX
    return None


def _is_node(head: bytes) -> bool:
    """Return whether the first message in a file is a node: its name, then its operation."""
    at = 1
    while at < 6 and head[at] >= 128:
        at += 1
    at += 1
    if head[at : at + 1] != b"\x0a":
        return False
    name, at = _short(head, at + 1)
    if not name or head[at : at + 1] != b"\x12":
        return False
    operation, _ = _short(head, at + 1)
    return bool(operation) and operation.isalnum() and operation[:1].isupper()


def _short(head: bytes, at: int) -> tuple[bytes, int]:
    size = head[at] if at < len(head) else 0
    text = head[at + 1 : at + 1 + size]
    good = 0 < size < 128 and len(text) == size and all(32 < byte < 127 for byte in text)
    return (text if good else b""), at + 1 + size


def _json(path: Path, head: bytes) -> Seen | None:
    if not head.lstrip().startswith(b"{") or path.stat().st_size > LONGEST:
        return None
    text = path.read_bytes()
    if b'"pixel_classifier_type"' in text:
        return "it is a pixel classifier of QuPath", f"{FOREST} (In QuPath: export its labels.)"
    if b'"class_name"' in text and b'"layers"' in text:
        return "it is the description of a network of Keras", "Give its name the end .json."
    return None


def inside_folder(path: Path) -> Seen | None:
    """Return what a folder is and what to do, None where it is none of those known here."""
    names = {item.name for item in sorted(path.iterdir())[:MOST_NAMES]}
    if "config.json" in names and ("thresholds.json" in names or "n_rays" in _keys(path)):
        return "it is a model of StarDist", STARDIST
    if "Manifest.json" in names and (path / "Data" / "com.apple.CoreML").is_dir():
        return "it is a model of Core ML, which runs on computers of Apple alone", ONNX
    if ".metadata" in names and any(name.endswith(".distcp") for name in names):
        return "it is a checkpoint in parts, as several computers wrote it", CONSOLIDATE
    if any(name.startswith(("mp_rank_", "zero_pp_rank_")) for name in names):
        return "it is a checkpoint of DeepSpeed in parts", CONSOLIDATE
    if "plans.pkl" in names:
        return "it is a result folder of nnU-Net version 1", (
            "Run it with nnU-Net version 1, and open its labels; or train it again with version 2."
        )
    return None


def _keys(path: Path) -> set[str]:
    file = path / "config.json"
    if not file.is_file() or file.stat().st_size > LONGEST:
        return set()
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return set()
    return set(found) if isinstance(found, dict) else set()
