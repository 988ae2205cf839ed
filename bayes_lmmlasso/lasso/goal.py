"""Where a Lasso path goes: to a number of active SNPs, or to given penalties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.arguments import check_number
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.checks import real_numbers

__all__ = ["Goal", "read_goal", "size_limit"]

_SMALLEST_SHARE = 1e-6  # of mu_max: where a path ends that never has n_active active SNPs


@dataclass(frozen=True, eq=False)
class Goal:
    """Where a path goes: the first segment with ``n_active`` active SNPs, or the penalties ``mu``.

    Exactly one of both is given. With ``n_active`` the reported points are the knots and the middle of that
    segment; with ``mu`` they are those penalties, in their order. ``limit`` says why ``n_active`` is less than what was
    asked for; empty if it is not.
    """

    n_active: int | None
    mu: NDArray[np.float64] | None
    limit: str = ""

    def mu_min(self, mu_max: float) -> float:
        """Where the path ends at the latest."""
        return mu_max * _SMALLEST_SHARE if self.mu is None else float(self.mu.min())


def read_goal(mu: ArrayLike | None, n_active: int | None, n_snps: int, n_free: int) -> Goal:
    """Check the arguments ``mu`` and ``n_active`` of the public functions.

    A model has at most as many SNPs as there are, and as there are samples less covariates, ``n_free``: more are not
    asked of it.

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
    if not size >= 1 or size % 1:
        raise InputError(f"expected a whole number of active SNPs of at least 1, got n_active={n_active}: 20 are usual")
    if n_free < 1:
        raise InputError(
            f"expected more samples than covariates, got {-n_free} covariates too many: leave some out, or take more "
            "samples"
        )
    return Goal(min(int(size), n_snps, n_free), None, size_limit(int(size), n_snps, n_free))


def size_limit(n_active: int, n_snps: int, n_free: int) -> str:
    """Say why a model has fewer SNPs than asked for; empty if it has not."""
    if n_active <= min(n_snps, n_free):
        return ""
    most = f"there are {n_snps} SNPs" if n_snps <= n_free else f"{n_free} is the number of samples less covariates"
    return f"{min(n_snps, n_free)} SNPs in place of {n_active}, as {most}"
