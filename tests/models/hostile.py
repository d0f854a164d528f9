"""Small files made to do harm to whoever opens them as models, one attack each.

``write(folder)`` writes them all and returns their paths. What would run makes the file that the
environment variable ``DEFECTSEG_MARKER`` names, or ``pwned.marker`` in the current folder.
"""
# ruff: noqa: E501 - an attack is easier to read in one line

from __future__ import annotations

import base64
import io
import json
import marshal
import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.models.hostile_hdf5 import write_hdf5

RUN = "import os;open(os.environ.get('DEFECTSEG_MARKER','pwned.marker'),'a').write('x')"
SHELL = 'printf x >> "${DEFECTSEG_MARKER:-pwned.marker}"'
LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."


# --- pickles ----------------------------------------------------------------------------------


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def name(module: str, of: str) -> bytes:
    return f"c{module}\n{of}\n".encode()


def call(module: str, of: str, *args: bytes) -> bytes:
    return name(module, of) + b"(" + b"".join(args) + b"tR"


def pickle(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


def number(value: int) -> bytes:
    raw = value.to_bytes(17, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def tensor(size: list[int], stride: list[int], *, numel: int = 4, key: str = "0") -> bytes:
    storage = b"(" + text("storage") + name("torch", "FloatStorage") + text(key) + text("cpu")
    storage += number(numel) + b"tQ"
    whole = [b"(" + b"".join(map(number, values)) + b"t" for values in (size, stride)]
    hooks = b"\x89" + name("collections", "OrderedDict") + b")R"
    return call("torch._utils", "_rebuild_tensor_v2", storage, number(0), *whole, hooks)


def state(**tensors: bytes) -> bytes:
    return pickle(b"}(" + b"".join(text(key) + value for key, value in tensors.items()) + b"u")


def torch_zip(
    pickled: bytes, more: Mapping[str, bytes] | None = None, root: str = "archive"
) -> bytes:
    parts = {f"{root}/data.pkl": pickled, f"{root}/data/0": bytes(16), f"{root}/version": b"3\n"}
    return packed({**parts, **(more or {})})


def packed(parts: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for member, content in parts.items():
            archive.writestr(zipfile.ZipInfo(member), content, method)
    return out.getvalue()


RUNNING = {
    "exec": call("builtins", "exec", text(RUN)),
    "exec_of_python_2": call("__builtin__", "exec", text(RUN)),
    "eval_in_map": call("builtins", "list", call("builtins", "map", name("builtins", "exec"), b"]" + text(RUN) + b"a")),
    "getattr_chain": call("builtins", "getattr", call("builtins", "__import__", text("os")), text("system")) + b"(" + text(SHELL) + b"tR",
    "attrgetter": call("operator", "attrgetter", text("system")) + b"(" + name("posix", "system") + b"tR",
    "methodcaller": call("operator", "methodcaller", text("system"), text(SHELL)),
    "partial": call("functools", "partial", name("posix", "system"), text(SHELL)) + b")R",
    "reduce": call("functools", "reduce", name("builtins", "exec"), b"]" + text(RUN) + b"a"),
    "run_path": call("runpy", "run_path", text("/tmp/x.py")),
    "import_module": call("importlib", "import_module", text("antigravity")),
    "dll": call("ctypes", "CDLL", text("libc.so.6")),
    "remove_tree": call("shutil", "rmtree", text("/nonexistent-folder")),
    "connect": call("socket", "create_connection", b"(" + text("127.0.0.1") + b"K\x09t"),
    "browser": call("webbrowser", "open", text("http://127.0.0.1:9")),
    "marshal": call("marshal", "loads", b"C\x04abcd"),
    "function": call("types", "FunctionType", call("marshal", "loads", b"C\x04abcd"), b"}"),
    "torch_load": call("torch", "load", text("other.pt")),
    "torch_hub": call("torch.hub", "load", text("a/b"), text("c")),
    "torch_jit": call("torch.jit", "load", text("other.pt")),
    "numpy_load": call("numpy", "load", text("x.npy"), b"N", b"\x88"),
    "pdb": call("pdb", "run", text(RUN)),
    "timeit": call("timeit", "timeit", text(RUN)),
    "nested": call("pickle", "loads", b"C" + bytes([len(pickle(call("builtins", "exec", text(RUN))))]) + pickle(call("builtins", "exec", text(RUN)))),
    "system_in_protocol_0": b"cposix\nsystem\n(S'" + SHELL.encode() + b"'\ntR",
    "open_for_writing": call("_io", "open", text("pwned.marker"), text("w")),
    "path_write": call("pathlib", "Path.write_text", call("pathlib", "PosixPath", text("pwned.marker")), text("x")),
    "logging_config": call("logging.config", "listen", b"K\x09"),
}  # fmt: skip


def _pickles() -> dict[str, bytes]:
    files = {f"run_{key}.pth": torch_zip(pickle(body + b"0}")) for key, body in RUNNING.items()}
    popen = name("subprocess", "Popen") + b"(" + text("sh") + text("-c") + b"t"
    hook = name("torch.nn.modules.linear", "Linear") + b")\x81}(" + text("_forward_hooks")
    hook += b"}(K\x00" + name("posix", "system") + b"u" + text("_modules") + b"}" + b"ub"
    double = b"]q\x00" + b"".join(
        b"](h" + bytes([k]) + b"h" + bytes([k]) + b"eq" + bytes([k + 1]) for k in range(60)
    )
    files |= {
        "new_object.pth": torch_zip(pickle(popen + b"\x81")),
        "new_object_ex.pth": torch_zip(b"\x80\x04" + popen + b"}\x92."),
        "hook.pth": torch_zip(pickle(hook)),
        "reference.pth": torch_zip(pickle(b"(" + text("module") + RUNNING["exec"] + text("f") + text("s") + b"tQ")),
        "build_exec.pth": torch_zip(pickle(name("builtins", "exec") + text(RUN) + b"b")),
        "long4.pkl": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b".",
        "text8.pkl": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"x.",
        "bytes8.pth": torch_zip(b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x."),
        "frame.pth": torch_zip(b"\x80\x04\x95" + struct.pack("<Q", 2**63 - 1) + b"N."),
        "doubled.pth": torch_zip(pickle(double)),
        "list_in_itself.pth": torch_zip(pickle(b"}q\x00(" + text("model") + b"h\x00u")),
        "unhashable.pth": torch_zip(pickle(b"}(]K\x01u")),
        "deep_tuples.pth": torch_zip(pickle(b")" + b"\x85" * 50_000)),
        "deep_tables.pth": torch_zip(pickle((b"}" + text("model")) * 20_000 + b"}" + b"s" * 20_000)),
        "bytes_of_a_number.pth": torch_zip(pickle(call("builtins", "bytearray", number(2**40)))),
        "endless_range.pth": torch_zip(pickle(call("builtins", "list", call("builtins", "range", number(10**13))))),
        "counter.pth": torch_zip(pickle(call("collections", "Counter", call("builtins", "range", number(10**12))))),
        "module_in_itself.pth": torch_zip(pickle(name("torch.nn.modules.container", "Sequential") + b")\x81q\x01}(" + text("_modules") + b"}(" + text("0") + b"h\x01u" + text("_parameters") + b"}ub")),
        "negative.pth": torch_zip(state(w=tensor([-4], [1]))),
        "stride.pth": torch_zip(state(w=tensor([4, 4], [2**47, 1]))),
        "rank.pth": torch_zip(state(w=tensor([1] * 9, [1] * 9))),
        "many_views.pth": torch_zip(state(**{f"w{i}": tensor([2**20, 2**19], [0, 0]) for i in range(50)})),
        "key_outside.pth": torch_zip(state(w=tensor([4], [1], key="../../../../etc/passwd"))),
        "quantised.pth": torch_zip(pickle(call("torch._utils", "_rebuild_qtensor", b"N", b"K\x00"))),
        "two_roots.pth": torch_zip(state(w=tensor([4], [1])), {"other/data.pkl": pickle(RUNNING["exec"])}),
        "two_files_in_one.pth": LEGACY + pickle(b"M\xe9\x03") + pickle(RUNNING["exec"]) + torch_zip(state(w=tensor([4], [1]))),
        "behind_text.pth": b"#!/bin/sh\n" + torch_zip(pickle(RUNNING["exec"])),
        "deflated.pth": packed({"archive/data.pkl": bytes(60 << 20), "archive/version": b"3"}, zipfile.ZIP_DEFLATED),
        "lzma.pth": packed({"archive/data.pkl": bytes(9 << 20), "archive/version": b"3"}, zipfile.ZIP_LZMA),
        "joblib.pkl": zlib.compress(pickle(RUNNING["exec"])),
        "cut.pth": torch_zip(state(w=tensor([4], [1])))[:150],
        "legacy_storage.pth": LEGACY + pickle(b"M\xe9\x03") + pickle(b"}(" + text("little_endian") + b"\x88u") + state(w=tensor([4], [1], numel=2**40)) + pickle(b"](" + text("0") + b"e") + struct.pack("<q", 2**40),
    }  # fmt: skip
    return files


# --- archives ---------------------------------------------------------------------------------

RDF = b"type: model\nformat_version: 0.5.3\nname: x\n"


def _archives() -> dict[str, bytes]:
    conv = {"rdf.yaml": RDF, "weights.pt": torch_zip(state(w=tensor([4], [1])))}
    plain = packed(conv)
    wide = bytearray(packed({"rdf.yaml": RDF}))
    at = wide.rindex(b"PK\x01\x02")
    wide[at + 20 : at + 28] = b"\xff" * 8  # sizes of 4 GB that are not there
    locked = bytearray(plain)
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    link = zipfile.ZipInfo("config.json")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")
    source = b"weights:\n  pytorch_state_dict: {source: %s, sha256: '0'}\n"
    files = {
        "nul_in_name.zip": plain.replace(b"weights.pt", b"wei\0hts.pt"),
        "long_name.zip": packed({**conv, "a" * 65_000: b""}),
        "many_members.zip": packed({**conv, **{f"m{i}": b"" for i in range(21_000)}}),
        "backslash.zip": packed({**conv, "..\\..\\evil.py": b""}),
        "drive.zip": packed({**conv, "C:/evil.py": b""}),
        "sizes.zip": bytes(wide),
        "locked.zip": bytes(locked),
        "lzma.zip": packed(conv, zipfile.ZIP_LZMA),
        "packed_description.zip": packed({"rdf.yaml": b" " * (80 << 20)}, zipfile.ZIP_DEFLATED),
        "link.keras": out.getvalue(),
        "end_elsewhere.zip": plain[:-6] + struct.pack("<I", 2**31) + b"\0\0",
        "source_outside.zip": packed({"rdf.yaml": RDF + source % b"../../../../etc/passwd"}),
        "source_far.zip": packed({"rdf.yaml": RDF + source % b"https://127.0.0.1:9/w.pt"}),
        "names_twice.zip": plain + plain,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        twice = io.BytesIO(plain)
        with zipfile.ZipFile(twice, "a") as archive:
            archive.writestr("weights.pt", torch_zip(pickle(RUNNING["exec"])))
    files["weights_twice.zip"] = twice.getvalue()
    return files


# --- texts ------------------------------------------------------------------------------------


def _texts() -> dict[str, bytes]:
    card = {
        "format_version": 1, "name": "x", "architecture": "unet", "dims": 2, "in_channels": 1,
        "task": "binary", "activation": "sigmoid", "has_background": False, "parameters": 1,
        "classes": {"exclusive": True, "classes": [{"value": 1, "name": "a", "colour": "#ff0000"}]},
        "architecture_settings": {"widths": [4, 8]}, "grid": 2, "halo": 4,
    }  # fmt: skip

    def with_(**fields: Any) -> bytes:
        return json.dumps({**card, **fields}).encode()

    digits = b"9" * 5000
    cards = {
        "card_deep": b"[" * 200_000 + b"]" * 200_000,
        "card_long_number": with_().replace(b'"parameters": 1', b'"parameters": ' + digits),
        "card_wide": with_(architecture_settings={"widths": [10**6, 10**6]}),
        "card_deep_network": with_(architecture_settings={"widths": [1] * 5000}),
        "card_nan": with_(grid=float("nan"), pixel_size=[float("inf"), 1]),
        "card_module": with_(architecture="os.system"),
        "card_words": with_(architecture_settings={"widths": "ab", "norm": {"a": 1}}),
        "card_graph": with_(
            architecture="keras",
            architecture_settings={
                "dims": 2, "in_channels": 1, "output": "b",
                "nodes": [["a", "conv", ["b"], {}], ["b", "conv", ["a"], {}]],
            },
        ),
        "card_text": with_(description="x" * (5 << 20)),
    }  # fmt: skip
    safe = struct.pack("<Q", 60) + b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.ljust(
        60
    )
    files = {f"{key}/card.json": value for key, value in cards.items()}
    files |= {f"{key}/weights.safetensors": safe + bytes(8) for key in cards}

    def header(content: bytes) -> bytes:
        return struct.pack("<Q", len(content)) + content + bytes(64)

    rank = ",".join(["1"] * 5000)
    files |= {
        "rank.safetensors": header(b'{"a":{"dtype":"F32","shape":[%s],"data_offsets":[0,4]}}' % rank.encode()),
        "kind.safetensors": header(b'{"a":{"dtype":"object","shape":[1],"data_offsets":[0,8]}}'),
        "long_number.safetensors": header(b'{"a":{"dtype":"F32","shape":[%s],"data_offsets":[0,4]}}' % digits),
        "metadata.safetensors": header(b'{"__metadata__":{"classes":"%s"}}' % (b"[" * 50_000)),
        "empty.safetensors": header(b"{}"),
        "yaml_merge/rdf.yaml": RDF + b"a: &a {b: 1}\n" + b"c: {<<: *a}\n",
        "yaml_deep/rdf.yaml": RDF + b"a: " + b"[" * 100_000,
        "yaml_date/rdf.yaml": RDF + b"when: 2001-99-99\n",
        "yaml_number/rdf.yaml": RDF + b"a: " + digits + b"\n",
        "yaml_name/rdf.yaml": RDF + b"a: !!python/name:os.system\n",
        "yaml_anchor/rdf.yaml": RDF + b"a: &x [*x]\n",
        "yaml_source/rdf.yaml": RDF + b"weights:\n  pytorch_state_dict: {source: /dev/zero, sha256: '0'}\n",
    }  # fmt: skip
    return files


# --- Keras and TensorFlow ---------------------------------------------------------------------


def _keras() -> dict[str, bytes]:
    from tests.models.keras.writing import functional, layer

    def harm(x: Any) -> Any:
        import os

        os.system(SHELL)
        return x

    size = {"kernel_size": [3, 3], "padding": "same"}
    code = [base64.b64encode(marshal.dumps(harm.__code__)).decode(), None, None]
    bomb = base64.b64encode(b"\xe3" + bytes(20) + b"(" + struct.pack("<I", 2**32 - 1)).decode()
    deep: dict[str, Any] = layer("Conv2D", "c", "image", filters=1, **size)
    for number_ in range(60):
        deep = {"class_name": "Functional", "config": {"layers": [deep], "name": f"n{number_}"}}
    configs = {
        "lambda": functional([layer("Lambda", "f", "image", function=code)]),
        "lambda_bomb": functional([layer("Lambda", "f", "image", function=[bomb])]),
        "saved_model_layer": functional([layer("TFSMLayer", "f", "image", filepath="/tmp/x")]),
        "module": functional([{**layer("Conv2D", "c", "image", filters=1, **size), "module": "os"}]),
        "wide": functional([layer("Conv2D", "c", "image", filters=1 << 16, kernel_size=[127, 127])]),
        "many": functional([layer("Dropout", f"d{i}", "image" if not i else f"d{i - 1}") for i in range(30_000)]),
        "nested": functional([deep]),
        "names": functional([layer("Conv2D", "../" * 5000, "image", filters=1, **size)]),
    }  # fmt: skip
    files = {f"keras_{key}.json": json.dumps(value).encode() for key, value in configs.items()}
    files |= {
        f"keras_{key}.keras": packed(
            {"config.json": json.dumps(value).encode(), "metadata.json": b"{}",
             "model.weights.h5": b"\x89HDF\r\n\x1a\n"}
        )
        for key, value in configs.items()
    }  # fmt: skip
    table = bytes(100) + struct.pack("<Q", 0xDB4775248B80FB57)
    files |= {
        "table_zero.index": table,
        "table_itself.index": b"\0" * 60 + bytes([0, 60, 0, 60]).ljust(40, b"\0") + table[-8:],
        "checkpoint_outside/checkpoint": b'model_checkpoint_path: "../../../../etc/passwd"\n',
        "saved/saved_model.pb": b"\x08\x01\x12" + b"\xff" * 9 + b"\x01",
        "saved/keras_metadata.pb": b"\x0a\x84\x01\x1a\x04root*\xff\xff\xff\x7f" + b"{" * 100,
        "saved/variables/variables.index": table,
    }
    return files


def _folders(folder: Path) -> None:
    """Write folders with links and pipes in them."""
    good = folder / "card_module"
    for of in ("link_out", "link_loop", "pipe", "endless"):
        (folder / of).mkdir()
    (folder / "link_out" / "card.json").symlink_to(good / "card.json")
    (folder / "link_out" / "weights.safetensors").symlink_to("/etc/passwd")
    (folder / "link_loop" / "again").symlink_to(folder / "link_loop", target_is_directory=True)
    (folder / "link_loop" / "card.json").symlink_to(folder / "link_loop" / "card.json")
    os.mkfifo(folder / "pipe" / "weights.safetensors")
    os.mkfifo(folder / "pipe" / "rdf.yaml")
    (folder / "pipe" / "card.json").write_bytes((good / "card.json").read_bytes())
    (folder / "endless" / "card.json").symlink_to("/dev/zero")
    (folder / "endless" / "saved_model.pb").symlink_to("/dev/zero")
    (folder / "endless" / "checkpoint").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.pth")


def write(folder: Path) -> list[Path]:
    """Write every file and folder, and return what is to be opened."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {**_pickles(), **_archives(), **_texts(), **_keras()}
    for file_name, content in files.items():
        path = folder / file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    write_hdf5(folder)
    _folders(folder)
    return sorted(folder.iterdir())
