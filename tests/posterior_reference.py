"""Exact references for the posterior, in plain NumPy: nothing is shared with the package but the equations."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr, ndtri
from scipy.stats import norm

PRIOR_SD_FIXED = 10.0


def dense_problem(rng, n=40, p=12, kinship="rrm"):
    """A small standardised problem: X (n, p), y (n,), Z (n, 1), K (n, n)."""
    X = rng.normal(size=(n, p)) + 0.6 * rng.normal(size=(n, 1))
    X = (X - X.mean(0)) / X.std(0)
    y = X[:, 0] * 0.6 - X[:, 1] * 0.4 + rng.normal(size=n)
    y = (y - y.mean()) / y.std()
    if kinship == "rrm":
        K = X @ X.T / p
    else:
        factor = rng.normal(size=(n, n + 5))
        K = factor @ factor.T / n
    return X, y, np.ones((n, 1)), K


def normal_posterior(X, y, Z, K, log_v, h, rho):
    """Mean and covariance of (a, b) under the normal prior, by dense algebra: b ~ N(0, v h rho / p), a ~ N(0, 100)."""
    v, p, q = np.exp(log_v), X.shape[1], Z.shape[1]
    V = v * h * (1 - rho) * K + v * (1 - h) * np.eye(len(y))
    design = np.hstack([Z, X])
    precision = np.diag(np.r_[np.full(q, PRIOR_SD_FIXED**-2), np.full(p, p / (v * h * rho))])
    covariance = np.linalg.inv(design.T @ np.linalg.solve(V, design) + precision)
    return covariance @ (design.T @ np.linalg.solve(V, y)), covariance


def normal_grid_posterior(y, Z, K, log_v, h):
    """Posterior weights over a grid of (log v, h) under the normal prior with K = XX'/p: rho has dropped out."""
    values, vectors = np.linalg.eigh(K)
    yr, Zr = vectors.T @ y, vectors.T @ Z
    weight = np.empty((len(log_v), len(h)))
    for i, lv in enumerate(log_v):
        for j, share in enumerate(h):
            d = np.exp(lv) * (share * values + 1 - share)
            # a integrated out: covariance diag(d) + 100 ZZ' by the matrix inversion lemma
            inner = np.eye(Z.shape[1]) / PRIOR_SD_FIXED**2 + Zr.T @ (Zr / d[:, None])
            projected = Zr.T @ (yr / d)
            quadratic = yr @ (yr / d) - projected @ np.linalg.solve(inner, projected)
            log_det = np.log(d).sum() + np.linalg.slogdet(inner)[1]
            weight[i, j] = -0.5 * (log_det + quadratic) + norm.logpdf(lv, 0, 0.5)
    weight = np.exp(weight - weight.max())
    return weight / weight.sum()


def laplace_gibbs(X, y, Z, K, iterations, rng):
    """Gibbs sampler of the Laplace model (Hans 2009, doi:10.1093/biomet/asp047) with Metropolis hyper-parameters.

    Each effect is drawn from its full conditional, two truncated normals; no augmentation, no whitening.
    Returns draws of b (iterations, p) and of log v, h, rho (iterations, 3).
    """
    values, vectors = np.linalg.eigh(K)
    y, Z, X = vectors.T @ y, vectors.T @ Z, vectors.T @ X
    p = X.shape[1]
    a, b, u = np.zeros(Z.shape[1]), np.zeros(p), np.array([0.0, 0.0, 0.0])
    kept_b, kept_u = np.empty((iterations, p)), np.empty((iterations, 3))

    def unpack(u):
        v, h, rho = np.exp(u[0]), 1 / (1 + np.exp(-u[1])), 1 / (1 + np.exp(-u[2]))
        return np.sqrt(v * h * rho / (2 * p)), v * h * (1 - rho) * values + v * (1 - h)

    def log_target(u, residual, sum_abs):
        s, d = unpack(u)
        jacobian = -(np.logaddexp(0, u[1:]) + np.logaddexp(0, -u[1:])).sum()
        return (
            -0.5 * (np.log(d) + residual**2 / d).sum()
            - p * np.log(2 * s)
            - sum_abs / s
            - 0.5 * (u[0] / 0.5) ** 2
            + jacobian
        )

    for t in range(iterations):
        s, d = unpack(u)
        residual = y - Z @ a - X @ b
        for j in range(p):
            x = X[:, j]
            curvature = (x**2 / d).sum()
            c = (x * residual / d).sum() + curvature * b[j]
            sd = 1 / np.sqrt(curvature)
            means = np.array([c - 1 / s, c + 1 / s]) * sd**2
            positive, negative = (
                log_ndtr(sign * m / sd) + 0.5 * (m / sd) ** 2 for sign, m in zip((1, -1), means, strict=True)
            )
            upper = np.log(rng.uniform()) < positive - np.logaddexp(positive, negative)
            m, sign = (means[0], 1) if upper else (means[1], -1)
            log_u = np.log(rng.uniform())
            if sign * m / sd < -30:  # so far in the tail that the truncated normal is exponential
                new = -sign * log_u * sd**2 / abs(m)
            else:
                new = m - sign * sd * ndtri(np.exp(log_u + log_ndtr(sign * m / sd)))
            residual += x * (b[j] - new)
            b[j] = new
        precision = np.eye(Z.shape[1]) / PRIOR_SD_FIXED**2 + Z.T @ (Z / d[:, None])
        root = np.linalg.cholesky(np.linalg.inv(precision))
        residual += Z @ a
        a = np.linalg.solve(precision, Z.T @ (residual / d)) + root @ rng.normal(size=len(a))
        residual -= Z @ a
        sum_abs = np.abs(b).sum()
        current = log_target(u, residual, sum_abs)
        for k in (0, 1, 2, 0, 1, 2):
            proposal = u.copy()
            proposal[k] += rng.normal() * (0.5, 1.2, 1.5)[k]
            candidate = log_target(proposal, residual, sum_abs)
            if np.log(rng.uniform()) < candidate - current:
                u, current = proposal, candidate
        kept_b[t], kept_u[t] = b, u
    kept_u[:, 1:] = 1 / (1 + np.exp(-kept_u[:, 1:]))
    return kept_b, kept_u
