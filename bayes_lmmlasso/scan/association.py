"""Genome scans: one SNP at a time, with covariates and, in the mixed models, a polygenic effect.

    y = Z a + x_j b_j + u + e,    u ~ N(0, sg2 K),    e ~ N(0, se2 I),    delta = se2 / sg2

    lm         no u                                              delta infinite
    lmm-p3d    delta of the null model, without x_j, by REML     (Kang et al. 2010, doi:10.1038/ng.548;
                                                                 Zhang et al. 2010, doi:10.1038/ng.546)
    lmm-exact  delta of each SNP, by REML                        (Zhou and Stephens 2012, doi:10.1038/ng.2310)

Tests are Wald tests with n - q - 1 degrees of freedom (equations in `wald`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import Basis, Eigenbasis, fit_null_model
from bayes_lmmlasso.lmm.contrasts import ContrastBasis
from bayes_lmmlasso.lmm.loco import check_chromosomes
from bayes_lmmlasso.lmm.null_model import check_variation
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait
from bayes_lmmlasso.numerics.threads import blas_threads
from bayes_lmmlasso.scan.blocks import BLOCK_BYTES, map_blocks, read_snps, working_type
from bayes_lmmlasso.scan.diagonal import DiagonalModel
from bayes_lmmlasso.scan.exact import LOG_DELTA_BOUNDS, ExactModel, ExactTest
from bayes_lmmlasso.scan.wald import Wald

__all__ = ["Scan", "ScanMethod", "scan", "scan_by_chromosome"]

ScanMethod = Literal["lm", "lmm-p3d", "lmm-exact"]


@dataclass(frozen=True, eq=False, repr=False)
class Scan(Table):
    """Single-SNP tests; NaN where the covariates determine a SNP.

    Parameters
    ----------
    method
        ``"lm"``, ``"lmm-p3d"`` or ``"lmm-exact"``.
    beta, se
        Effect of one unit of X and its standard error, in units of the trait, shape ``(p,)`` each.
    log10_p
        Base 10 logarithm of the two-sided p-value, shape ``(p,)``.
    log_delta
        log(se2 / sg2) at which each SNP was tested, shape ``(p,)``; infinite for ``"lm"``.
    degrees
        Degrees of freedom of the t statistic, n - q - 1.
    """

    _columns = ("beta", "se", "p", "log10_p", "log_delta")

    method: ScanMethod
    beta: NDArray[np.float64]
    se: NDArray[np.float64]
    log10_p: NDArray[np.float64]
    log_delta: NDArray[np.float64]
    degrees: int

    @property
    def p(self) -> NDArray[np.float64]:
        """Two-sided p-value, shape ``(p,)``; 0 below the smallest float, where `log10_p` goes on."""
        return np.asarray(10.0**self.log10_p)

    @property
    def pve(self) -> NDArray[np.float64]:
        """Share of variance each SNP explains beyond the covariates, t^2 / (t^2 + degrees), shape ``(p,)``."""
        square = np.square(self.beta / self.se)
        return np.asarray(square / (square + self.degrees))


def scan(
    X: ArrayLike,
    y: ArrayLike,
    K: Basis | ArrayLike | None = None,
    *,
    covariates: ArrayLike | None = None,
    method: ScanMethod = "lmm-p3d",
    delta: float | None = None,
    bounds: tuple[float, float] = LOG_DELTA_BOUNDS,
    block_bytes: int = BLOCK_BYTES,
) -> Scan:
    """Test every SNP by itself.

    Parameters
    ----------
    X
        Genotypes as they are to be used (nothing is centred or scaled here), shape ``(n, p)``, any real dtype and
        layout, fastest with each SNP contiguous. float64 is computed in float64; all else is rotated in float32 and
        summed in float64.
    y
        Trait, shape ``(n,)``.
    K
        Kinship of the same samples, shape ``(n, n)``, or its eigenbasis; not needed for ``"lm"``. An eigenbasis of low
        rank serves ``"lmm-p3d"`` alone. With one of full rank ``"lmm-exact"`` decomposes again unless the covariates
        are eigenvectors (as the intercept is of a centred K).
    covariates
        Fixed effects Z, shape ``(n, q)``; None means none, not even an intercept.
    method
        Linear model, mixed model with the null model's delta, or with each SNP's own.
    delta
        se2 / sg2 for ``"lmm-p3d"``; default that of `fit_null_model` by REML.
    bounds
        Range of log delta for ``"lmm-exact"``.
    block_bytes
        Memory for the SNPs that a thread tests together; it changes no result.

    Returns
    -------
    Scan

    Raises
    ------
    InputError
        If shapes disagree, values are not finite, the covariates explain the trait wholly or leave no degree of
        freedom, or the kinship is missing.
    """
    if method not in get_args(ScanMethod):
        raise InputError(f"expected scan method {', '.join(get_args(ScanMethod))}, got {method!r}: choose one of these")
    n = np.shape(y)[0] if np.ndim(y) else 0
    trait, Z, genotypes = check_trait(y, n), check_covariates(covariates, n), read_snps(X, n)
    q = Z.shape[1]
    check_variation(trait, trait - Z @ np.linalg.lstsq(Z, trait, rcond=None)[0], q)
    if n - q < 2:
        raise InputError(f"expected at least {q + 2} samples for {q} covariates and a SNP, got {n}: drop covariates")
    if method == "lm":
        return _scan_lm(genotypes, trait, Z, block_bytes)
    if K is None:
        raise InputError(f"expected a kinship or its eigenbasis for method {method}, got None: pass K")
    if method == "lmm-p3d":
        with blas_threads(n):
            basis = K if isinstance(K, Basis) else Eigenbasis.from_kinship(K)
        return _scan_p3d(genotypes, trait, basis, Z, delta, block_bytes)
    return _scan_exact(genotypes, trait, K, Z, bounds, block_bytes)


def scan_by_chromosome(
    X: ArrayLike,
    y: ArrayLike,
    chromosomes: ArrayLike,
    kinships: Iterable[tuple[Any, NDArray[np.float64]]],
    *,
    covariates: ArrayLike | None = None,
    method: ScanMethod = "lmm-p3d",
) -> Scan:
    """Test the SNPs of every chromosome with a kinship of its own (Lippert et al. 2011, doi:10.1038/nmeth.1681).

    Parameters
    ----------
    X, y, covariates, method
        As in `scan`.
    chromosomes
        Chromosome of each SNP, shape ``(p,)``.
    kinships
        Pairs of chromosome and kinship, such as `bayes_lmmlasso.lmm.leave_one_chromosome_out` yields.

    Returns
    -------
    Scan
        SNPs in the order of X.

    Raises
    ------
    InputError
        As `scan`, or if a chromosome has no kinship or ``chromosomes`` has another length.
    """
    genotypes = np.asarray(X)
    labels = check_chromosomes(chromosomes, genotypes)
    columns = {name: np.full(labels.size, np.nan) for name in ("beta", "se", "log10_p", "log_delta")}
    waiting, degrees = np.ones(labels.size, dtype=bool), 0
    for chromosome, K in kinships:
        on = np.flatnonzero(labels == chromosome)
        if on.size == 0:
            continue
        part = scan(_columns(genotypes, on), y, K, covariates=covariates, method=method)
        for name, values in columns.items():
            values[on] = getattr(part, name)
        waiting[on], degrees = False, part.degrees
    if waiting.any():
        raise InputError(
            f"kinships: expected one for every chromosome, got none for {labels[waiting][0]}: leave each out once"
        )
    return Scan(method, **columns, degrees=degrees)


def _columns(X: NDArray[Any], on: NDArray[np.intp]) -> NDArray[Any]:
    """Return chosen SNPs, as a view where they lie together."""
    together = on[-1] - on[0] + 1 == on.size
    return X[:, on[0] : on[-1] + 1] if together else X[:, on]


def _scan_lm(X: NDArray[Any], y: NDArray[np.float64], Z: NDArray[np.float64], block_bytes: int) -> Scan:
    model = DiagonalModel.of(np.ones(y.size), y, Z)
    return _joined("lm", map_blocks(model.test, X, block_bytes), np.full(X.shape[1], np.inf), model.degrees)


def _scan_p3d(
    X: NDArray[Any],
    y: NDArray[np.float64],
    basis: Basis,
    Z: NDArray[np.float64],
    delta: float | None,
    block_bytes: int,
) -> Scan:
    if delta is None:
        delta = fit_null_model(y, basis, Z, "reml").delta
    elif not (np.isfinite(delta) and delta > 0.0):
        raise InputError(f"expected delta above 0, got {delta}: pass NullModel.delta")
    rotate = basis.row_rotation(working_type(X))
    model = DiagonalModel.of(1.0 / (basis.values + delta), basis.rotate(y), basis.rotate(Z))
    parts = map_blocks(lambda block: model.test(rotate(block)), X, block_bytes)
    return _joined("lmm-p3d", parts, np.full(X.shape[1], np.log(delta)), model.degrees)


def _scan_exact(
    X: NDArray[Any],
    y: NDArray[np.float64],
    K: Basis | ArrayLike,
    Z: NDArray[np.float64],
    bounds: tuple[float, float],
    block_bytes: int,
) -> Scan:
    if not (np.isfinite(bounds).all() and bounds[0] < bounds[1]):
        raise InputError(f"expected rising finite bounds of log delta, got {bounds}: the default is +-log(1e5)")
    basis = ContrastBasis.of(K, Z)
    U = basis.vectors.astype(working_type(X), copy=False)
    model = ExactModel.of(basis.values, basis.vectors.T @ y, bounds)

    def test(block: NDArray[Any]) -> ExactTest:
        return model.test(block @ U, np.einsum("ij,ij->i", block, block, dtype=np.float64))

    parts = map_blocks(test, X, block_bytes)
    return _joined("lmm-exact", parts, np.concatenate([part.log_delta for part in parts]), model.degrees)


def _joined(
    method: ScanMethod, parts: list[Wald] | list[ExactTest], log_delta: NDArray[np.float64], degrees: int
) -> Scan:
    beta, se, log10_p = (np.concatenate([getattr(part, name) for part in parts]) for name in ("beta", "se", "log10_p"))
    return Scan(method, beta, se, log10_p, log_delta, degrees)
