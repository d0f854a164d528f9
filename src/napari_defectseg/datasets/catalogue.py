"""The catalogue of samples: what can be made here, and what can be downloaded from whom."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from napari_defectseg.core.errors import SampleError

Role: TypeAlias = Literal["image", "mask", "part"]


class SampleFile(BaseModel):
    """One file of a sample.

    Parameters
    ----------
    url_path : str
        ``owner/name/commit/path`` on the server of public files.
    sha256 : str
        Of the original.
    bytes : int
        Its size.
    local : str
        Path inside the sample's folder.
    role : {"image", "mask", "part"}
        A part belongs to another file (a header's pixels).
    crop : dict of str to (start, stop), optional
        What is cut out of the original, by axis.
    grey : bool
        Colours of equal channels become one.
    licence : str
        Where it is another than the sample's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url_path: str
    sha256: str
    bytes: int
    local: str
    role: Role = "image"
    crop: dict[str, tuple[int, int]] = {}
    grey: bool = False
    licence: str = ""

    @property
    def changed(self) -> bool:
        """Whether the sample holds something else than the original."""
        return bool(self.crop) or self.grey

    @property
    def original(self) -> str:
        """A name for the original that no other file of the sample has."""
        return f"{self.sha256[:8]}-{self.url_path.rsplit('/', 1)[-1]}"

    def url(self, server: str) -> str:
        """Return where it is downloaded from."""
        return f"{server.rstrip('/')}/{quote(self.url_path)}"


class Sample(BaseModel):
    """One sample.

    Parameters
    ----------
    name : str
        What it is asked for by.
    title, text : str
        For people: what it is, and what one should know.
    licence : str
        Under what terms the images may be used.
    made_by : str
        Who made it.
    phantom : str
        The kind of phantom it is, for samples that are made here; empty: downloaded.
    pixel_size : tuple of float, optional
        Of its images where the files do not hold it, slowest axis first, in `unit`.
    unit : str
    files : tuple of SampleFile
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    text: str
    licence: str
    made_by: str
    phantom: str = ""
    pixel_size: tuple[float, ...] = ()
    unit: str = ""
    files: tuple[SampleFile, ...] = ()

    @property
    def bytes(self) -> int:
        """What has to be downloaded."""
        return sum(file.bytes for file in self.files)

    @property
    def source(self) -> str:
        """The repository and commit that it comes from; empty for one that is made here."""
        places = dict.fromkeys("@".join(_place(file.url_path)) for file in self.files)
        return ", ".join(places)


@cache
def catalogue() -> tuple[Sample, ...]:
    """Return all samples, those that are made here first."""
    text = files("napari_defectseg.datasets").joinpath("samples.json").read_text("utf-8")
    return tuple(Sample.model_validate(values) for values in json.loads(text))


def sample(name: str) -> Sample:
    """Return the sample of that name.

    Raises
    ------
    SampleError
        If there is none.
    """
    for known in catalogue():
        if known.name == name:
            return known
    raise SampleError(
        f"There is no sample {name!r}.",
        hint=f"Known: {', '.join(known.name for known in catalogue())}.",
    )


def usual_folder(name: str) -> Path:
    """Return where a sample is kept if nothing else is asked for: the user's cache."""
    from platformdirs import user_cache_path

    return user_cache_path("napari-defectseg") / "samples" / name


def _place(url_path: str) -> tuple[str, str]:
    owner, name, commit, _ = url_path.split("/", 3)
    return f"{owner}/{name}", commit
