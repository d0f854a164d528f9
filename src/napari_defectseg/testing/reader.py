"""`ReaderContract`: what a reader of images must do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_defectseg.core.errors import DefectSegError, ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_lazily
from napari_defectseg.images.parts import Part
from napari_defectseg.images.reader import BY_CONTENT, BY_NAME, EXACT, NO
from napari_defectseg.testing.files import check_sentence, damaged, strangers


@dataclass(frozen=True)
class Sample:
    """A file and what is in it.

    Parameters
    ----------
    path : Path
        File or folder.
    pixels : ndarray
    axes : sequence of str
        One letter an axis.
    spacing : sequence of float or None
        Pixel size along each spatial axis in `unit`; None: the file does not tell.
    unit : str
        A length unit.
    part : str or None
        Which image of the file it is; None for a file with one.
    """

    path: Path
    pixels: NDArray[Any]
    axes: Sequence[str]
    spacing: Sequence[float] | None = None
    unit: str = ""
    part: str | None = None


class ReaderContract:
    """Inherit it, name the `reader`, and write a file that it reads.

    Attributes
    ----------
    reader : module or object
        As the entry point in the group ``napari_defectseg.readers`` names it.
    tolerance : float
        Largest difference of pixels, for formats that lose some.
    """

    reader: Any
    tolerance: float = 0.0

    def write(self, folder: Path) -> Sample:
        """Write a small file and return what is in it."""
        raise NotImplementedError

    def read(self, path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
        """Read a file through the reader, a container with our own readers for what is in it."""
        if hasattr(self.reader, "read_container"):
            image = self.reader.read_container(path, open_lazily, part, axes)
        else:
            image = self.reader.read(path, part, axes)
        assert isinstance(image, CalibratedImage)
        return image

    @pytest.fixture
    def sample(self, tmp_path: Path) -> Sample:
        """Return the file of `write`, in a folder of its own."""
        folder = tmp_path / "sample"
        folder.mkdir()
        return self.write(folder)

    def test_its_own_file_is_recognised(self, sample: Sample) -> None:
        """By name or by content, as one of the reader's four degrees."""
        assert self.reader.recognise(sample.path) in (BY_NAME, BY_CONTENT, EXACT)

    def test_strangers_are_not_recognised(self, tmp_path: Path) -> None:
        """Empty files, text, noise and empty folders are nobody's."""
        for path in strangers(tmp_path):
            assert self.reader.recognise(path) == NO, path.name

    def test_pixels_axes_and_type_are_those_in_the_file(self, sample: Sample) -> None:
        """Shape and axes are known before pixels are read; slices are slices of the whole."""
        image = self.read(sample.path, sample.part)
        assert image.axes == tuple(sample.axes)
        assert image.shape == sample.pixels.shape
        whole = np.asarray(image.data[...])
        assert whole.dtype == image.dtype == sample.pixels.dtype
        np.testing.assert_allclose(whole, sample.pixels, rtol=0, atol=self.tolerance)
        corner = tuple(slice(n // 3, n // 3 + 2) for n in image.shape)
        np.testing.assert_array_equal(np.asarray(image.data[corner]), whole[corner])

    def test_the_pixel_size_is_that_in_the_file_or_unknown(self, sample: Sample) -> None:
        """A size has a unit and says which tag it came from; none is made up."""
        calibration = self.read(sample.path, sample.part).calibration
        if sample.spacing is None:
            assert not calibration.calibrated
        else:
            assert calibration.source
            found = calibration.to(sample.unit).spacing
            assert found == pytest.approx(tuple(sample.spacing), rel=1e-6)

    def test_the_image_knows_its_file(self, sample: Sample) -> None:
        """Its origin is the path, its name not empty."""
        image = self.read(sample.path, sample.part)
        assert Path(image.origin.path) == sample.path
        assert image.name

    def test_every_part_can_be_read_by_its_name(self, sample: Sample) -> None:
        """`parts` names all images; the sample is one of them."""
        parts = self.reader.parts(sample.path)
        assert parts
        assert all(isinstance(part, Part) for part in parts)
        for part in parts:
            image = self.read(sample.path, part.name if len(parts) > 1 else None)
            assert not part.dtype or np.dtype(part.dtype) == image.dtype
        if len(parts) > 1:
            with pytest.raises(ImageError):
                self.read(sample.path, "no such part")

    def test_axes_can_be_told(self, sample: Sample) -> None:
        """A person may name the axes; too few of them is a sentence."""
        wanted = "".join(sample.axes)
        assert self.read(sample.path, sample.part, wanted).axes == tuple(sample.axes)
        with pytest.raises(DefectSegError):
            self.read(sample.path, sample.part, wanted + "t")

    def test_damaged_files_are_read_or_refused_in_a_sentence(
        self, sample: Sample, tmp_path: Path
    ) -> None:
        """Cut off or overwritten: an image, or a `DefectSegError`; never anything else."""
        for path in damaged(sample.path, tmp_path):
            try:
                if self.reader.recognise(path) == NO:
                    continue
                np.asarray(self.read(path, sample.part).data[...])
            except DefectSegError as error:
                check_sentence(error)
