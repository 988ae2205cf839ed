"""What is known of draws besides the draws themselves. It is read without JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bayes_lmmlasso.models import RotatedData

__all__ = ["Drawn"]


@dataclass(frozen=True, eq=False)
class Drawn:
    """How draws were made, and from what.

    Attributes
    ----------
    data
        What was analysed as NumPy arrays, without the values of the SNPs: XT has shape ``(p, 0)``.
    log_prior
        Log prior densities of the hyper-parameters, shape ``(chains, draws)``.
    attrs
        Model and settings, as the tree has them.
    """

    data: RotatedData
    log_prior: dict[str, NDArray[Any]]
    attrs: dict[str, Any]
