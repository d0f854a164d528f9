"""What a file is that is no model: one look at its first bytes, in words."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from napari_defectseg.models.inside import MATLAB, TF2ONNX, inside_file, inside_folder

HEAD = 512


@dataclass(frozen=True)
class Kind:
    """What was seen.

    Parameters
    ----------
    words : str
        Half a sentence: ``"it is a web page"``.
    advice : str
        What to do about it, a sentence or nothing.
    """

    words: str
    advice: str = ""


_AGAIN = "The download gave a page about the file; fetch the file itself."
_STATE = "Save its weights alone: torch.save(model.state_dict(), 'weights.pth')."

_ELSEWHERE = "Run it where it was made, and open its result as labels."

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"version https://git-lfs", Kind("it is a pointer of Git LFS, not the file", _AGAIN)),
    (b"<!doctype html", Kind("it is a web page", _AGAIN)),
    (b"<html", Kind("it is a web page", _AGAIN)),
    (b"\xac\xed\x00\x05", Kind("it is an object of Java, perhaps of Weka", _ELSEWHERE)),
    (b"matlab 5.0 mat-file", Kind("it is a file of MATLAB", MATLAB)),
    (b"ii*\x00", Kind("it is a TIFF image")),
    (b"mm\x00*", Kind("it is a TIFF image")),
    (b"\x89png", Kind("it is a PNG image")),
    (b"\xff\xd8\xff", Kind("it is a JPEG image")),
    (b"\x93numpy", Kind("it is a NumPy array")),
    (b"pk\x05\x06", Kind("it is an empty zip archive")),
    (b"pk\x03\x04", Kind("it is a zip archive", "Unpack it first if it holds a model.")),
)


def what_is(path: Path) -> Kind:
    """Return what a file or folder seems to be, for the sentence that refuses it."""
    if path.is_dir():
        return _folder(path)
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        return Kind("it is empty", "Fetch or save it again.")
    known = inside_file(path, head)
    if known is not None:
        return Kind(*known)
    start = head.lstrip().lower() if head[:1].isspace() else head.lower()
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    if head[257:262] == b"ustar":
        return Kind("it is a tar archive, as torch wrote it before 2016", _STATE)
    if not any(head):
        return Kind("it begins with zeros alone", "The copy may have failed; fetch it again.")
    return _text(head) or Kind("it is of no kind that this program knows")


def _text(head: bytes) -> Kind | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:  # of a longer file the last byte may be half a letter
        text = decoder.decode(head, final=len(head) < HEAD)
    except UnicodeDecodeError:
        return None
    if all(letter.isprintable() or letter.isspace() for letter in text):
        line = next((part.strip() for part in text.splitlines() if part.strip()), "")
        return Kind(f"it is text, beginning {line[:40]!r}")
    return None


_FOLDERS: tuple[tuple[tuple[str, ...], str, Kind], ...] = (
    (
        ("saved_model.pb",),
        "",
        Kind("it is a SavedModel of TensorFlow without a description of Keras", TF2ONNX),
    ),
)
"""Files that a folder of a kind holds, a word in the first of them, and the kind."""
LONGEST = 1 << 20


def _known_folder(path: Path) -> Kind | None:
    for files, word, kind in _FOLDERS:
        if all((path / name).is_file() for name in files):
            first = path / files[0]
            text = first.read_bytes()[:LONGEST].decode("utf-8", "replace") if word else ""
            if word in text:
                return kind
    return None


def _folder(path: Path) -> Kind:
    known = _known_folder(path)
    if known is not None:
        return known
    seen = inside_folder(path)
    if seen is not None:
        return Kind(*seen)
    names = sorted(item.name for item in path.iterdir() if not item.name.startswith("."))
    if not names:
        return Kind("it is an empty folder")
    weights = [name for name in names if Path(name).suffix in (".safetensors", ".pt", ".pth")]
    few = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    advice = f"Open the weights themselves: {weights[0]}." if weights else ""
    return Kind(f"it is a folder with {few}", advice)
