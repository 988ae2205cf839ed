"""The Lasso path on small working sets, from their Gram matrices, many problems in step.

    b(mu) = argmin_b  1/2 b'G b - c'b + mu |b|_1,     G = Z'Z,  c = Z'y

Between two knots the active set A and its signs s stay, and with u = G_AA^-1 c_A, v = G_AA^-1 s

    b_A(mu) = u - mu v,        c_j - G_jA b_A(mu) = p_j + mu q_j,   p = c - G_{.A} u,  q = G_{.A} v

so the next knot is where an inactive |p_j + mu q_j| reaches mu (entry) or an active u_j - mu v_j reaches zero
(exit). (Osborne, Presnell, Turlach 2000, doi:10.1093/imanum/20.3.389; Efron et al. 2004,
doi:10.1214/009053604000000067, with the Lasso modification.) Each segment takes c and s afresh, so nothing
accumulates along the path; `lockstep` holds the inverse of G_AA and solves for u and v.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.lasso.lockstep import Knots, Lockstep

__all__ = ["Homotopy", "homotopies", "homotopy"]

_STEPS_PER_COLUMN = 20


@dataclass(frozen=True, eq=False)
class Homotopy:
    """The piecewise linear path.

    Parameters
    ----------
    mu
        Knots, descending, shape ``(t,)``. The first has all coefficients zero.
    coef
        Coefficients at the knots, linear in mu between them, shape ``(t, w)``.
    entered
        Column that enters at each knot, -1 where none does, shape ``(t,)``.
    reached
        Whether the goal (``n_active`` or ``mu_min``) was reached.
    """

    mu: NDArray[np.float64]
    coef: NDArray[np.float64]
    entered: NDArray[np.intp]
    reached: bool

    def at(self, mu: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the coefficients at any mu not below the last knot, shape ``(len(mu), w)``."""
        right = np.clip(np.searchsorted(-self.mu, -mu), 1, max(1, self.mu.size - 1))
        left = right - 1
        if self.mu.size == 1:
            return np.zeros((mu.size, self.coef.shape[1]))
        length = self.mu[left] - self.mu[right]
        share = np.clip((self.mu[left] - mu) / np.where(length > 0.0, length, 1.0), 0.0, 1.0)[:, None]
        return np.asarray((1.0 - share) * self.coef[left] + share * self.coef[right])


def homotopy(
    gram: NDArray[np.float64], c: NDArray[np.float64], *, n_active: int | None = None, mu_min: float = 0.0
) -> Homotopy:
    """Follow one path; see `homotopies`."""
    return homotopies([gram], [c], n_active=n_active, mu_min=[mu_min])[0]


def homotopies(
    grams: Sequence[NDArray[np.float64]],
    correlations: Sequence[NDArray[np.float64]],
    *,
    n_active: int | None = None,
    mu_min: Sequence[float],
) -> list[Homotopy]:
    """Follow paths from the largest mu down to a number of active columns or to ``mu_min``.

    Parameters
    ----------
    grams
        G of each problem, shape ``(w, w)``; w may differ.
    correlations
        c of each problem, shape ``(w,)``.
    n_active
        Stop in the middle of the first segment (of positive length) with this many active columns.
    mu_min
        Stop here in any case, for each problem.

    Returns
    -------
    list of Homotopy
        A column that depends linearly on the active ones (a duplicate, above all) does not enter.
    """
    first = [int(np.abs(c).argmax()) for c in correlations]
    largest = [float(np.abs(c[j])) for c, j in zip(correlations, first, strict=True)]
    moving = [b for b, mu in enumerate(largest) if mu > mu_min[b]]
    knots: list[list[tuple[Knots, int]]] = [[] for _ in grams]
    if moving:
        state = Lockstep(
            [grams[b] for b in moving],
            [correlations[b] for b in moving],
            [mu_min[b] for b in moving],
            [first[b] for b in moving],
            room=(n_active or 15) + 1,
        )
        for _ in range(_STEPS_PER_COLUMN * (state.c.shape[1] + 5)):
            found = state.advance(n_active)
            for place in np.flatnonzero(state.running):
                knots[moving[state.problem[place]]].append((found, int(place)))
            if state.retire(found.finished):
                break
    return [
        _assemble(mu, j, c.size, steps, n_active is None)
        for mu, j, c, steps in zip(largest, first, correlations, knots, strict=True)
    ]


def _assemble(mu: float, first: int, width: int, steps: list[tuple[Knots, int]], by_mu: bool) -> Homotopy:
    """Collect the knots of one problem; without any its path ends where it starts."""
    coef = np.zeros((len(steps) + 1, width))
    for row, (knots, place) in zip(coef[1:], steps, strict=True):
        n = knots.n_active[place]
        row[knots.active[place, :n]] = knots.coef[place, :n]
    return Homotopy(
        mu=np.array([mu] + [float(knots.mu[place]) for knots, place in steps]),
        coef=coef,
        entered=np.array([first if steps else -1] + [int(knots.entered[place]) for knots, place in steps]),
        reached=bool(steps[-1][0].reached[steps[-1][1]]) if steps else by_mu,
    )
