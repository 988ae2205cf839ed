"""The Lasso path on a small working set, from knot to knot.

    b(mu) = argmin_b  1/2 |y - Z b|^2 + mu |b|_1,     G = Z'Z,  c = Z'y

Between two knots the active set A and its signs s stay, and with u = G_AA^-1 c_A, v = G_AA^-1 s

    b_A(mu) = u - mu v,        c_j - G_jA b_A(mu) = p_j + mu q_j,   p = c - G_{.A} u,  q = G_{.A} v

so the next knot is where an inactive |p_j + mu q_j| reaches mu (entry) or an active u_j - mu v_j reaches zero
(exit). (Osborne, Presnell, Turlach 2000, doi:10.1093/imanum/20.3.389; Efron et al. 2004,
doi:10.1214/009053604000000067, with the Lasso modification.) Only rows of G whose columns are ever active are computed.

Each segment takes c and s afresh and refines its solution once against G_AA (`active_set`): nothing accumulates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.lasso.solver.active_set import admit, remove, solve
from bayes_lmmlasso.numerics.compiled import compiled

__all__ = ["Homotopy", "homotopy"]

_ROUNDING = 1e-13  # of the largest coefficient
_STEPS_PER_COLUMN = 20
_NEARLY = 1.0 - 1e-12


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
    Z: NDArray[np.float64], y: NDArray[np.float64], *, n_active: int | None = None, mu_min: float = 0.0
) -> Homotopy:
    """Follow the path from the largest mu down to a number of active columns or to ``mu_min``.

    Parameters
    ----------
    Z, y
        Columns of the working set, shape ``(m, w)``, fastest in Fortran order, and response, shape ``(m,)``.
    n_active
        Stop in the middle of the first segment (of positive length) with this many active columns.
    mu_min
        Stop here in any case.

    Returns
    -------
    Homotopy
        A column that depends linearly on the active ones (a duplicate, above all) does not enter.
    """
    c = Z.T @ y
    largest = float(np.abs(c).max())
    if largest <= mu_min:
        return Homotopy(np.array([largest]), np.zeros((1, c.size)), np.array([-1]), n_active is None)
    most = c.size + 1 if n_active is None else n_active
    knots, enough = _follow(np.ascontiguousarray(Z.T), c, most, mu_min)
    mu, entered, coef = knots[:, 0], knots[:, 1].astype(np.intp), knots[:, 2:]
    return Homotopy(mu, coef, entered, enough or (n_active is None and bool(mu[-1] <= mu_min)))


@compiled
def _follow(
    Z: NDArray[np.float64], c: NDArray[np.float64], n_active: int, mu_min: float
) -> tuple[NDArray[np.float64], bool]:
    """Return a row (mu, entered, coefficients) for each knot, and whether ``n_active`` was reached; Z is transposed."""
    w = c.size
    L, gram = np.empty((w, w)), np.empty((w, w))  # of the active columns, in the order of ``active``
    rows, has_row = np.empty((w, w)), np.full(w, False)  # of G
    active, sign, k = np.empty(w, np.int64), np.empty(w), 0
    is_open = np.full(w, True)  # may enter: neither active nor dependent
    left, left_sign = -1, 0.0  # column that left at the last knot, and its sign
    p, q = np.empty(w), np.empty(w)
    mu, knots = np.abs(c).max(), np.zeros((64, w + 2))
    for t in range(_STEPS_PER_COLUMN * (w + 5)):
        # 1. the segment below mu: coefficients u - mu v, correlations p + mu q
        u, v = solve(L, gram, c[active[:k]]), solve(L, gram, sign[:k])
        _correlate(c, rows, active[:k], u, v, p, q)

        # 2. its end: an active coefficient reaches zero, an inactive correlation reaches mu, or the goal is there
        exit_mu, leaves = _next_exit(u, v, sign, mu)
        floor = max(exit_mu, mu_min)
        entry_mu, enters, edge = _next_entry(p, q, is_open, left, left_sign, mu, floor)
        while enters >= 0 and not admit(Z, rows, has_row, L, gram, active[:k], enters):
            is_open[enters] = False
            entry_mu, enters, edge = _next_entry(p, q, is_open, left, left_sign, mu, floor)
        target = max(entry_mu, floor)
        enough = k >= n_active and target < mu * _NEARLY
        mu = 0.5 * (mu + target) if enough else target

        # 3. the knot there
        if t == knots.shape[0]:
            knots = np.concatenate((knots, np.zeros_like(knots)))
        knots[t, 0], knots[t, 1] = mu, enters
        rounding = _ROUNDING * (np.abs(u).max() + mu * np.abs(v).max()) if k else 0.0
        for i in range(k):
            b = u[i] - mu * v[i]
            knots[t, 2 + active[i]] = b if abs(b) > rounding else 0.0
        if enough or mu <= mu_min:
            knots[t, 1] = -1.0
            break

        # 4. the active set below it: one column more, or one less
        left = -1
        if enters >= 0:
            active[k], sign[k], is_open[enters] = enters, edge, False
            k += 1
        else:
            left, left_sign = active[leaves], sign[leaves]
            knots[t, 2 + left] = 0.0
            remove(L, gram, active[:k], sign, leaves)
            k -= 1
            is_open[:] = True
            is_open[active[:k]] = False
    return knots[: t + 1], enough


@compiled
def _correlate(
    c: NDArray[np.float64],
    rows: NDArray[np.float64],
    active: NDArray[np.int64],
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    p: NDArray[np.float64],
    q: NDArray[np.float64],
) -> None:
    """Overwrite p and q by c - G_{.A} u and G_{.A} v."""
    p[:] = c
    q[:] = 0.0
    for i in range(active.size):
        row = rows[active[i]]
        for j in range(c.size):
            p[j] -= u[i] * row[j]
            q[j] += v[i] * row[j]


@compiled
def _next_exit(
    u: NDArray[np.float64], v: NDArray[np.float64], sign: NDArray[np.float64], mu: float
) -> tuple[float, int]:
    """Return the next knot where u_j - mu v_j reaches zero from the side of its sign, and its place (-1: none)."""
    exit_mu, leaves = 0.0, -1
    for i in range(u.size):
        if sign[i] * v[i] < 0.0 and u[i] / v[i] > exit_mu:
            exit_mu, leaves = min(u[i] / v[i], mu), i
    return exit_mu, leaves


@compiled
def _next_entry(
    p: NDArray[np.float64],
    q: NDArray[np.float64],
    is_open: NDArray[np.bool_],
    left: int,
    left_sign: float,
    mu: float,
    floor: float,
) -> tuple[float, int, float]:
    """Return the next knot above ``floor`` where p_j + mu q_j meets +-mu, its column (-1: none), and the sign."""
    best, column, edge = floor, -1, 0.0
    for j in range(p.size):
        if not is_open[j]:
            continue
        lower = best * _NEARLY  # a product tells most columns that meet an edge below ``best`` only: no division
        if p[j] <= lower * (1.0 - q[j]) and -p[j] <= lower * (1.0 + q[j]):
            continue
        rising = p[j] / (1.0 - q[j]) if q[j] < 1.0 else 0.0
        falling = -p[j] / (1.0 + q[j]) if q[j] > -1.0 else 0.0
        if j == left and left_sign > 0.0:  # what has just left is on that edge and moves inwards
            rising = 0.0
        if j == left and left_sign < 0.0:
            falling = 0.0
        knot = min(max(rising, falling), mu)
        if knot > best:
            best, column, edge = knot, j, 1.0 if rising >= falling else -1.0
    return best, column, edge
