"""`MicrographSettings` and ready-made scenes: what synthetic micrographs show."""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_defectseg.core.classes import ClassMap, DefectClass

Range = tuple[float, float]
Count = tuple[int, int]
VOID, PRECIPITATE, LOOP, LINE = 1, 2, 3, 4
CLASSES = ClassMap.of(["void", "precipitate", "loop", "line"])


@dataclass(frozen=True)
class MicrographSettings:
    """What a micrograph shows. Pairs are ranges that each picture draws from.

    Parameters
    ----------
    pixel_size : (float, float)
        nm, log-uniform.
    voids, precipitates, loops, lines : (int, int)
        How many on 512 x 512 pixels; larger fields hold more in proportion.
    void_diameter, precipitate_diameter, loop_diameter : (float, float)
        px, log-uniform; a loop's is its longer axis.
    line_width : (float, float)
        px.
    contrast : (float, float)
        Fraction of intensity that loops, precipitates and lines take away.
    void_contrast : (float, float)
        Fraction of intensity that the middle of a void gains, besides what fringes and the
        thinner foil do.
    loop_styles : tuple of str
        Drawn from with equal chance; see `contrast.LOOP_STYLES`.
    loop_softness : (float, float)
        Width of a loop's edge in units of its semi-axes: sharp rims to blurred strain clouds.
    decoration, clumping : (float, float)
        Share of the loops that sit along lines, in clumps.
    visibility : float
        Defects of less contrast to noise and clutter (`visibility.visibility`) are left out of
        the picture, as no expert could label them; 0 draws all.
    bending : (float, float)
        0 even background, 1 bend contours and thickness fringes.
    clouds : (float, float)
        Relative strength of cloudy background: surface, oxide, damage out of focus.
    mottle : (float, float)
        Relative strength of fine mottling of about a defect's size: ion milling, small damage.
    blotches : (float, float)
        Depth of large dark patches without an edge.
    bands, fringes : (int, int)
        Strips across the field; groups of wavy lines on 512 x 512 pixels. No defects.
    specks : (int, int)
        Spots that are no defect, on 512 x 512 pixels; fainter than any defect.
    defocus : (float, float)
        nm; negative is underfocus: voids bright with a dark fringe.
    blur : (float, float)
        Sigma of the lens's blur, px.
    dose : (float, float)
        Electrons a recorded pixel, log-uniform.
    detector : (float, float)
        Sigma of the detector's spread, px.
    enlargement : (float, float)
        Factor by which the picture was enlarged after recording: its noise is smooth.
    vignetting : (float, float)
        Loss of light at the corners.
    brightness : (float, float)
        Mean grey level, as a share of the full range.
    stretch : (float, float)
        Standard deviation of grey levels, as a share of the full range.
    labelled : tuple of str
        Classes that are in the truth; the others are drawn, but count as background.
    multilabel : bool
        One plane a class instead of an exclusive mask.
    bits : int
        8 or 16.
    """

    pixel_size: Range = (0.2, 0.8)
    voids: Count = (8, 24)
    precipitates: Count = (4, 14)
    loops: Count = (5, 18)
    lines: Count = (0, 4)
    void_diameter: Range = (7, 45)
    precipitate_diameter: Range = (10, 60)
    loop_diameter: Range = (8, 50)
    line_width: Range = (3, 9)
    contrast: Range = (0.15, 0.6)
    void_contrast: Range = (0.05, 0.4)
    loop_styles: tuple[str, ...] = ("dot", "dot", "ring", "bean", "arcs", "edge-on", "black-white")
    loop_softness: Range = (0.06, 0.25)
    decoration: Range = (0.0, 0.5)
    clumping: Range = (0.0, 0.3)
    visibility: float = 1.8
    bending: Range = (0.0, 1.0)
    clouds: Range = (0.03, 0.12)
    mottle: Range = (0.0, 0.05)
    blotches: Range = (0.0, 0.3)
    bands: Count = (0, 1)
    fringes: Count = (0, 1)
    specks: Count = (0, 12)
    defocus: Range = (-1200, 1500)
    blur: Range = (0.6, 1.8)
    dose: Range = (40, 900)
    detector: Range = (0.4, 1.0)
    enlargement: Range = (1.0, 2.4)
    vignetting: Range = (0.0, 0.15)
    brightness: Range = (0.4, 0.68)
    stretch: Range = (0.09, 0.18)
    labelled: tuple[str, ...] = ("void", "precipitate", "loop", "line")
    multilabel: bool = False
    bits: int = 8

    @property
    def classes(self) -> ClassMap:
        """The labelled classes; values, colours and patterns are those of all four."""
        kept: tuple[DefectClass, ...] = tuple(CLASSES.by_name(name) for name in self.labelled)
        return ClassMap(kept, exclusive=not self.multilabel)


NOTHING = MicrographSettings(voids=(0, 0), precipitates=(0, 0), loops=(0, 0), lines=(0, 0))

SCENES: dict[str, MicrographSettings] = {
    "mixed": MicrographSettings(),
    "voids": replace(NOTHING, voids=(6, 70), void_diameter=(6, 60), lines=(0, 2)),
    "precipitates": replace(NOTHING, precipitates=(4, 40), lines=(0, 3)),
    "loops": replace(
        NOTHING,
        loops=(6, 40),
        lines=(0, 3),
        loop_diameter=(14, 60),
        loop_styles=("dot", "dot", "dot", "edge-on", "bean", "black-white"),
        contrast=(0.12, 0.5),
        bending=(0.0, 0.35),
        enlargement=(1.2, 2.6),
        specks=(4, 25),
        dose=(20, 150),
    ),
    "decorated": replace(
        NOTHING,
        loops=(15, 60),
        lines=(2, 6),
        loop_diameter=(18, 60),
        loop_styles=("dot", "dot", "dot", "edge-on", "black-white"),
        loop_softness=(0.15, 0.42),
        decoration=(0.4, 0.9),
        clumping=(0.2, 0.6),
        line_width=(8, 26),
        contrast=(0.25, 0.6),
        bending=(0.0, 0.3),
        clouds=(0.06, 0.16),
        mottle=(0.0, 0.05),
        enlargement=(1.6, 2.2),
        dose=(12, 50),
        specks=(10, 40),
    ),
    "damage": replace(
        NOTHING,
        loops=(30, 110),
        lines=(0, 2),
        loop_diameter=(14, 44),
        loop_styles=("dot", "dot", "dot", "edge-on", "bean", "black-white", "ring"),
        loop_softness=(0.12, 0.4),
        clumping=(0.1, 0.5),
        contrast=(0.15, 0.6),
        clouds=(0.06, 0.16),
        mottle=(0.06, 0.15),
        blotches=(0.1, 0.6),
        bending=(0.0, 0.3),
        specks=(30, 150),
        dose=(40, 250),
        enlargement=(1.0, 1.3),
        brightness=(0.5, 0.72),
    ),
    "lines": replace(NOTHING, lines=(3, 12), loops=(0, 6)),
    "empty": replace(
        NOTHING,
        clouds=(0.03, 0.2),
        mottle=(0.0, 0.12),
        blotches=(0.0, 0.8),
        bands=(0, 3),
        fringes=(0, 6),
        specks=(0, 60),
    ),
}
"""Ready-made settings by name."""

VARIED = (
    ("mixed", 0.26),
    ("voids", 0.14),
    ("precipitates", 0.1),
    ("loops", 0.14),
    ("decorated", 0.11),
    ("damage", 0.11),
    ("lines", 0.03),
    ("empty", 0.11),
)
"""Scenes and shares of the mixture called ``"varied"``, which models are trained on."""
