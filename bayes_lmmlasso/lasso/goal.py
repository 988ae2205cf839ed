"""Where a Lasso path goes: to a number of active SNPs, or to given penalties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.arguments import check_number
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.checks import real_numbers

__all__ = ["Goal", "read_goal"]

_SMALLEST_SHARE = 1e-6  # of mu_max: where a path ends that never has n_active active SNPs


@dataclass(frozen=True, eq=False)
class Goal:
    """Where a path goes: the first segment with ``n_active`` active SNPs, or the penalties ``mu``.

    Exactly one of both is given. With ``n_active`` the reported points are the knots and the middle of that
    segment; with ``mu`` they are those penalties, in their order.
    """

    n_active: int | None
    mu: NDArray[np.float64] | None

    def mu_min(self, mu_max: float) -> float:
        """Where the path ends at the latest."""
        return mu_max * _SMALLEST_SHARE if self.mu is None else float(self.mu.min())


def read_goal(mu: ArrayLike | None, n_active: int | None, n_snps: int, n_free: int) -> Goal:
    """Check the arguments ``mu`` and ``n_active`` of the public functions.

    Raises
    ------
    InputError
        If not exactly one is given, or it is out of range.
    """
    if (mu is None) == (n_active is None):
        raise InputError(f"expected either mu or n_active, got {'neither' if mu is None else 'both'}: pass one")
    if mu is not None:
        penalties = np.atleast_1d(real_numbers(mu, "mu"))
        if penalties.ndim != 1 or penalties.size == 0 or not (np.isfinite(penalties) & (penalties > 0.0)).all():
            raise InputError(f"expected finite penalties mu above 0, got {mu}: pass one number or a list")
        return Goal(None, penalties)
    size = check_number(n_active, "n_active")
    if size != int(size) or not 1 <= size <= min(n_snps, n_free):
        raise InputError(
            f"expected n_active from 1 to {min(n_snps, n_free)} (the smaller of {n_snps} SNPs and {n_free} "
            f"samples less covariates), got {n_active}: choose a smaller model"
        )
    return Goal(int(size), None)
