"""Small files as other programs write them, none of which can be opened: only named."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np


def _message(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def _node(name: str, operation: str) -> bytes:
    return _message(1, _message(1, name.encode()) + _message(2, operation.encode()))


FROZEN = _node("input", "Placeholder") + _node("conv/kernel", "Const") + _node("conv", "Conv2D")
CORE_ML = b"\x08\x04" + _message(2, _message(1, b"\x0a\x05image" + _message(3, b"\x22\x00")))
WEKA = b"\xac\xed\x00\x05sr\x00'hr.irb.fastRandomForest.FastRandomForestweka.classifiers" + bytes(
    99
)
MATLAB_5 = b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x01IM" + bytes(64)

BYTES: dict[str, tuple[bytes, str, str]] = {
    "classifier.model": (WEKA, "classifier of Weka", "Fiji"),
    "packed.model": (gzip.compress(WEKA, mtime=0), "classifier of Weka", "Fiji"),
    "net5.mat": (MATLAB_5, "file of MATLAB", "exportONNXNetwork"),
    "frozen.pb": (FROZEN, "frozen graph of TensorFlow, a program", "convert_tensorflow"),
    "net.tflite": (b"\x1c\x00\x00\x00TFL3" + bytes(60), "TensorFlow Lite", "convert_tensorflow"),
    "words.gguf": (b"GGUF" + struct.pack("<I", 3) + bytes(60), "GGUF", ""),
    "net.mlmodel": (CORE_ML, "Core ML", "ONNX"),
    "net.engine": (b"ftrt" + bytes(60), "engine of TensorRT", "ONNX"),
    "a.pth.gz": (gzip.compress(b"weights", mtime=0), "a gzip file", "Unpack"),
    "a.pth.bz2": (b"BZh91AY&SY" + bytes(30), "a bzip2 file", "Unpack"),
    "a.pth.xz": (b"\xfd7zXZ\x00" + bytes(30), "an xz file", "Unpack"),
    "a.pth.zst": (b"\x28\xb5\x2f\xfd" + bytes(30), "a Zstandard file", "Unpack"),
    "a.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(30), "a 7-Zip archive", "Unpack"),
    "a.rar": (b"Rar!\x1a\x07\x01" + bytes(30), "a RAR archive", "Unpack"),
    "qupath.json": (b'{"pixel_classifier_type": "OpenCVPixelClassifier"}', "QuPath", "QuPath"),
}
"""Name of a file to its bytes, words of what it is, and a word of what to do."""


def _ilastik(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["ilastikVersion"] = b"1.4.0"
        file["workflowName"] = b"Pixel Classification"
        file["PixelClassification/ClassifierForests/Forest0000/labels"] = np.arange(2)


def _matlab_7(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        file["net"] = np.zeros(3)
        file["net"].attrs["MATLAB_class"] = b"DAGNetwork"
    content = bytearray(path.read_bytes())
    content[:38] = b"MATLAB 7.3 MAT-file, Platform: GLNXA64"
    path.write_bytes(content)


def _volume(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["exchange/data"] = np.zeros((2, 3, 3))


def _stardist(path: Path) -> None:
    path.mkdir()
    config = {"n_dim": 2, "n_rays": 32, "grid": [2, 2], "axes": "YXC", "unet_n_depth": 3}
    (path / "config.json").write_text(json.dumps(config))
    (path / "thresholds.json").write_text('{"prob": 0.5, "nms": 0.4}')
    (path / "weights_best.h5").write_bytes(b"\x89HDF\r\n\x1a\n")


def _stardist_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("config.json", "thresholds.json", "weights_best.h5"):
            archive.writestr(f"2D_demo/{name}", "{}")


def _saved_model(path: Path) -> None:
    (path / "variables").mkdir(parents=True)
    (path / "saved_model.pb").write_bytes(b"\x08\x01\x12\x10" + bytes(16))


def _saved_model_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/saved_model.pb", b"\x08\x01")
        archive.writestr("model/variables/variables.index", b"")


def _core_ml_package(path: Path) -> None:
    (path / "Data" / "com.apple.CoreML").mkdir(parents=True)
    (path / "Manifest.json").write_text("{}")


def _in_parts(path: Path) -> None:
    path.mkdir()
    (path / ".metadata").write_bytes(b"\x80\x04N.")
    (path / "__0_0.distcp").write_bytes(bytes(10))


def _nnunet_1(path: Path) -> None:
    (path / "fold_0").mkdir(parents=True)
    (path / "plans.pkl").write_bytes(b"\x80\x04}.")


MADE: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "pixels.ilp": (_ilastik, "project of ilastik", "ilastik"),
    "net73.mat": (_matlab_7, "MATLAB, version 7.3", "exportONNXNetwork"),
    "scan.h5": (_volume, "HDF5 file with images", "Data dock"),
    "stardist": (_stardist, "StarDist", "open its labels"),
    "stardist.zip": (_stardist_zip, "StarDist", "open its labels"),
    "saved": (_saved_model, "SavedModel", "convert_tensorflow"),
    "saved.zip": (_saved_model_zip, "SavedModel", "Unpack"),
    "net.mlpackage": (_core_ml_package, "Core ML", "ONNX"),
    "parts": (_in_parts, "checkpoint in parts", "dcp_to_torch"),
    "nnunet1": (_nnunet_1, "nnU-Net version 1", "version 2"),
}
"""As `BYTES`, with what writes the file."""


def write_named(folder: Path) -> list[Path]:
    """Write each into a folder of its own, and return their paths."""
    found = []
    for name, (content, _, _) in BYTES.items():
        path = folder / name.replace(".", "-") / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        found.append(path)
    for name, (make, _, _) in MADE.items():
        path = folder / name.replace(".", "-") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        make(path)
        found.append(path)
    return found
