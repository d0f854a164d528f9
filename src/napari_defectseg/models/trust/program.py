"""What would run in a program of torch, read as text; nothing is loaded."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

from napari_defectseg.models.package import DAMAGE, zip_at
from napari_defectseg.models.pickles import names_in

MOST_TEXT = 4 << 20
"""Bytes of a member that are looked at."""
MANGLED = re.compile(r"\.___torch_mangle_\d+")
FILES = re.compile(r"\b(torch\.save|torch\.load|torch\.from_file|aten\.save|aten\.from_file)\b")
SYMBOL = re.compile(r"Symbol\('[a-z]+\d*'(?:, [a-z]+=(?:True|False))*\)")
SIZE = re.compile(r"(?:[A-Z][A-Za-z]*\(|-?\d+|[()\s,+*/-]|[a-z]\d+)*")
"""What torch writes for a size that is free: symbols, whole numbers, sums and products."""
HARMLESS = ("torch.", "collections.", "_codecs.", "builtins.set")


def what_runs(path: Path) -> tuple[str, ...]:
    """Return sentences about the code in a program: whose classes, and what is unusual."""
    try:
        with zip_at(path) as archive:
            names = archive.namelist()
            scripted = any("/code/" in name for name in names)
            return _script(archive, names) if scripted else _exported(archive, names)
    except (*DAMAGE, KeyError) as error:
        return (f"What it would run cannot be read ({error}).",)


def _script(archive: zipfile.ZipFile, names: list[str]) -> tuple[str, ...]:
    code = [name for name in names if "/code/" in name and name.endswith(".py")]
    own = [name for name in code if "__torch__/torch/" not in name]
    text = "\n".join(_text(archive, name) for name in code)
    files = f"{len(code)} file{'s' * (len(code) != 1)} of code"
    said = [f"{files}, {len(own)} of them its author's."]
    pickled = next((name for name in names if name.endswith("/data.pkl")), "")
    classes = _classes(archive, pickled) if pickled else []
    if classes:
        said.insert(0, f"The class {classes[0]}.")
    if calls := sorted(set(FILES.findall(text))):
        said.append(f"It reads or writes files ({', '.join(calls)}).")
    if "__setstate__" in text:
        said.append("It has code that runs while it is loaded.")
    return tuple(said)


def _exported(archive: zipfile.ZipFile, names: list[str]) -> tuple[str, ...]:
    said = ["A graph of operations of torch."]
    for name in names:
        if name.endswith(".json") and "/models/" in f"/{name}":
            text = _text(archive, name)
            if strange := [e for e in _expressions(text) if not _is_size(e)]:
                said.append(f"A size that is written as code: {strange[0][:80]}")
        if name.endswith(".pt") and (asked := _asked(archive.read(name)[:MOST_TEXT])):
            said.append(f"{name.split('/')[-1]} is a pickle that asks for {asked}.")
        if name.endswith("_config.json") and '"use_pickle": true' in _text(archive, name):
            said.append("Some of its weights are pickles, which can run code.")
    return tuple(said)


def _expressions(text: str) -> list[str]:
    return [
        json.loads(f'"{found}"') for found in re.findall(r'"expr_str": "((?:[^"\\]|\\.)*)"', text)
    ]


def _is_size(expression: str) -> bool:
    return bool(SIZE.fullmatch(SYMBOL.sub("s0", expression)))


def _asked(data: bytes) -> str:
    """Return what the pickle in a nested file of torch asks for beside weights."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            pickled = next(name for name in inner.namelist() if name.endswith("data.pkl"))
            asked = names_in(io.BytesIO(inner.read(pickled)))
    except (*DAMAGE, StopIteration, KeyError):
        return "what cannot be read"
    return next((name for name in asked if not name.startswith(HARMLESS)), "")


def _classes(archive: zipfile.ZipFile, name: str) -> list[str]:
    try:
        found = names_in(io.BytesIO(archive.read(name)[:MOST_TEXT]))
    except ValueError:
        return []
    plain = [MANGLED.sub("", one).removeprefix("__torch__.") for one in found]
    return [one for one in dict.fromkeys(plain) if not one.startswith(HARMLESS)]


def _text(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        return file.read(MOST_TEXT).decode("utf-8", "replace")
