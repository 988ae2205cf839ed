"""One step of many Lasso homotopies at once: the linear algebra behind `homotopy`.

Each problem holds H = G_AA^-1 of its active columns A and solves u = H c_A, v = H s with one round of iterative
refinement against G_AA. Column j enters by bordering, with h = H G_Aj and the Schur complement
sigma = (e_j - h)'G(e_j - h), the part of column j that the active ones do not explain:

    H <- [ H + h h'/sigma   -h/sigma ]          leaving column q:   H <- H - H_q H_q' / H_qq
         [     -h'/sigma     1/sigma ]

(Golub and Van Loan 2013, Matrix Computations, sections 2.1.4 and 3.5.3). When refinement shows that H has lost
accuracy it is inverted again. Arrays have a row for each problem and are padded with zeros to the largest active set
k and working set w: a padded column correlates with nothing and never enters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Knots", "Lockstep"]

_DEPENDENT = 1e-11  # share of a column's square not explained by the active ones, below which it is dependent
_ROUNDING = 1e-13  # of the largest coefficient
_INACCURATE = 1e-7  # relative residual of H above which it is inverted again
_COMPACT = 0.75  # share of running problems below which the finished ones are dropped


@dataclass(frozen=True, eq=False)
class Knots:
    """The knot each problem has come to.

    Parameters
    ----------
    mu
        Shape ``(l,)``.
    active, n_active, coef
        Active columns on the segment that ends here, their number, and coefficients; shapes ``(l, k)``, ``(l,)``
        and ``(l, k)``.
    entered
        Column that enters here, -1 where none does, shape ``(l,)``.
    reached, finished
        Whether the goal is reached here, and whether the path ends here, shape ``(l,)`` each.
    """

    mu: NDArray[np.float64]
    active: NDArray[np.intp]
    n_active: NDArray[np.intp]
    coef: NDArray[np.float64]
    entered: NDArray[np.intp]
    reached: NDArray[np.bool_]
    finished: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Entry:
    """The next entry of each problem: its knot (0: none), column and sign, h and sigma."""

    mu: NDArray[np.float64]
    column: NDArray[np.intp]
    sign: NDArray[np.float64]
    h: NDArray[np.float64]
    sigma: NDArray[np.float64]


class Lockstep:
    """Homotopies that move from knot to knot together.

    Parameters
    ----------
    grams, correlations
        G of shape ``(w, w)`` and c of shape ``(w,)`` for each problem; w may differ.
    mu_min
        Where each path ends at the latest.
    first
        The column of each problem with the largest correlation, from which its path starts.
    room
        Active columns to make room for at first; more come as they are needed.
    """

    def __init__(
        self,
        grams: Sequence[NDArray[np.float64]],
        correlations: Sequence[NDArray[np.float64]],
        mu_min: Sequence[float],
        first: Sequence[int],
        room: int = 16,
    ) -> None:
        count, width, k = len(grams), max(c.size for c in correlations), room
        self.grams = list(grams)
        self.problem = np.arange(count)
        self.running = np.ones(count, dtype=bool)
        self.mu_min = np.array(mu_min)
        self.c = np.zeros((count, width))
        self.square = np.zeros((count, width))
        for b, (gram, c) in enumerate(zip(grams, correlations, strict=True)):
            self.c[b, : c.size] = c
            self.square[b, : c.size] = np.diag(gram)
        self.open = np.ones((count, width), dtype=bool)  # may enter: neither active nor dependent
        self.active = np.zeros((count, k), dtype=np.intp)
        self.n_active = np.zeros(count, dtype=np.intp)
        self.sign = np.zeros((count, k))
        self.rows = np.zeros((count, k, width))  # G_{A.}
        self.gram = np.zeros((count, k, k))  # G_AA
        self.inverse = np.zeros((count, k, k))
        self.left = np.full(count, -1)  # column that left at the last knot, and its sign
        self.left_sign = np.zeros(count)
        columns, everyone = np.array(first), self.problem
        largest = self.c[everyone, columns]
        self.mu = np.abs(largest)
        self._enter(everyone, columns, np.sign(largest), np.zeros((count, k)), self.square[everyone, columns])

    def advance(self, n_active: int | None) -> Knots:
        """Move every problem to its next knot, or to the end of its path.

        Parameters
        ----------
        n_active
            End in the middle of the first segment of positive length with this many active columns.
        """
        u, v = self._solve()
        fitted = np.matmul(np.stack([u, v], axis=1), self.rows)
        exit_mu, exit_place = self._next_exit(u, v)
        entry = self._next_entry(self.c - fitted[:, 0], fitted[:, 1], np.maximum(exit_mu, self.mu_min))
        target = np.maximum(np.maximum(entry.mu, exit_mu), self.mu_min)
        wanted = np.zeros(target.size, dtype=bool)
        if n_active is not None:
            wanted = (self.n_active >= n_active) & (target < self.mu * (1.0 - 1e-12))
            target = np.where(wanted, 0.5 * (self.mu + target), target)
        coef = u - target[:, None] * v
        scale = np.abs(u).max(axis=1) + target * np.abs(v).max(axis=1)
        coef[np.abs(coef) <= _ROUNDING * scale[:, None]] = 0.0
        self.mu = target
        at_end = target <= self.mu_min
        going = self.running & ~wanted & ~at_end
        exits = np.flatnonzero(going & (exit_mu >= entry.mu))
        enters = np.flatnonzero(going & (exit_mu < entry.mu))
        coef[exits, exit_place[exits]] = 0.0
        entered = np.full(target.size, -1)
        entered[enters] = entry.column[enters]
        reached = wanted | (at_end & (n_active is None))
        knots = Knots(target, self.active.copy(), self.n_active.copy(), coef, entered, reached, ~going)
        self.left[:] = -1
        if exits.size:
            self._leave(exits, exit_place[exits])
        if enters.size:
            self._enter(enters, entry.column[enters], entry.sign[enters], entry.h[enters], entry.sigma[enters])
        return knots

    def retire(self, finished: NDArray[np.bool_]) -> bool:
        """Stop finished problems; True when none is left. Their rows go when enough have finished."""
        self.running &= ~finished
        if self.running.sum() <= _COMPACT * self.running.size:
            keep = np.flatnonzero(self.running)
            self.grams = [self.grams[b] for b in keep]
            for name, value in vars(self).items():
                if name != "grams":
                    setattr(self, name, value[keep])
        return not self.running.any()

    def _solve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return u and v, zero beyond the active columns, shape ``(l, k)`` each."""
        c = np.take_along_axis(self.c, self.active, axis=1) * (self.sign != 0.0)
        right = np.stack([c, self.sign], axis=2)
        solved = self.inverse @ right
        residual = right - self.gram @ solved
        lost = np.abs(residual).max(axis=(1, 2)) > _INACCURATE * np.abs(right).max(axis=(1, 2))
        for b in np.flatnonzero(lost & self.running):
            part = np.s_[b, : self.n_active[b], : self.n_active[b]]
            self.inverse[part] = np.linalg.pinv(self.gram[part], hermitian=True, rcond=1e-15)
            solved[b] = self.inverse[b] @ right[b]
            residual[b] = right[b] - self.gram[b] @ solved[b]
        solved += self.inverse @ residual
        return solved[:, :, 0], solved[:, :, 1]

    def _next_exit(
        self, u: NDArray[np.float64], v: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return the next knot where an active coefficient reaches zero (0: none), and its place."""
        shrinking = self.sign * v < 0.0
        knots = np.minimum(np.divide(u, v, out=np.zeros_like(u), where=shrinking), self.mu[:, None])
        place = knots.argmax(axis=1)
        return knots[np.arange(place.size), place], place

    def _next_entry(self, p: NDArray[np.float64], q: NDArray[np.float64], floor: NDArray[np.float64]) -> _Entry:
        """Return the next entry above ``floor`` of a column that does not depend on the active ones."""
        up, down = 1.0 - q, 1.0 + q
        rising = np.divide(p, up, out=np.zeros_like(p), where=up > 0.0)
        falling = np.divide(-p, down, out=np.zeros_like(p), where=down > 0.0)
        for side, edge in ((rising, 1.0), (falling, -1.0)):  # what has just left is on that edge and moves inwards
            gone = np.flatnonzero((self.left >= 0) & (self.left_sign == edge))
            side[gone, self.left[gone]] = 0.0
        knots = np.minimum(np.maximum(rising, falling), self.mu[:, None]) * self.open
        everyone = np.arange(floor.size)
        column = knots.argmax(axis=1)
        h, sigma = np.zeros_like(self.sign), np.zeros(floor.size)
        check = np.flatnonzero(knots[everyone, column] > floor)
        while check.size:
            j = column[check]
            h[check], sigma[check] = self._border(check, j)
            dependent = check[sigma[check] <= _DEPENDENT * self.square[check, j]]
            self.open[dependent, column[dependent]] = False
            knots[dependent, column[dependent]] = 0.0
            column[dependent] = knots[dependent].argmax(axis=1)
            check = dependent[knots[dependent, column[dependent]] > floor[dependent]]
        mu = knots[everyone, column]
        sign = np.where(rising[everyone, column] >= falling[everyone, column], 1.0, -1.0)
        return _Entry(np.where(mu > floor, mu, 0.0), column, sign, h, sigma)

    def _border(
        self, which: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return h and sigma of one column for each of some problems."""
        g = self.rows[which, :, columns][:, :, None]
        inverse, gram = self.inverse[which], self.gram[which]
        h = inverse @ g
        h += inverse @ (g - gram @ h)
        unexplained = (h * (gram @ h - 2.0 * g)).sum(axis=(1, 2))
        return h[:, :, 0], self.square[which, columns] + unexplained

    def _enter(
        self,
        which: NDArray[np.intp],
        columns: NDArray[np.intp],
        signs: NDArray[np.float64],
        h: NDArray[np.float64],
        sigma: NDArray[np.float64],
    ) -> None:
        """Make one column active in each of some problems."""
        if self.n_active[which].max() == self.active.shape[1]:
            h = self._widen(h)
        place = self.n_active[which]
        for b, q, j in zip(which, place, columns, strict=True):
            row = self.grams[b][j]
            self.rows[b, q, : row.size] = row
        cross = np.take_along_axis(self.rows[which, place], self.active[which], axis=1)
        cross *= self.sign[which] != 0.0
        self.gram[which, place, :] = self.gram[which, :, place] = cross
        self.gram[which, place, place] = self.square[which, columns]
        border = h.copy()
        border[np.arange(which.size), place] = -1.0
        self.inverse[which] += border[:, :, None] * (border / sigma[:, None])[:, None, :]
        self.active[which, place] = columns
        self.sign[which, place] = signs
        self.open[which, columns] = False
        self.n_active[which] += 1

    def _leave(self, which: NDArray[np.intp], place: NDArray[np.intp]) -> None:
        """Drop one active column in each of some problems; the last active one takes its place."""
        column = self.inverse[which, :, place]
        pivot = column[np.arange(which.size), place]
        self.inverse[which] -= column[:, :, None] * (column / pivot[:, None])[:, None, :]
        gone, last = self.active[which, place], self.n_active[which] - 1
        self.left[which], self.left_sign[which] = gone, self.sign[which, place]
        for array in (self.inverse, self.gram):
            array[which, place, :], array[which, last, :] = array[which, last, :], 0.0
            array[which, :, place], array[which, :, last] = array[which, :, last], 0.0
        self.rows[which, place], self.rows[which, last] = self.rows[which, last], 0.0
        self.active[which, place], self.active[which, last] = self.active[which, last], 0
        self.sign[which, place], self.sign[which, last] = self.sign[which, last], 0.0
        self.n_active[which] = last
        self.open[which] = True
        held = np.arange(self.active.shape[1]) < last[:, None]
        problem, slot = np.nonzero(held)
        self.open[which[problem], self.active[which[problem], slot]] = False

    def _widen(self, h: NDArray[np.float64]) -> NDArray[np.float64]:
        """Double the room for active columns; return h with the new width."""
        k = self.active.shape[1]
        self.active = np.pad(self.active, ((0, 0), (0, k)))
        self.sign = np.pad(self.sign, ((0, 0), (0, k)))
        self.rows = np.pad(self.rows, ((0, 0), (0, k), (0, 0)))
        self.gram = np.pad(self.gram, ((0, 0), (0, k), (0, k)))
        self.inverse = np.pad(self.inverse, ((0, 0), (0, k), (0, k)))
        return np.pad(h, ((0, 0), (0, k)))
