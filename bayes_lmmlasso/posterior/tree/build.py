r"""Draws as an xarray DataTree that ArviZ opens.

Besides what was sampled the posterior group holds, for each draw, the realised shares of variance of the n
individuals (Zhou, Carbonetto, Stephens 2013, doi:10.1371/journal.pgen.1003264)

    pve = var(X b + u) / (var(X b + u) + se2),    pge = var(X b) / var(X b + u)
    snp_share = var(X b) / (var(X b) + var(u)), which leaves out their covariance and so is never above 1

with one draw of u given the rest: in the eigenbasis u_i ~ N(sg2 S_i r_i / d_i, sg2 S_i se2 / d_i), r = y - Z a - X b.

The group sample_stats has joint_log_likelihood, that of all samples together, log N(y; Z a + X b, sg2 K + se2 I), up to
what the transform adds.

The group posterior_predictive has for each draw the trait of every individual as the others and the draw predict it,
from the density that is in log_likelihood: so that ArviZ's checks by leave-one-out (``plot_loo_pit``) are of one
density, and a predictive check does not see what it is to predict. Both are in float32, which takes the room of one in
float64. It is stored, not made when a tree is read: priors without a point mass keep too few draws of the effects.

Leave-one-out log densities are those of the trait in its own units, but for ranks, which have none there
(`bayes_lmmlasso.posterior.tree.loo`).
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.cohort import AnalysisSet
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.posterior.sampler.record import SamplingRecord
from bayes_lmmlasso.posterior.tree.attributes import plain_attributes
from bayes_lmmlasso.posterior.tree.loo import OF_RANKS, loo_residual, normal_log_density

__all__ = ["build_tree"]

_STATISTICS = ("acceptance_rate", "diverging", "energy", "lp", "n_steps", "step_size")
INDIVIDUAL = "individual"  # of the trait and its densities: ArviZ makes a dimension "sample" of chain and draw
_BLOCK = 256  # draws whose n-vectors are in memory at a time


def build_tree(
    record: SamplingRecord, sites: xr.Dataset, XT: NDArray[np.floating], analysis: AnalysisSet | None = None
) -> xr.DataTree:
    """Assemble the tree.

    Parameters
    ----------
    record
        How the draws were made.
    sites
        The draws, of shape ``(chains, draws, ...)``, the (n,) fitted values X b among them; effects are not read.
    XT
        SNPs of the samples, shape ``(p, n)``.
    analysis
        Labels of samples, SNPs and covariates, if there are any.
    """
    data, coords = record.data, _coordinates(record.data, analysis)
    draw_coords = {"chain": np.arange(sites.sizes["chain"]), "draw": np.arange(sites.sizes["draw"])}
    derived, joint, log_likelihood, predicted = _derive(data, sites, record.attrs["seed"])
    slope, by_sample = _log_slope(analysis), ("chain", "draw", INDIVIDUAL)
    labels = {INDIVIDUAL: coords["sample"]}
    own = {k: coords[k] for k in ("variant", "covariate") if k in sites.dims}
    statistics = [name for name in _STATISTICS if name in sites]
    posterior = sites.drop_vars(["fitted", *statistics]).assign(_scalars(derived, {}).data_vars)
    tree = {
        "posterior": posterior.assign_coords(draw_coords | own),
        "sample_stats": sites[statistics]
        .assign(_scalars({"joint_log_likelihood": joint}, {}))
        .assign_coords(draw_coords),
        OF_RANKS if slope is None else "log_likelihood": xr.Dataset(
            {"y": (by_sample, log_likelihood if slope is None else log_likelihood + np.float32(slope))},
            coords=draw_coords | labels,
        ),
        "posterior_predictive": xr.Dataset({"y": (by_sample, predicted)}, coords=draw_coords | labels),
        "log_prior": _scalars(record.log_prior, draw_coords),
        "observed_data": xr.Dataset({"y": (INDIVIDUAL, data.U @ data.y)}, coords=labels),
        "constant_data": xr.Dataset(
            {
                "X": (("variant", "sample"), XT),
                "covariates": (("sample", "covariate"), data.U @ data.Z),
                "eigenvalues": ("eigen", data.S),
                "eigenvectors": (("sample", "eigen"), data.U),
            },
            coords=coords,
        ),
    }
    result = xr.DataTree.from_dict(tree)
    result.attrs.update(plain_attributes(record.attrs))
    return result


def _derive(
    data: RotatedData, sites: xr.Dataset, seed: int
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
    """Return realised shares of variance, the log-likelihood, that of each sample left out, and a draw of its trait."""
    rng, rng_predicted = np.random.default_rng(seed), np.random.default_rng([seed, 13])
    chains, draws, n = sites.sizes["chain"], sites.sizes["draw"], data.y.shape[0]
    y, Z, S, U = (np.asarray(x) for x in (data.y, data.Z, data.S, data.U))
    ones, observed = U.sum(axis=0), U @ y  # U'1: sample means in the eigenbasis
    pve, pge, snp_share, joint = (np.empty((chains, draws)) for _ in range(4))
    log_likelihood, predicted = (np.empty((chains, draws, n), dtype=np.float32) for _ in range(2))

    def variance(rotated: NDArray[np.float64]) -> NDArray[np.float64]:
        result: NDArray[np.float64] = np.square(rotated).mean(axis=1) - (rotated @ ones / n) ** 2
        return result

    for chain, start in product(range(chains), range(0, draws, _BLOCK)):
        rows = np.s_[chain, start : start + _BLOCK]
        snps = sites["fitted"][rows].values.astype(np.float64)
        fixed = sites["a"][rows].values @ Z.T if "a" in sites else 0.0
        sigma2_g, sigma2_e = (sites[k][rows].values[:, None].astype(np.float64) for k in ("sigma2_g", "sigma2_e"))
        d = sigma2_g * S + sigma2_e
        residual = y - fixed - snps
        shrinkage = sigma2_g * S / d
        u = shrinkage * residual + np.sqrt(shrinkage * sigma2_e) * rng.standard_normal(residual.shape)
        genetic, of_snps = variance(snps + u), variance(snps)
        pve[rows] = genetic / (genetic + sigma2_e[:, 0])
        pge[rows] = of_snps / np.where(genetic > 0, genetic, 1.0)  # without kinship and SNPs both are 0
        total = of_snps + variance(u)
        snp_share[rows] = of_snps / np.where(total > 0, total, 1.0)
        joint[rows] = -0.5 * (np.log(2 * np.pi * d) + np.square(residual) / d).sum(axis=1)
        distance, sd = loo_residual(U, residual, d)
        log_likelihood[rows] = normal_log_density(distance, sd)
        predicted[rows] = observed - distance + sd * rng_predicted.standard_normal(sd.shape)
    return {"pve": pve, "pge": pge, "snp_share": snp_share}, joint, log_likelihood, predicted


def _log_slope(analysis: AnalysisSet | None) -> NDArray[np.float64] | float | None:
    """Return what makes log densities of the analysed trait those of the trait in its units, shape ``(n,)``.

    log p(t) = log p(y) + log dy/dt: else a transform that spreads the trait less would pass for a better model. None
    for ranks, which have no density in trait units.
    """
    if analysis is None:
        return 0.0
    if analysis.trait.name == "rank-normal":
        return None
    return analysis.trait.log_slope(analysis.trait.inverse(analysis.y))


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
    coords: dict[str, Any] = {"variant": variants["snp"].to_numpy(str), "sample": samples, "covariate": names}
    for column in variants.columns:
        values = variants[column].to_numpy()
        coords[f"variant_{column}"] = ("variant", values if values.dtype.kind in "fi" else values.astype(str))
    coords["variant_cm"] = ("variant", np.zeros(p) if analysis is None else analysis.cm)
    return coords


def _scalars(arrays: dict[str, NDArray[Any]], coords: dict[str, NDArray[Any]]) -> xr.Dataset:
    """Return scalar draws as a dataset."""
    return xr.Dataset({name: (("chain", "draw"), values) for name, values in arrays.items()}, coords=coords)
