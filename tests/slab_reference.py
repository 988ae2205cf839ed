"""Exact posterior of the point-mass-and-Laplace model for a few SNPs, by enumeration."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from scipy.stats import multivariate_normal


def enumerate_inclusion(X, residual, d, s, prior, sizes=None):
    """P(b_j != 0) for y - Za = residual, variances d, slab scale s and prior inclusion, all fixed.

    With ``sizes`` it is given that so many effects are not zero.

    For each subset and each choice of signs the slab is an exponential on an orthant: the integral is that of a
    truncated multivariate normal, from its cumulative distribution function.
    """
    p = X.shape[1]
    weight, indicator = [], []
    for size in range(p + 1) if sizes is None else sizes:
        for subset in combinations(range(p), size):
            chosen = X[:, subset]
            log_prior = size * np.log(prior) + (p - size) * np.log1p(-prior)
            total = 0.0
            for signs in product((-1.0, 1.0), repeat=size):
                total += _orthant(chosen * signs, residual, d, s)
            weight.append(np.exp(log_prior) * total)
            indicator.append([j in subset for j in range(p)])
    weight = np.array(weight) / np.sum(weight)
    return weight @ np.array(indicator)


def _orthant(X, residual, d, s):
    """Integral over b > 0 of exp(-0.5 |r - Xb|^2_{1/d} - sum b / s) / (2s)^k, relative to exp(-0.5 |r|^2_{1/d})."""
    k = X.shape[1]
    if k == 0:
        return 1.0
    precision = X.T @ (X / d[:, None])
    linear = X.T @ (residual / d) - 1 / s
    covariance = np.linalg.inv(precision)
    mean = covariance @ linear
    inside = multivariate_normal.cdf(mean, np.zeros(k), covariance, rng=np.random.default_rng(0))
    log_norm = 0.5 * (linear @ mean) + 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1] - k * np.log(2 * s)
    return np.exp(log_norm) * inside
