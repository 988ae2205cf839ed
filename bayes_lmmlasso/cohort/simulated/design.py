r"""What a simulated trait is made of, and the settings of published studies.

The program that Rakitsch et al. 2013 (doi:10.1093/bioinformatics/bts669) published with the LMM-Lasso simulates, on
1,000 SNPs of 176 *Arabidopsis* lines with the real trait LN16 as background t,

    y = 0.3 t + 0.5 s + 0.2 e,    s = sum of 5 SNPs of equal effect,    t, s, e of standard deviation 1

so that the shares of variance of SNPs, structure and noise are 0.25, 0.09 and 0.04 out of 0.38: the preset
``rakitsch2013``. The paper's Figure 2 varies the strength of structure, the number of causal SNPs and the
signal-to-noise ratio one at a time. **The values along these three axes, and that the other settings stay at those of
the program meanwhile, are assumptions of this package** (`SWEEPS`); so is the random sign of equal effects, which
stands for the arbitrary choice of the counted allele. With c_b, c_u, c_e the shares of SNPs, structure and noise the
axes are

    signal = c_b (c_b + c_u + c_e = 1),    structure = c_u / (c_u + c_e)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import check_count, check_number
from bayes_lmmlasso.errors import InputError

__all__ = ["PRESETS", "SWEEPS", "EffectLaw", "TraitDesign"]

EffectLaw = Literal["normal", "laplace", "equal", "geometric"]
_GEOMETRIC_RATIO = 0.9  # of successive geometric effects


@dataclass(frozen=True)
class TraitDesign:
    """Settings of a simulated trait.

    Attributes
    ----------
    n_causal
        Number of causal SNPs.
    effect_law
        Effects per standardised SNP, before they are scaled to their share of variance: ``normal`` N(0, 1);
        ``laplace`` Laplace(0, 1), an exponential with a random sign; ``equal`` 1 and ``geometric`` 0.9^k for k = 1, 2,
        ..., in random order and with random signs.
    share_snps, share_structure, share_noise
        Sample variances of the three parts; they add up to 1.
    min_distance
        Least distance of two causal SNPs of one chromosome in bp.

    Raises
    ------
    InputError
        Shares that are negative or do not add up to 1, no causal SNP, an unknown law or a negative distance.
    """

    n_causal: int = 5
    effect_law: EffectLaw = "normal"
    share_snps: float = 0.3
    share_structure: float = 0.3
    share_noise: float = 0.4
    min_distance: int = 0

    def __post_init__(self) -> None:
        names = ("share_snps", "share_structure", "share_noise")
        shares = tuple(check_number(getattr(self, name), name) for name in names)
        if not min(shares) >= 0 or not np.isclose(sum(shares), 1):
            raise InputError(f"expected non-negative shares that add up to 1, got {shares}; change one of them")
        if check_count(self.n_causal, "number of causal SNPs", 0) < 1:
            raise InputError(f"expected at least 1 causal SNP, got {self.n_causal}; 5 to 100 are usual")
        if self.effect_law not in get_args(EffectLaw):
            laws = ", ".join(get_args(EffectLaw))
            raise InputError(f"expected an effect law among {laws}, got {self.effect_law!r}; choose one of them")
        if self.min_distance < 0:
            raise InputError(f"expected a least distance of at least 0 bp, got {self.min_distance}; 0 asks for none")

    @classmethod
    def of_ratios(cls, signal: float, structure: float, *, n_causal: int = 5, effect_law: EffectLaw = "equal") -> Self:
        """Make a design from the share of SNPs and the share of structure in what is left, each 0 to 1."""
        return cls(
            n_causal=n_causal,
            effect_law=effect_law,
            share_snps=signal,
            share_structure=(1 - signal) * structure,
            share_noise=(1 - signal) * (1 - structure),
        )

    def draw_effects(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Effects of the causal SNPs before they are scaled, shape ``(n_causal,)``."""
        if self.effect_law == "normal":
            return rng.standard_normal(self.n_causal)
        if self.effect_law == "laplace":
            return rng.laplace(size=self.n_causal)
        sizes = np.ones(self.n_causal)
        if self.effect_law == "geometric":
            sizes = rng.permutation(_GEOMETRIC_RATIO ** np.arange(1, self.n_causal + 1))
        return np.asarray(sizes * rng.choice([-1.0, 1.0], size=self.n_causal))


_RAKITSCH2013 = TraitDesign.of_ratios(0.25 / 0.38, 0.09 / 0.13)

PRESETS: dict[str, TraitDesign] = {
    "rakitsch2013": _RAKITSCH2013,
    "balanced": TraitDesign(),
    "polygenic": replace(TraitDesign.of_ratios(0.5, 0.5), n_causal=50, effect_law="normal"),
    "no-structure": TraitDesign.of_ratios(0.5, 0.0),
}
"""Name -> design: that of the paper's program, and designs of this package."""

_SIGNAL, _STRUCTURE = _RAKITSCH2013.share_snps, 0.09 / 0.13
SWEEPS: dict[str, dict[float, TraitDesign]] = {
    "structure": {value: TraitDesign.of_ratios(_SIGNAL, value) for value in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)},
    "n_causal": {value: replace(_RAKITSCH2013, n_causal=value) for value in (5, 10, 25, 50, 100)},
    "signal": {value: TraitDesign.of_ratios(value, _STRUCTURE) for value in (0.1, 0.3, 0.5, 0.7, 0.9)},
}
"""Axis of the paper's Figure 2 -> value -> design (the values are assumed, see above)."""
