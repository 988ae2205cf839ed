r"""Draws as an xarray DataTree that ArviZ opens.

Besides what was sampled the posterior group holds, for each draw, the realised shares of variance of the n
individuals (Zhou, Carbonetto, Stephens 2013, doi:10.1371/journal.pgen.1003264)

    pve = var(X b + u) / (var(X b + u) + se2),    pge = var(X b) / var(X b + u)

with one draw of u given the rest: in the eigenbasis u_i ~ N(sg2 S_i r_i / d_i, sg2 S_i se2 / d_i), r = y - Z a - X b.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.cohort import AnalysisSet
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.posterior.loo import loo_log_likelihood

__all__ = ["build_tree"]

_BLOCK = 256  # draws whose n-vectors are in memory at a time


def build_tree(
    data: RotatedData,
    drawn: dict[str, NDArray[Any]],
    statistics: dict[str, NDArray[Any]],
    log_prior: dict[str, NDArray[Any]],
    analysis: AnalysisSet | None,
    *,
    seed: int,
) -> xr.DataTree:
    """Assemble the tree from arrays of shape ``(chains, draws, ...)``; ``seed`` serves the draws of u."""
    coords = _coordinates(data, analysis)
    chains, draws = drawn["b"].shape[:2]
    draw_coords = {"chain": np.arange(chains), "draw": np.arange(draws)}
    derived, log_likelihood = _derive(data, drawn, np.random.default_rng(seed))
    posterior = xr.Dataset(
        {name: _draws(name, values) for name, values in (drawn | derived).items()},
        coords=draw_coords | {k: coords[k] for k in ("variant", "covariate")},
    )
    XT = np.asarray(data.XT @ data.U.T) if analysis is None else analysis.X.T
    tree = {
        "posterior": posterior,
        "sample_stats": _scalars(statistics, draw_coords),
        "log_likelihood": xr.Dataset(
            {"y": (("chain", "draw", "sample"), log_likelihood)},
            coords=draw_coords | {"sample": coords["sample"]},
        ),
        "log_prior": _scalars(log_prior, draw_coords),
        "observed_data": xr.Dataset(
            {"y": ("sample", np.asarray(data.U @ data.y))}, coords={"sample": coords["sample"]}
        ),
        "constant_data": xr.Dataset(
            {
                "X": (("variant", "sample"), XT),
                "covariates": (("sample", "covariate"), np.asarray(data.U @ data.Z)),
                "eigenvalues": ("eigen", np.asarray(data.S)),
                "eigenvectors": (("sample", "eigen"), np.asarray(data.U)),
            },
            coords=coords,
        ),
    }
    return xr.DataTree.from_dict(tree)


def _derive(
    data: RotatedData, drawn: dict[str, NDArray[Any]], rng: np.random.Generator
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64]]:
    """Return realised pve and pge, and the leave-one-out log-likelihood, of every draw."""
    shape, n = drawn["b"].shape[:2], data.y.shape[0]
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in drawn.items()}
    total = shape[0] * shape[1]
    y, Z, XT, S, U = (np.asarray(x) for x in (data.y, data.Z, data.XT, data.S, data.U))
    ones = U.sum(axis=0)  # U'1: sample means in the eigenbasis
    pve, pge, log_likelihood = np.empty(total), np.empty(total), np.empty((total, n))

    def variance(rotated: NDArray[np.float64]) -> NDArray[np.float64]:
        result: NDArray[np.float64] = np.square(rotated).mean(axis=1) - (rotated @ ones / n) ** 2
        return result

    for start in range(0, total, _BLOCK):
        rows = slice(start, start + _BLOCK)
        snps = (flat["b"][rows] @ XT).astype(np.float64)
        fixed = flat["a"][rows] @ Z.T if "a" in flat else 0.0
        sigma2_g, sigma2_e = (flat[k][rows, None].astype(np.float64) for k in ("sigma2_g", "sigma2_e"))
        d = sigma2_g * S + sigma2_e
        residual = y - fixed - snps
        shrinkage = sigma2_g * S / d
        u = shrinkage * residual + np.sqrt(shrinkage * sigma2_e) * rng.standard_normal(residual.shape)
        genetic = variance(snps + u)
        pve[rows] = genetic / (genetic + sigma2_e[:, 0])
        pge[rows] = variance(snps) / genetic
        log_likelihood[rows] = loo_log_likelihood(U, residual, d)
    return {"pve": pve.reshape(shape), "pge": pge.reshape(shape)}, log_likelihood.reshape(*shape, n)


def _coordinates(data: RotatedData, analysis: AnalysisSet | None) -> dict[str, Any]:
    """Label samples, SNPs and covariates; SNPs of unknown origin are numbered, on one contig, at position 0."""
    n, p, q = data.y.shape[0], data.n_snps, data.Z.shape[1]
    if analysis is None:
        variants = pd.DataFrame(
            {
                "chrom": "0",
                "pos": 0,
                "snp": [str(j) for j in range(p)],
                "effect_allele": "",
                "other_allele": "",
                "eaf": np.nan,
            },
            index=range(p),
        )
        samples, names = [str(i) for i in range(n)], [f"covariate_{k}" for k in range(q)]
    else:
        variants, names = analysis.variants, list(analysis.covariate_names)
        samples = [f"{fid}:{iid}" for fid, iid in zip(analysis.samples.fid, analysis.samples.iid, strict=True)]
    coords: dict[str, Any] = {"variant": np.arange(p), "sample": samples, "covariate": names}
    for column in variants.columns:
        values = variants[column].to_numpy()
        coords[f"variant_{column}"] = ("variant", values if values.dtype.kind in "fi" else values.astype(str))
    coords["variant_cm"] = ("variant", np.zeros(p) if analysis is None else analysis.cm)
    return coords


def _draws(name: str, values: NDArray[Any]) -> tuple[tuple[str, ...], NDArray[Any]]:
    """Name the dimensions of a posterior site."""
    own = {"a": ("covariate",), "b": ("variant",), "inclusion": ("variant",)}
    rest = own.get(name, tuple(f"{name}_dim_{k}" for k in range(values.ndim - 2)))
    return ("chain", "draw", *rest), values


def _scalars(arrays: dict[str, NDArray[Any]], coords: dict[str, NDArray[Any]]) -> xr.Dataset:
    """Return scalar draws as a dataset."""
    return xr.Dataset({name: (("chain", "draw"), values) for name, values in arrays.items()}, coords=coords)
