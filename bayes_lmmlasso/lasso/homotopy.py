"""The Lasso path on a small working set, from its Gram matrix.

    b(mu) = argmin_b  1/2 b'G b - c'b + mu |b|_1,     G = Z'Z,  c = Z'y

Between two knots the active set A and its signs s stay, and with u = G_AA^-1 c_A, v = G_AA^-1 s

    b_A(mu) = u - mu v,        c_j - G_jA b_A(mu) = p_j + mu q_j,   p = c - G_{.A} u,  q = G_{.A} v

so the next knot is where an inactive |p_j + mu q_j| reaches mu (entry) or an active u_j - mu v_j reaches zero
(exit). Every segment is solved afresh, so nothing drifts. (Osborne, Presnell, Turlach 2000,
doi:10.1093/imanum/20.3.389; Efron et al. 2004, doi:10.1214/009053604000000067, with the Lasso modification.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky

__all__ = ["Homotopy", "homotopy"]

_DEPENDENT = 1e-11  # share of a column's square not explained by the active ones, below which it is dependent
_ROUNDING = 1e-13  # of the largest coefficient
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


@dataclass(frozen=True, eq=False)
class _Segment:
    """The solution on one segment: active columns, their signs and the four coefficient vectors."""

    active: list[int]
    signs: NDArray[np.float64]
    factor: NDArray[np.float64]
    u: NDArray[np.float64]
    v: NDArray[np.float64]
    p: NDArray[np.float64]
    q: NDArray[np.float64]

    @classmethod
    def solve(
        cls, gram: NDArray[np.float64], c: NDArray[np.float64], active: list[int], signs: list[float]
    ) -> _Segment:
        rows = gram[active]
        s = np.array(signs)
        factor = cholesky(rows[:, active], lower=True, check_finite=False)
        u, v = cho_solve((factor, True), np.column_stack([c[active], s]), check_finite=False).T
        return cls(active, s, factor, u, v, c - u @ rows, v @ rows)

    def at(self, mu: float) -> NDArray[np.float64]:
        """Active coefficients at mu; what is zero up to rounding (ties at a knot) is made exactly zero."""
        b = self.u - mu * self.v
        dust = np.abs(b) <= _ROUNDING * (np.abs(self.u).max() + mu * np.abs(self.v).max())
        return np.where(dust, 0.0, b)

    def next_exit(self, mu: float) -> tuple[float, int]:
        """Return the next knot where an active coefficient reaches zero, and its place in ``active``."""
        shrinking = self.signs * self.v < 0.0
        knots = np.zeros(self.u.size)
        knots[shrinking] = np.minimum(self.u[shrinking] / self.v[shrinking], mu)
        place = int(knots.argmax())
        return float(knots[place]), place

    def entries(
        self, mu: float, barred: tuple[int, float] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Knot at or below mu where each column would enter (0: never), and the sign it would take."""
        up, down = 1.0 - self.q, 1.0 + self.q
        rising = np.divide(self.p, up, out=np.zeros_like(up), where=up > 0.0)
        falling = np.divide(-self.p, down, out=np.zeros_like(down), where=down > 0.0)
        if barred is not None:  # it has just left: its correlation is on this side's edge and moves inwards
            (rising if barred[1] > 0.0 else falling)[barred[0]] = 0.0
        knots = np.minimum(np.maximum(rising, falling), mu)
        knots[self.active] = 0.0
        return knots, np.where(rising >= falling, 1.0, -1.0)

    def dependent(self, gram: NDArray[np.float64], j: int) -> bool:
        """Whether column j is a linear combination of the active columns up to rounding."""
        g = gram[self.active, j]
        explained = float(g @ cho_solve((self.factor, True), g, check_finite=False))
        return bool(gram[j, j] - explained <= _DEPENDENT * gram[j, j])


def homotopy(
    gram: NDArray[np.float64],
    c: NDArray[np.float64],
    *,
    n_active: int | None = None,
    mu_min: float = 0.0,
) -> Homotopy:
    """Follow the path from the largest mu down to a number of active columns or to ``mu_min``.

    Parameters
    ----------
    gram
        G, shape ``(w, w)``.
    c
        Correlations with the trait, shape ``(w,)``.
    n_active
        Stop in the middle of the first segment (of positive length) with this many active columns.
    mu_min
        Stop here in any case.

    Returns
    -------
    Homotopy
        A column that depends linearly on the active ones (a duplicate, above all) does not enter.
    """
    first = int(np.abs(c).argmax())
    mu = float(abs(c[first]))
    knots, rows, entered = [mu], [np.zeros(c.size)], [first]
    if mu <= mu_min:
        return Homotopy(np.array(knots), np.array(rows), np.array([-1]), n_active is None)
    active, signs = [first], [float(np.sign(c[first]))]
    barred: tuple[int, float] | None = None
    reached = False
    for _ in range(_STEPS_PER_COLUMN * (c.size + 5)):
        segment = _Segment.solve(gram, c, active, signs)
        exit_mu, exit_place = segment.next_exit(mu)
        entry_mu, j, sign = _next_entry(segment, gram, mu, barred, max(exit_mu, mu_min))
        target = max(entry_mu, exit_mu, mu_min)
        wanted = n_active is not None and len(active) >= n_active and target < mu * (1.0 - 1e-12)
        target = 0.5 * (mu + target) if wanted else target
        row = np.zeros(c.size)
        row[active] = segment.at(target)
        mu = target
        knots.append(mu)
        rows.append(row)
        reached = wanted or (mu <= mu_min and n_active is None)
        if wanted or mu <= mu_min:
            entered.append(-1)
            break
        if exit_mu >= entry_mu:
            gone = active.pop(exit_place)
            row[gone] = 0.0
            barred = (gone, signs.pop(exit_place))
            entered.append(-1)
        else:
            active.append(j)
            signs.append(sign)
            barred = None
            entered.append(j)
    return Homotopy(np.array(knots), np.array(rows), np.array(entered), reached)


def _next_entry(
    segment: _Segment,
    gram: NDArray[np.float64],
    mu: float,
    barred: tuple[int, float] | None,
    floor: float,
) -> tuple[float, int, float]:
    """Knot, column and sign of the next entry; the knot is 0 when none comes before ``floor``."""
    knots, signs = segment.entries(mu, barred)
    while True:
        j = int(knots.argmax())
        if knots[j] <= floor:
            return 0.0, j, 0.0
        if not segment.dependent(gram, j):
            return float(knots[j]), j, float(signs[j])
        knots[j] = 0.0
