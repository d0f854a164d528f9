"""A SavedModel, frozen graph or TF1 checkpoint → ONNX, in an environment of its own.

Run as ``python -m napari_defectseg.models.convert_tensorflow MODEL OUT.onnx``. TensorFlow needs
versions of numpy and protobuf that napari does not; so this makes an environment beside it with
pinned versions, once, and calls tf2onnx there. It uses the standard library alone. TensorFlow runs
what is in the model: convert only what comes from people you trust.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PINS = (
    "tensorflow-cpu==2.15.1",
    "tf2onnx==1.17.0",
    "onnx==1.17.0",
    "onnxruntime==1.20.1",
    "numpy==1.26.4",
    "protobuf==4.25.9",
)
"""Versions that were measured together."""
PYTHONS = ((3, 9), (3, 11))
"""Oldest and newest Python that this TensorFlow runs on."""
OPSET = "15"
ENVIRONMENT = Path.home() / ".cache" / "napari-defectseg" / "tensorflow-2.15.1"

_ENDS = """
import sys, tensorflow as tf
tf1 = tf.compat.v1
path = sys.argv[1]
with tf.Graph().as_default() as graph:
    if path.endswith(".meta"):
        tf1.train.import_meta_graph(path, clear_devices=True)
    else:
        definition = tf1.GraphDef()
        definition.ParseFromString(open(path, "rb").read())
        tf1.import_graph_def(definition, name="")
ops = graph.get_operations()
taken = {i.op.name for op in ops for i in op.inputs}
ends = ("Identity", "Sigmoid", "Softmax", "ArgMax", "BiasAdd", "Conv2D", "Conv3D")
other = ("gradients/", "save/", "/Adam", "/Momentum", "/read")
ops = [op for op in ops if not any(word in "/" + op.name for word in other)]
print("IN", ",".join(op.name + ":0" for op in ops if op.type == "Placeholder"))
print("OUT", ",".join(op.name + ":0" for op in ops if op.type in ends and op.name not in taken))
"""
"""Prints the inputs of a graph, and the operations whose result nothing else takes."""


class Failed(Exception):
    """The conversion cannot be done; the text says why."""


def main(words: Sequence[str] | None = None) -> int:
    """Convert as the command line says; return the exit status."""
    asked = _parser().parse_args(words)
    try:
        convert(
            asked.model,
            asked.out,
            environment=asked.environment,
            python=asked.python,
            ends=(asked.inputs, asked.outputs),
        )
    except Failed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{asked.out}\n")
    return 0


def convert(
    model: Path,
    out: Path,
    *,
    environment: Path = ENVIRONMENT,
    python: str = "",
    ends: tuple[str, str] = ("", ""),
) -> None:
    """Write the ONNX of a model of TensorFlow.

    Parameters
    ----------
    model : Path
        Folder of a SavedModel, frozen graph (``.pb``), or ``.meta`` of a TF1 checkpoint.
    out : Path
        Must not exist.
    environment : Path
        Made if it is not there.
    python : str
        The Python for it; empty: this one where it fits, else one found by its name.
    ends : tuple of str
        Names of input and output tensors between commas, ``"input:0"``; a SavedModel states its
        own; where they are empty and a graph has one of each, those are taken.

    Raises
    ------
    Failed
        If something is missing, or tf2onnx refuses the model.
    """
    if out.exists():
        raise Failed(f"{out} exists already and was left as it is. Choose another name.")
    source = _source(model)
    tool = prepared(environment, python)
    if source[0] != "--saved-model":
        given, taken = ends if all(ends) else _ends(tool, source[1])
        source += ["--inputs", given, "--outputs", taken]
    command = [str(tool), "-m", "tf2onnx.convert", *source, "--opset", OPSET, "--output", str(out)]
    _run(command, f"tf2onnx could not convert {model}")
    if not out.is_file():
        raise Failed(f"tf2onnx wrote nothing to {out}.")


def prepared(environment: Path, python: str = "") -> Path:
    """Return the Python of an environment with TensorFlow and tf2onnx, made if need be.

    Raises
    ------
    Failed
        If no fitting Python is there, or the packages cannot be fetched.
    """
    tool = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (environment / "ready").is_file():
        sys.stderr.write(f"Fetching TensorFlow and tf2onnx into {environment}, once.\n")
        _run([_python(python), "-m", "venv", "--clear", str(environment)], "No environment")
        install = [str(tool), "-m", "pip", "install", "--quiet", *PINS]
        _run(install, "TensorFlow and tf2onnx could not be installed")
        (environment / "ready").write_text("\n".join(PINS), encoding="utf-8")
    return tool


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m napari_defectseg.models.convert_tensorflow",
        description="Convert a model of TensorFlow to ONNX in an environment of its own.",
        epilog="TensorFlow runs what is in the model: convert only what you trust.",
    )
    parser.add_argument("model", type=Path, help="SavedModel folder, frozen .pb, or .meta")
    parser.add_argument("out", type=Path, help="the .onnx to write")
    parser.add_argument("--inputs", default="", help="input tensors of a graph, as input:0")
    parser.add_argument("--outputs", default="", help="output tensors of a graph, as output:0")
    parser.add_argument("--environment", type=Path, default=ENVIRONMENT, help="where it is kept")
    parser.add_argument("--python", default="", help="a Python 3.9 to 3.11 to make it with")
    return parser


def _source(model: Path) -> list[str]:
    """Return how tf2onnx is told what kind of model it is."""
    if (model / "saved_model.pb").is_file():
        return ["--saved-model", str(model)]
    if model.name == "saved_model.pb" and model.is_file():
        return ["--saved-model", str(model.parent)]
    if model.suffix == ".meta" and model.is_file():
        return ["--checkpoint", str(model)]
    if model.suffix == ".index" and model.with_suffix(".meta").is_file():
        return ["--checkpoint", str(model.with_suffix(".meta"))]
    if model.suffix == ".pb" and model.is_file():
        return ["--graphdef", str(model)]
    raise Failed(
        f"{model} is no SavedModel folder, frozen graph (.pb) or .meta of a TF1 checkpoint. Keras "
        "files (.h5, .keras) and checkpoints of weights open without conversion."
    )


def _ends(tool: Path, graph: str) -> tuple[str, str]:
    """Return the only input and output of a graph; where there are more, ask for them."""
    lines = _run([str(tool), "-c", _ENDS, graph], f"TensorFlow could not read {graph}").splitlines()
    found = {kind: rest for kind, _, rest in (line.partition(" ") for line in lines)}
    given, taken = found.get("IN", ""), found.get("OUT", "")
    if not given or not taken or "," in given + taken:
        raise Failed(
            f"{graph} has the inputs {given or 'none'} and the outputs {taken or 'none'}: say "
            "which with --inputs and --outputs."
        )
    return given, taken


def _python(wanted: str) -> str:
    if wanted:
        return wanted
    oldest, newest = PYTHONS
    if oldest <= sys.version_info[:2] <= newest:
        return sys.executable
    names = (f"python{major}.{minor}" for major, minor in ((3, 11), (3, 10), (3, 9)))
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        raise Failed(
            "This TensorFlow needs Python 3.9 to 3.11, and none was found. Install one, and say "
            "where with --python."
        )
    return found


def _run(command: list[str], failure: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise Failed(f"{failure}: {(lines or ['no reason was given'])[-1].strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
