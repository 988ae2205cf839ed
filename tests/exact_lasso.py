"""Slow, plain references for the Lasso: dense whitening, coordinate descent and the optimality violation."""

from __future__ import annotations

import numpy as np


def whiten(X, y, K, delta, Z=None):
    """Return (A X, A y) with A'A = V^-1, covariates projected out explicitly in that metric."""
    V = np.asarray(K, float) + delta * np.eye(len(y))
    root = np.linalg.inv(np.linalg.cholesky(V))
    AX, Ay = root @ np.asarray(X, float), root @ np.asarray(y, float)
    if Z is not None:
        AZ = root @ Z
        projection = np.eye(len(y)) - AZ @ np.linalg.pinv(AZ)
        AX, Ay = projection @ AX, projection @ Ay
    return AX, Ay


def coordinate_descent(AX, Ay, mu, sweeps=20_000, tol=1e-14):
    """Minimise 1/2 |Ay - AX b|^2 + mu |b|_1, one coordinate at a time, to machine precision."""
    b = np.zeros(AX.shape[1])
    r = Ay.copy()
    squares = (AX**2).sum(axis=0)
    for _ in range(sweeps):
        largest = 0.0
        for j in np.flatnonzero(squares > 1e-20):
            old = b[j]
            c = AX[:, j] @ r + squares[j] * old
            b[j] = np.sign(c) * max(abs(c) - mu, 0.0) / squares[j]
            if b[j] != old:
                r -= AX[:, j] * (b[j] - old)
                largest = max(largest, abs(b[j] - old))
        if largest < tol:
            return b
    raise AssertionError(f"coordinate descent did not converge: last change {largest:.1e}")


def kkt_violation(AX, Ay, b, mu):
    """Largest violation of the optimality conditions, relative to mu."""
    c = AX.T @ (Ay - AX @ b)
    active = b != 0.0
    at_active = np.abs(c[active] - mu * np.sign(b[active])).max(initial=0.0)
    elsewhere = np.maximum(np.abs(c[~active]) - mu, 0.0).max(initial=0.0)
    return max(at_active, elsewhere) / mu
