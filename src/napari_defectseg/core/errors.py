"""Every error a user can meet, as a sentence and a hint.

::

    DefectSegError
    ├── Cancelled
    ├── ImageError           (ValueError)          an image cannot be read, or is not one
    ├── FileMissing          (FileNotFoundError)   a path that does not exist
    ├── CalibrationError     (ValueError)          a length, unit or spacing that makes no sense
    ├── ClassError           (ValueError)          class names, values, colours that clash
    ├── ModelError           (ValueError)          a file that is no model we know, or a wrong card
    │   └── ModelMissing     (FileNotFoundError)   no model at that path or of that name
    ├── DeviceError          (RuntimeError)        a device that is missing, or full
    ├── LabelError           (ValueError)          an edit or tool that cannot be done
    ├── MeasurementError     (ValueError)          something that cannot be measured
    ├── DatasetError         (ValueError)          a dataset folder that is not whole
    ├── TrainingError        (ValueError)          a plan or dataset that cannot be trained
    ├── RecipeError          (ValueError)          a recipe or result that cannot be read
    ├── SampleError          (OSError)             a sample that cannot be fetched
    ├── AlreadyExists        (FileExistsError)     something that would be overwritten
    └── NotSaved             (OSError)             a write that failed (disk full, read-only)

Third parties' exceptions are turned into these at the border where the third
party is called. Anything else that reaches a user is a bug and keeps its traceback.
"""

from __future__ import annotations

from typing import Self


class DefectSegError(Exception):
    """A failure a user can understand.

    Parameters
    ----------
    sentence : str
        What happened and what was seen, naming the file where there is one.
    hint : str, optional
        What to do next.
    """

    def __init__(self, sentence: str, *, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}".strip()


class Cancelled(DefectSegError):
    """The user stopped the work; the sentence says what was kept."""


class ImageError(DefectSegError, ValueError):
    """An image cannot be read, or is not an image."""


class FileMissing(DefectSegError, FileNotFoundError):
    """A path that does not exist."""


class CalibrationError(DefectSegError, ValueError):
    """A length, unit or spacing that makes no sense."""


class ClassError(DefectSegError, ValueError):
    """Class names, values or colours that clash."""


class ModelError(DefectSegError, ValueError):
    """A file that is not a model this program knows, or a card that is wrong."""


class ModelMissing(ModelError, FileNotFoundError):
    """No model at that path or of that name."""

    def __new__(cls, sentence: str = "", *, hint: str = "") -> Self:
        """Make it as an OSError, which of its bases asks for that: it travels between processes."""
        return FileNotFoundError.__new__(cls, sentence)


class DeviceError(DefectSegError, RuntimeError):
    """A device that is missing or full."""


class LabelError(DefectSegError, ValueError):
    """An edit or a tool that cannot be applied."""


class MeasurementError(DefectSegError, ValueError):
    """Something that cannot be measured."""


class DatasetError(DefectSegError, ValueError):
    """A dataset folder that is not whole, or an addition that does not fit it."""


class TrainingError(DefectSegError, ValueError):
    """A plan or a dataset that cannot be trained on."""


class RecipeError(DefectSegError, ValueError):
    """A recipe or result that cannot be read."""


class SampleError(DefectSegError, OSError):
    """A sample that cannot be fetched."""


class AlreadyExists(DefectSegError, FileExistsError):
    """Something that exists and would be overwritten."""


class NotSaved(DefectSegError, OSError):
    """A write that failed; nothing that existed before was touched."""
