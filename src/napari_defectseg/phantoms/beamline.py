"""`Beamline`: the conditions that one X-ray movie is taken under."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_defectseg.phantoms.draw import between, log_between
from napari_defectseg.phantoms.movie_settings import MovieSettings


@dataclass(frozen=True)
class Beamline:
    """Metal, beam and detector; the same for all frames.

    Parameters
    ----------
    wall : bool
        A wall in the open beam; else a plate with a shade above.
    mu : float
        Attenuation of the metal, 1/µm.
    thickness : float
        Of the metal along the beam, µm.
    photons : float
        Counts a pixel without metal.
    exposure : float
        µs.
    fringes : float
        Phase contrast, see `MovieSettings`.
    blur : float
        Sigma of source and scintillator together, px.
    melt : float
        Relative loss of density by melting.
    texture : float
        Contrast of the faces.
    rounding : float
        Pixels over which the metal reaches its full thickness.
    """

    wall: bool
    mu: float
    thickness: float
    photons: float
    exposure: float
    fringes: float
    blur: float
    melt: float
    texture: float
    rounding: float

    @classmethod
    def drawn(cls, settings: MovieSettings, rng: np.random.Generator) -> Beamline:
        """Return a random one within the settings' ranges."""
        above = str(rng.choice(["dark", "dark", "bright"]))
        wall = (above if settings.above == "any" else settings.above) == "bright"
        return cls(
            wall=wall,
            mu=between(settings.attenuation, rng) / 1000,
            thickness=between(settings.thickness, rng),
            photons=log_between(settings.photons, rng),
            exposure=min(log_between(settings.exposure, rng), settings.frame_time),
            fringes=between(settings.fringes, rng),
            blur=float(rng.uniform(0.7, 1.1)),
            melt=float(rng.uniform(0.0, 0.03)),
            texture=between(settings.texture, rng) * (0.4 if wall else 1.0),
            rounding=between(settings.rounding, rng) if wall else 1.0,
        )

    @property
    def transmission(self) -> float:
        """Share of the beam that passes the whole metal (Beer and Lambert)."""
        return float(np.exp(-self.mu * self.thickness))

    @property
    def noise(self) -> float:
        """Relative standard deviation of a pixel of the metal, from counting alone."""
        return float(1 / np.sqrt(self.photons * self.transmission))

    def signal_to_noise(self, radii: tuple[float, float], pixel: float) -> float:
        """Return the signal of a pore, summed over its pixels, over its noise (Rose 1948).

        Parameters
        ----------
        radii : (float, float)
            Semi-axes in the picture, µm; along the beam it is as long as the shorter one.
        pixel : float
            µm.
        """
        # The mean chord of an ellipsoid is two thirds of its longest.
        contrast = np.expm1(self.mu * 4 / 3 * radii[1])
        count = np.pi * radii[0] * radii[1] / pixel**2
        return float(contrast * np.sqrt(count) / self.noise)
