"""The Bayesian sparse linear mixed model of GEMMA (BSLMM), an external program.

    y = X b + u + e,    b_j ~ (1 - pi) delta_0 + pi N(0, sa2 / tau),    u ~ N(0, sb2 K / tau),    e ~ N(0, I / tau)
    h, rho ~ U(0, 1),   log pi ~ U(log 1/p, 0),   sa2 = h rho / (1 - h) / (p pi x),   sb2 = h (1 - rho) / (1 - h) / k

(Zhou, Carbonetto, Stephens 2013, doi:10.1371/journal.pgen.1003264), with x the mean variance of the p SNPs that vary,
k the mean eigenvalue of K, and at most 300 effects. Beside `spike_slab` the slab is normal, not Laplace. GEMMA takes k
for x: K is scaled so that they are equal. It knows no covariates but the intercept, so that with q others it is given
n - q centred values that hold the n - 1 - q contrasts free of all of them (with n values its posterior would be
improper at h = 1).

GEMMA is installed by the Debian package ``gemma``, or from https://github.com/genetics-statistics/GEMMA.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import helmert, null_space

from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import Eigenbasis
from bayes_lmmlasso.lmm.kinship import check_matrix
from bayes_lmmlasso.lmm.null_model import check_variation
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait
from bayes_lmmlasso.scan.blocks import read_snps

__all__ = ["BSLMM", "STUDY_BURN_IN", "STUDY_STEPS", "bslmm", "read_bslmm"]

Array = NDArray[np.float64]

STUDY_BURN_IN, STUDY_STEPS = 10_000, 100_000
"""Iterations in studies of many runs: a tenth of GEMMA's defaults."""

_BLOCK = 256  # SNPs written at a time
_NOTHING_LEFT = 1e-8  # size of a SNP beside the covariates, relative to its own, that is rounding
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # the same draws everywhere
_PREFIX = "bslmm"


@dataclass(frozen=True, eq=False, repr=False)
class BSLMM(Table):
    """What GEMMA reports; NaN where the covariates determine a SNP.

    Parameters
    ----------
    pip
        Share of iterations in which a SNP has an effect of its own (``gamma``), shape ``(p,)``.
    beta
        Mean effect of one unit of X in those iterations, in units of the trait, shape ``(p,)``.
    alpha
        Its part in the polygenic term u, if K is XX'/p, shape ``(p,)``.
    hyper
        Recorded draws of ``h pve rho pge pi n_gamma``, one a row.
    """

    _columns = ("pip", "beta", "alpha")

    pip: NDArray[np.float64]
    beta: NDArray[np.float64]
    alpha: NDArray[np.float64]
    hyper: pd.DataFrame

    @property
    def effects(self) -> NDArray[np.float64]:
        """Posterior mean of b, shape ``(p,)``."""
        return self.pip * self.beta


def bslmm(
    X: ArrayLike,
    y: ArrayLike,
    K: Eigenbasis | ArrayLike,
    *,
    covariates: ArrayLike | None = None,
    burn_in: int = 100_000,
    steps: int = 1_000_000,
    pace: int = 10,
    seed: int = 0,
) -> BSLMM:
    """Run ``gemma -bslmm 1`` in a temporary folder, on one thread.

    Parameters
    ----------
    X, y, K, covariates
        As in `mlmm`; an intercept is added. GEMMA reads them as text of eight digits.
    burn_in, steps
        Iterations to discard and to keep; the defaults are GEMMA's.
    pace
        One in so many iterations is recorded.
    seed
        Seed of GEMMA's random numbers.

    Raises
    ------
    InputError
        If shapes disagree, values are not finite, a number is out of range, GEMMA is not installed, or it fails.
    """
    n = np.shape(y)[0] if np.ndim(y) else 0
    trait, Z, genotypes = check_trait(y, n), check_covariates(covariates, n), read_snps(X, n)
    kinship = check_matrix((K.vectors * K.values) @ K.vectors.T if isinstance(K, Eigenbasis) else K, n)
    for name, value, least in (("burn_in", burn_in, 0), ("steps", steps, 1), ("pace", pace, 1), ("seed", seed, 0)):
        if value < least:
            raise InputError(f"expected {name} of at least {least} for GEMMA, got {value}: give a larger number")
    program = shutil.which("gemma")
    if program is None:
        raise InputError(
            "expected the program gemma on the PATH, got none: install GEMMA (Debian and Ubuntu: apt install gemma)"
        )
    contrasts = _contrasts(Z)
    rest = contrasts(trait)
    check_variation(trait, rest, Z.shape[1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        variance = _write_snps(genotypes, contrasts, folder / "snps.txt")
        np.savetxt(folder / "kinship.txt", variance * _unit_kinship(kinship, contrasts), fmt="%.8g")
        np.savetxt(folder / "trait.txt", rest, fmt="%.10g")
        files = ["-g", "snps.txt", "-p", "trait.txt", "-k", "kinship.txt", "-notsnp", "-outdir", ".", "-o", _PREFIX]
        chain = ["-bslmm", 1, "-w", burn_in, "-s", steps, "-rpace", pace, "-seed", seed]
        _call([program, *files, *map(str, chain)], folder)
        return read_bslmm(folder / _PREFIX, genotypes.shape[1])


def read_bslmm(prefix: str | os.PathLike[str], n_snps: int) -> BSLMM:
    """Read ``prefix.param.txt`` and ``prefix.hyp.txt`` of a run whose SNPs are named by their position, from 0.

    Raises
    ------
    InputError
        If a file is missing or has other columns.
    """
    param = _read_table(Path(f"{os.fspath(prefix)}.param.txt"), ["rs", "alpha", "beta", "gamma"])
    hyper = _read_table(Path(f"{os.fspath(prefix)}.hyp.txt"), ["h", "pve", "rho", "pge", "pi", "n_gamma"])
    param = param.set_index("rs").reindex(range(n_snps))
    pip, beta, alpha = (param[name].to_numpy(np.float64) for name in ("gamma", "beta", "alpha"))
    return BSLMM(pip, beta, alpha, hyper)


def _contrasts(Z: NDArray[np.float64]) -> Callable[[Array], Array]:
    """Return the function that takes the covariates out of columns of n values; it may leave fewer, centred values."""
    n = len(Z)
    free = null_space(np.column_stack([np.ones(n), Z]).T)
    if free.shape[1] == n - 1:  # the intercept alone
        return lambda A: A - A.mean(axis=0)
    spread = helmert(free.shape[1] + 1).T @ free.T
    return lambda A: spread @ A


def _write_snps(X: NDArray[Any], contrasts: Callable[[Array], Array], path: Path) -> float:
    """Write the contrasts of SNPs, one a line (BIMBAM), and return the mean variance of those that vary.

    The fields are name, two alleles and the genotypes. GEMMA leaves a constant SNP out.
    """
    p, variances = X.shape[1], np.empty(X.shape[1])
    with path.open("w", encoding="ascii") as file:
        for start in range(0, p, _BLOCK):
            block = X[:, start : start + _BLOCK].astype(np.float64)
            size = np.linalg.norm(block, axis=0)
            if not np.isfinite(size).all():
                raise InputError(
                    f"genotypes: expected finite values, got NaN or Inf at SNP {start + int(size.argmax()) + 1} of "
                    f"{p}: fill in missing genotypes first"
                )
            block = contrasts(block)
            block[:, np.linalg.norm(block, axis=0) <= _NOTHING_LEFT * size] = 0.0
            variances[start : start + _BLOCK] = np.square(block).mean(axis=0)
            for j, column in enumerate(block.T.tolist(), start):
                text = {value: f"{value:.8g}" for value in set(column)}  # called genotypes have three values
                file.write(f"{j},A,B,{','.join([text[value] for value in column])}\n")
    if not variances.any():
        raise InputError(f"genotypes: expected SNPs that vary beside the covariates, got none of {p}: drop covariates")
    return float(variances[variances > 0.0].mean())


def _unit_kinship(K: Array, contrasts: Callable[[Array], Array]) -> Array:
    """Return the kinship of the contrasts, of mean eigenvalue 1."""
    rest = contrasts(contrasts(K).T)
    mean = np.trace(rest) / len(rest)
    if mean <= _NOTHING_LEFT * np.trace(K) / len(K):
        raise InputError("kinship: expected variation beside the covariates, got none: use another kinship")
    return np.asarray(rest / mean)


def _call(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | _ONE_THREAD, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).split("\n") if line.strip()]
        reason = next((line for line in said if "ERROR" in line), said[-1] if said else "nothing said")
        raise InputError(
            f"expected gemma -bslmm to finish, got exit status {done.returncode} ({reason}): check y and K"
        )


def _read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, sep=r"\s+")
    except (OSError, pd.errors.EmptyDataError) as error:
        raise InputError(f"expected a table of GEMMA in {path}, got {error}: run gemma -bslmm again") from error
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(
            f"expected the columns {' '.join(columns)} in {path}, got none named {missing[0]}: it should be the output "
            "of gemma -bslmm"
        )
    return table[columns]
