"""Files of ``torch.save`` that hold whole modules and other objects, read inertly.

The tensors of a module come out under the names of its state dict; nothing is imported or run.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.chain import chain_of
from napari_defectseg.models.inert import InertMachine
from napari_defectseg.models.inert_values import (
    AsksToRun,
    Storage,
    StoredTensor,
    StrangePickle,
    Stub,
)
from napari_defectseg.models.kin import of_classes
from napari_defectseg.models.package import DAMAGE, is_zip, zip_at
from napari_defectseg.models.pickles import LEGACY, MOST

if TYPE_CHECKING:
    import torch

Raw: TypeAlias = Callable[[Storage, int], bytes]

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
DEEPEST = 5
"""Tables inside tables that are looked at; weights lie at the top."""
MOST_MODULES = 100_000
KINDS = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "UntypedStorage": "uint8",
}
PROGRAM = "__torch__"
"""How the modules of the classes in a TorchScript program begin."""
_USUAL = ("torch.", "collections.", "numpy")
MAPPINGS = ("Namespace", "AttributeDict", "EasyDict", "DictConfig", "Box", "Munch", "ConfigDict")


@dataclass(frozen=True)
class InertTree:
    """What a file holds.

    Parameters
    ----------
    tree : object
        Tables, lists, numbers, text, and tensors where weights lie; modules are tables of
        their tensors.
    classes : tuple of str
        Of objects that the file holds; none of them was imported.
    source : str
        Python source that an old file carries with it.
    chain : dict or None
        The layers, where the file is a whole chain of torch's own; settings of a network.
    """

    tree: Any
    classes: tuple[str, ...] = ()
    source: str = ""
    chain: dict[str, Any] | None = None

    @property
    def module(self) -> str:
        """Class of the module that the file is or holds, empty if there is none."""
        ours = [n for n in self.classes if not n.startswith(_USUAL)]
        return (ours or [*self.classes, ""])[0]

    @property
    def title(self) -> str:
        """What to say behind the name of the file, empty where it is weights alone."""
        return f" (objects of {self.module})" if self.module else ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, as sentences."""
        if not self.module:
            return ()
        return (
            f"The file holds objects of {self.module}; its weights were read, nothing was run.",
        )


def read_inert(path: str | Path) -> InertTree:
    """Return what a file of ``torch.save`` holds, whatever it is.

    Raises
    ------
    ModelError
        If it asks for something to be run, is damaged, or claims more than it holds.
    """
    path = Path(path)
    machine = InertMachine()
    try:
        read = _read_zip if is_zip(path) else _read_legacy
        tree, root = read(path, machine)
    except AsksToRun as error:
        raise ModelError(
            f"{path} was refused: it asks for {error} to be run. Nothing was run.",
            hint="Do not use it. An honest file of weights never asks for that.",
        ) from error
    except DAMAGE as error:  # a strange pickle is one of these
        kin = of_classes(machine.classes)
        raise ModelError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as weights: it holds {error}. "
            "Nothing in it was run.",
            hint=kin.advice if kin else "If it was cut off while it was copied, fetch it again.",
        ) from error
    return InertTree(tree, tuple(machine.classes), machine.source, chain_of(root))


def _read_zip(path: Path, machine: InertMachine) -> tuple[Any, Any]:
    """Return what the file holds, and the same with its stubs."""
    with zip_at(path) as archive:
        members = {m.filename: m for m in archive.infolist()}
        if len(members) < len(archive.infolist()):
            raise StrangePickle("two members of one name")
        (pickled,) = [n for n in members if n.split("/")[1:] == ["data.pkl"]] or [""]
        if not pickled or members[pickled].file_size > MOST or _packed(members[pickled]):
            raise StrangePickle("no data.pkl, or one that is too long")
        root = pickled.removesuffix("data.pkl")
        if root + "byteorder" in members and archive.read(root + "byteorder") != b"little":
            raise StrangePickle("numbers in the order of a big-endian machine")
        with archive.open(pickled) as file:
            tree = machine.read(io.BytesIO(file.read()))

        def raw(storage: Storage, size: int) -> bytes:
            member = members.get(f"{root}data/{storage.key}")
            if member is None or member.file_size < size or _packed(member):
                raise StrangePickle(f"storage {storage.key} shorter than it says")
            return archive.read(member)

        return Reading(raw).plain(tree), tree


def _packed(member: zipfile.ZipInfo) -> bool:
    """Return whether a member is compressed or encrypted: torch stores numbers as they are."""
    return member.compress_type != zipfile.ZIP_STORED or bool(member.flag_bits & 1)


def _read_legacy(path: Path, machine: InertMachine) -> tuple[Any, Any]:
    """Return what the file holds, and the same with its stubs."""
    with path.open("rb") as file:
        data = io.BytesIO(file.read())  # the numbers follow the pickles in one stream
    if data.getbuffer()[: len(LEGACY)] != LEGACY:
        machine.read(data)
        objects = f" of {', '.join(machine.classes[:3])}" if machine.classes else ""
        raise StrangePickle(f"a bare pickle{objects}, not what torch.save writes")
    if InertMachine().read(data) != MAGIC or InertMachine().read(data) != PROTOCOL:
        raise StrangePickle("another version of the old format")
    system = InertMachine().read(data)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise StrangePickle("numbers in the order of a big-endian machine")
    tree = machine.read(data)
    keys = InertMachine().read(data)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise StrangePickle("no list of storages")
    sizes = _sizes_of(tree)
    places: dict[str, tuple[int, int]] = {}
    for key in keys:
        length = int.from_bytes(data.read(8), "little")
        places[key] = (data.tell(), length * sizes.get(key, 1))
        if places[key][1] > len(data.getbuffer()) - data.tell() or key not in sizes:
            raise StrangePickle(f"storage {key} longer than the file")
        data.seek(places[key][1], io.SEEK_CUR)

    def raw(storage: Storage, size: int) -> bytes:
        start, length = places.get(storage.key, (0, -1))
        if length < size:
            raise StrangePickle(f"storage {storage.key} shorter than it says")
        return bytes(data.getbuffer()[start : start + length])

    return Reading(raw).plain(tree), tree


def _sizes_of(tree: Any) -> dict[str, int]:
    """Return bytes of a number in each storage that the tree refers to; without recursion."""
    sizes: dict[str, int] = {}
    seen: set[int] = set()
    left = [tree]
    while left:
        item = left.pop()
        if isinstance(item, StoredTensor):
            sizes[item.storage.key] = _item_size(item.storage.kind)
        if isinstance(item, Storage):
            sizes[item.key] = _item_size(item.kind)
        if isinstance(item, dict | list | tuple | Stub) and id(item) not in seen:
            seen.add(id(item))
            left.extend(_parts(item))
    return sizes


def _parts(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [*item.values()]
    if isinstance(item, Stub):
        return [*item.args, item.state, *item.items.values(), *item.listed]
    return list(item)


def _item_size(kind: str) -> int:
    import torch

    if kind not in KINDS:
        raise StrangePickle(f"numbers of the kind {kind}")
    dtype: torch.dtype = getattr(torch, KINDS[kind])
    return dtype.itemsize


@dataclass
class Reading:
    """Makes tensors of references, and tables of modules.

    Parameters
    ----------
    raw : callable
        Returns the bytes of a storage, which must have at least so many.
    """

    raw: Raw
    made: dict[str, torch.Tensor] = field(default_factory=dict)

    def plain(self, item: Any, depth: int = 0) -> Any:
        """Return tables with tensors in place of references; stubs of modules are tables."""
        if isinstance(item, StoredTensor):
            return self.tensor(item)
        if isinstance(item, Stub):
            item = self._of_stub(item)
        if not isinstance(item, dict) or depth > DEEPEST:
            return item
        return {key: self.plain(value, depth + 1) for key, value in item.items()}

    def _of_stub(self, stub: Stub) -> Any:
        state = stub.state
        if isinstance(state, dict) and ("_modules" in state or "_parameters" in state):
            return _tensors_of(stub)
        if isinstance(state, dict) and stub.name.module.startswith(PROGRAM):
            return _tensors_of(stub)
        if stub.name.name in MAPPINGS:
            return state if isinstance(state, dict) and state else stub.items
        held = state.get("model") if isinstance(state, dict) else None
        return {"model": held} if isinstance(held, Stub) else stub.items or stub

    def tensor(self, stored: StoredTensor) -> torch.Tensor:
        """Return a tensor, after a look at whether it lies inside its storage."""
        import torch

        last = sum((n - 1) * s for n, s in zip(stored.size, stored.stride, strict=True))
        empty = 0 in stored.size
        kind = stored.dtype or KINDS.get(stored.storage.kind, "")
        dtype = getattr(torch, kind, None)
        if not isinstance(dtype, torch.dtype):
            raise StrangePickle(f"numbers of the kind {stored.dtype or stored.storage.kind}")
        need = 0 if empty else (stored.offset + last + 1) * dtype.itemsize
        if math.prod(stored.size) >= 1 << 40:
            raise StrangePickle(f"a tensor of {math.prod(stored.size):.3g} numbers")
        if empty:
            return torch.empty(stored.size, dtype=dtype)
        base = self._storage(stored.storage, need)
        whole = base.numel() // dtype.itemsize * dtype.itemsize
        return base[:whole].view(dtype).as_strided(stored.size, stored.stride, stored.offset)

    def _storage(self, storage: Storage, need: int) -> torch.Tensor:
        import torch

        if storage.key not in self.made:
            size = max(need, storage.length * _item_size(storage.kind))
            self.made[storage.key] = torch.frombuffer(
                bytearray(self.raw(storage, size)), dtype=torch.uint8
            )
        if self.made[storage.key].numel() < need:
            raise StrangePickle(f"a tensor that reaches beyond storage {storage.key}")
        return self.made[storage.key]


def _tensors_of(module: Stub) -> dict[str, Any]:
    """Return the parameters and lasting buffers of a module and all inside it, by name."""
    found: dict[str, Any] = {}
    left: list[tuple[str, Stub]] = [("", module)]
    visited = 0
    while left:
        prefix, stub = left.pop()
        visited += 1
        if visited > MOST_MODULES:
            raise StrangePickle("a module that holds itself")
        tensors, inner = _inside(stub)
        found.update((f"{prefix}{name}", tensor) for name, tensor in tensors.items())
        left.extend((f"{prefix}{name}.", stub) for name, stub in reversed(inner.items()))
    return found


def _inside(stub: Stub) -> tuple[dict[Any, StoredTensor], dict[Any, Stub]]:
    """Return the tensors and the modules that a module itself holds."""
    state = stub.state if isinstance(stub.state, dict) else {}
    if stub.name.module.startswith(PROGRAM):  # its attributes lie side by side
        held: Mapping[Any, Any] = state
        modules = held
    else:
        passing = state.get("_non_persistent_buffers_set")
        gone = passing if isinstance(passing, list) else []
        buffers = _entries(state.get("_buffers")).items()
        held = {**_entries(state.get("_parameters")), **{n: b for n, b in buffers if n not in gone}}
        modules = _entries(state.get("_modules"))
    return (
        {name: value for name, value in held.items() if isinstance(value, StoredTensor)},
        {name: value for name, value in modules.items() if isinstance(value, Stub)},
    )


def _entries(value: Any) -> Mapping[Any, Any]:
    if isinstance(value, Stub):
        return value.items
    return value if isinstance(value, dict) else {}
