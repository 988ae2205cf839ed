"""The stepwise multi-locus mixed model (MLMM, Segura et al. 2012, doi:10.1038/ng.2314).

Forward: fit delta by REML with the cofactors chosen so far, test every SNP at that delta (`fixed`), make the one with
the smallest p-value a cofactor. It ends after ``max_steps``, or when the kinship explains nothing more (delta at the
upper bound of its search). Backward: from the largest model, drop the cofactor with the largest p-value and fit delta
again, until one is left. Of all models on the way, one is chosen:

    ebic   least extended BIC,  -2 l + (q + k + 2) log n + 2 log C(p, k)    (Chen and Chen 2008,
           doi:10.1093/biomet/asn034), l the maximum of the log-likelihood (ML) with q covariates and k cofactors
    mbonf  the largest model in which every cofactor has p <= alpha / p
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from bayes_lmmlasso.display import Display, Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import Basis, Eigenbasis, NullModel, fit_null_model
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait
from bayes_lmmlasso.scan.association import Scan
from bayes_lmmlasso.scan.blocks import map_blocks, read_snps, working_type
from bayes_lmmlasso.scan.diagonal import DiagonalModel

__all__ = ["MLMM", "Criterion", "MLMMStep", "mlmm"]

Criterion = Literal["ebic", "mbonf"]

_EVERYTHING = 1.0 - 1e-10  # share of variance that leaves nothing to estimate a variance from


@dataclass(frozen=True, eq=False, repr=False)
class MLMMStep(Table):
    """One model on the way.

    Parameters
    ----------
    cofactors
        Positions of its SNPs, in order of inclusion, shape ``(k,)``.
    log10_p
        p-values of the cofactors, each given all others, base 10 logarithms, shape ``(k,)``.
    null_model
        REML fit with covariates and cofactors.
    extended_bic
        Smaller is better.
    direction
        Whether the model was reached by adding or by dropping a SNP.
    """

    _columns = ("cofactors", "log10_p")

    cofactors: NDArray[np.intp]
    log10_p: NDArray[np.float64]
    null_model: NullModel
    extended_bic: float
    direction: Literal["forward", "backward"]


@dataclass(frozen=True, eq=False, repr=False)
class MLMM(Display):
    """A finished search.

    Parameters
    ----------
    steps
        All models, in the order they were fitted.
    chosen
        Position in ``steps`` of the model that the criterion chose.
    scan
        Tests of all SNPs at the chosen model's delta: cofactors given the others, other SNPs given all cofactors.
    """

    steps: tuple[MLMMStep, ...]
    chosen: int
    scan: Scan

    @property
    def selected(self) -> NDArray[np.intp]:
        """Positions of the chosen model's cofactors, in order of inclusion."""
        return self.steps[self.chosen].cofactors


def mlmm(
    X: ArrayLike,
    y: ArrayLike,
    K: Basis | ArrayLike,
    *,
    covariates: ArrayLike | None = None,
    max_steps: int = 10,
    criterion: Criterion = "ebic",
    alpha: float = 0.05,
) -> MLMM:
    """Search for several SNPs that act together.

    Parameters
    ----------
    X, y, covariates
        As in `scan`; a rotated copy of X is kept, in float32 unless X is float64.
    K
        Kinship of the same samples, shape ``(n, n)``, or its eigenbasis, of full or of low rank.
    max_steps
        Largest number of cofactors.
    criterion
        How the model is chosen.
    alpha
        Family-wise level of ``"mbonf"``.

    Returns
    -------
    MLMM

    Raises
    ------
    InputError
        If shapes disagree, values are not finite, or an option is out of range.
    """
    basis = K if isinstance(K, Basis) else Eigenbasis.from_kinship(K)
    n = basis.n_samples
    search = _Search.of(read_snps(X, n), check_trait(y, n), basis, check_covariates(covariates, n))
    most = min(search.n_snps, n - search.Z.shape[1] - 2)
    if criterion not in get_args(Criterion) or not 0 < alpha < 1:
        raise InputError(f"expected criterion ebic or mbonf and alpha in (0, 1), got {criterion!r}, {alpha}")
    if not 0 <= max_steps <= most:
        raise InputError(f"expected max_steps from 0 to {most}, got {max_steps}: a model needs degrees of freedom")
    steps = search.forward(max_steps)
    steps += search.backward(steps[-1])
    if criterion == "ebic":
        chosen = min(range(len(steps)), key=lambda k: steps[k].extended_bic)
    else:
        limit = np.log10(alpha / search.n_snps)
        significant = [k for k, step in enumerate(steps) if (step.log10_p <= limit).all()]  # the empty model is one
        chosen = max(significant, key=lambda k: (steps[k].cofactors.size, -steps[k].extended_bic))
    return MLMM(tuple(steps), chosen, search.scan(steps[chosen]))


@dataclass(frozen=True, eq=False)
class _Search:
    """Data as given and rotated: ``rotated`` is X'U, shape ``(p, n)``."""

    y: NDArray[np.float64]
    Z: NDArray[np.float64]
    basis: Basis
    rotated: NDArray[np.floating]

    @classmethod
    def of(cls, X: NDArray[Any], y: NDArray[np.float64], basis: Basis, Z: NDArray[np.float64]) -> _Search:
        return cls(y, Z, basis, np.concatenate(map_blocks(basis.row_rotation(working_type(X)), X)))

    @property
    def n_snps(self) -> int:
        return int(self.rotated.shape[0])

    def forward(self, max_steps: int) -> list[MLMMStep]:
        """Add the SNP with the smallest p-value, step by step; the empty model comes first."""
        steps = [self.step(np.array([], dtype=np.intp), "forward")]
        while len(steps) <= max_steps and steps[-1].null_model.log_delta < steps[-1].null_model.grid[-1]:
            scan = self.scan(steps[-1])
            log10_p = np.nan_to_num(scan.log10_p, nan=np.inf)
            log10_p[steps[-1].cofactors] = np.inf
            best = int(log10_p.argmin())
            if not log10_p[best] < 0.0 or scan.pve[best] > _EVERYTHING:
                break
            cofactors = np.append(steps[-1].cofactors, best)
            steps.append(self.step(cofactors, "forward"))
        return steps

    def backward(self, step: MLMMStep) -> list[MLMMStep]:
        """Drop the SNP with the largest p-value, down to one."""
        steps = []
        while step.cofactors.size > 1:
            step = self.step(np.delete(step.cofactors, step.log10_p.argmax()), "backward")
            steps.append(step)
        return steps

    def step(self, cofactors: NDArray[np.intp], direction: Literal["forward", "backward"]) -> MLMMStep:
        """Fit the model with some cofactors."""
        Z = self.design(cofactors)
        null = fit_null_model(self.y, self.basis, Z, "reml")
        likelihood = fit_null_model(self.y, self.basis, Z, "ml").log_likelihood
        k, p = cofactors.size, self.n_snps
        combinations = gammaln(p + 1) - gammaln(k + 1) - gammaln(p - k + 1)
        bic = -2.0 * likelihood + (Z.shape[1] + 2) * np.log(self.y.size) + 2.0 * combinations
        log10_p = np.array([self.scan_of(null, cofactors, j)[2] for j in cofactors])
        return MLMMStep(cofactors, log10_p, null, float(bic), direction)

    def scan(self, step: MLMMStep) -> Scan:
        """Test every SNP given the cofactors, and those given each other."""
        null = step.null_model
        model = self.model(null, self.design(step.cofactors))
        parts = map_blocks(model.test, self.rotated.T)
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("beta", "se", "log10_p")}
        for j in step.cofactors:
            for column, value in zip(columns.values(), self.scan_of(null, step.cofactors, j), strict=True):
                column[j] = value
        return Scan("lmm-p3d", **columns, log_delta=np.full(self.n_snps, null.log_delta), degrees=model.degrees)

    def scan_of(self, null: NullModel, cofactors: NDArray[np.intp], j: np.intp) -> tuple[float, float, float]:
        """Return effect, standard error and log10 p of one cofactor given the others."""
        test = self.model(null, self.design(cofactors[cofactors != j])).test(self.rotated[[j]])
        return float(test.beta[0]), float(test.se[0]), float(test.log10_p[0])

    def design(self, cofactors: NDArray[np.intp]) -> NDArray[np.float64]:
        """Covariates and cofactors, in the coordinates of the samples."""
        return np.column_stack([self.Z, self.basis.unrotate(self.rotated[cofactors].T.astype(np.float64))])

    def model(self, null: NullModel, Z: NDArray[np.float64]) -> DiagonalModel:
        w = 1.0 / (self.basis.values + null.delta)
        return DiagonalModel.of(w, self.basis.rotate(self.y), self.basis.rotate(Z))
