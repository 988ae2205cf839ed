r"""What the draws of its effect say of a SNP.

With b_j in trait standard deviations per standard deviation of SNP j:

    beta_mean, beta_sd, beta_lo, beta_hi    mean, standard deviation and 95% equal-tailed interval of b_j
    pip     priors with a point mass: P(b_j != 0 | y), the mean of Rao-Blackwellised inclusion probabilities q_j;
            others: P(b_j^2 > t | y), t the share of phenotypic variance (never called P(b_j != 0))
    lfsr    min(P(b_j >= 0), P(b_j <= 0))    (Stephens 2017, doi:10.1093/biostatistics/kxw041)
    r_hat, ess_bulk    of b_j; with a point mass, of the series of q_j where pip <= 1/2: above it q_j tends to a
            constant, which agrees with anything, and it is the effect in which chains would differ

``pip_mcse`` is the Monte Carlo error of pip. With a point mass: sd(q_j) over the root of the effective number of draws.
Otherwise the standard deviation of a Beta(k + 1/2, m - k + 1/2) with m the effective number of draws and
k = m pip: it tends to sqrt(pip (1 - pip) / m) and stays positive where all draws agree.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.threads import cores
from bayes_lmmlasso.posterior.summaries.diagnostics import convergence, effective_sample_size
from bayes_lmmlasso.posterior.tree.effects import has_all_draws, snp_blocks

__all__ = [
    "SUMMARY_COLUMNS",
    "effect_summary",
    "effective_events",
    "inclusion_evidence",
    "inclusion_means",
    "probability_error",
    "summarise_effects",
]

_BLOCK = 256  # SNPs summarised at a time: their draws stay in the cache
SUMMARY_COLUMNS = "beta_mean beta_sd beta_lo beta_hi pip pip_mcse lfsr r_hat ess_bulk".split()


def effect_summary(tree: xr.DataTree, variance_share: float) -> dict[str, NDArray[np.float64]]:
    """Return the posterior columns of the module docstring for every SNP, shape ``(p,)`` each.

    Raises
    ------
    InputError
        If the draws are gone and were summarised with another share.
    """
    if has_all_draws(tree):
        return _summarise(tree.children["posterior"].dataset, bool(tree.attrs.get("exact_zeros")), variance_share)
    effects = tree.children["effects"].dataset
    known = float(effects.attrs["variance_share"])
    if known != variance_share and not tree.attrs.get("exact_zeros"):
        raise InputError(
            f"expected the variance_share {known:g} with which this posterior was summarised, got {variance_share:g}: "
            "keep all draws of the effects for another one"
        )
    return {name: effects[name].values for name in SUMMARY_COLUMNS}


def inclusion_evidence(
    posterior: xr.Dataset, exact_zeros: bool, variance_share: float = 0.001
) -> dict[str, NDArray[np.float64]]:
    """Return pip, pip_mcse, r_hat and ess_bulk of every SNP in a posterior group with all draws, each of shape (p,)."""
    return _summarise(posterior, exact_zeros, variance_share, moments=False)


def inclusion_means(tree: xr.DataTree, variance_share: float) -> NDArray[np.float64]:
    """Return the pip of every SNP, shape ``(p,)``."""
    if not has_all_draws(tree):
        return effect_summary(tree, variance_share)["pip"]
    posterior = tree.children["posterior"].dataset
    parts = []
    for where in snp_blocks(posterior["b"], _BLOCK):
        b, q = _block(posterior, bool(tree.attrs.get("exact_zeros")), where)
        parts.append((b**2 > variance_share if q is None else q).mean(axis=(0, 1), dtype=float))
    return np.concatenate(parts)


def _block(posterior: xr.Dataset, exact_zeros: bool, where: slice) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the draws of some effects, and those of their q_j where the prior has a point mass.

    A sampler that does not compute q_j leaves the indicator b_j != 0, which has the same mean.
    """
    b = posterior["b"][:, :, where].values
    if "inclusion" in posterior:
        return b, posterior["inclusion"][:, :, where].values
    return b, (b != 0).astype(np.float32) if exact_zeros else None


def _summarise(
    posterior: xr.Dataset, exact_zeros: bool, variance_share: float, *, moments: bool = True
) -> dict[str, NDArray[np.float64]]:
    """Summarise all draws, some SNPs at a time."""
    parts = []
    for where in snp_blocks(posterior["b"], _BLOCK):
        b, q = _block(posterior, exact_zeros, where)
        parts.append(summarise_effects(b, variance_share, q, moments))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def summarise_effects(
    effects: NDArray[Any], variance_share: float, inclusion: NDArray[Any] | None = None, moments: bool = True
) -> dict[str, NDArray[np.float64]]:
    """Summarise draws of shape ``(chains, draws, p)`` into one number a SNP and column of the module docstring.

    Without ``moments`` only pip and its evidence are computed.
    """
    p = effects.shape[2]

    def by_snp(draws: NDArray[Any], start: int) -> NDArray[Any]:
        return np.ascontiguousarray(np.moveaxis(draws[:, :, start : start + _BLOCK], 2, 0))

    def block(start: int) -> dict[str, NDArray[np.float64]]:
        b = by_snp(effects, start)
        pip = _share(b, variance_share) if inclusion is None else _point_mass(by_snp(inclusion, start), b)
        return _moments(b) | pip if moments else pip

    with ThreadPoolExecutor(cores()) as pool:
        parts = list(pool.map(block, range(0, p, _BLOCK)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _moments(draws: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Summarise effects of shape ``(m, chains, draws)``."""
    flat = draws.reshape(len(draws), -1)
    ordered = np.sort(flat, axis=1)
    return {
        "beta_mean": flat.mean(axis=1, dtype=np.float64),
        "beta_sd": flat.std(axis=1, dtype=np.float64, ddof=1),
        "beta_lo": _quantile(ordered, 0.025),
        "beta_hi": _quantile(ordered, 0.975),
        "lfsr": np.minimum((flat >= 0).mean(axis=1), (flat <= 0).mean(axis=1)),
    }


def _share(draws: NDArray[Any], variance_share: float) -> dict[str, NDArray[np.float64]]:
    """Return the inclusion of effects without a point mass, by their share of variance."""
    r_hat, ess_bulk = convergence(draws)
    included = draws**2 > variance_share
    error = probability_error(included, ess_bulk)
    return {"pip": included.mean(axis=(1, 2)), "pip_mcse": error, "r_hat": r_hat, "ess_bulk": ess_bulk}


def _point_mass(q: NDArray[Any], b: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Return the inclusion of effects b with a point mass, by the series of q_j."""
    pip = q.mean(axis=(1, 2), dtype=np.float64)
    r_hat, ess_bulk = convergence(np.where(pip[:, None, None] > 0.5, b, q))
    error = q.std(axis=(1, 2), dtype=np.float64) / np.sqrt(effective_sample_size(q))
    return {"pip": pip, "pip_mcse": error, "r_hat": r_hat, "ess_bulk": ess_bulk}


def _quantile(ordered: NDArray[Any], level: float) -> NDArray[np.float64]:
    """Return a quantile of rows in ascending order, as `numpy.quantile` defines it, which would sort again."""
    place = level * (ordered.shape[1] - 1)
    below, weight = int(place), place % 1
    above = min(below + 1, ordered.shape[1] - 1)
    result: NDArray[np.float64] = (1 - weight) * ordered[:, below] + weight * ordered[:, above]
    return result


def probability_error(events: NDArray[Any], ess: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Monte Carlo error of the probability of an event.

    Parameters
    ----------
    events
        Whether, or in which share of its snapshots, the event occurs in a draw, shape ``(m, chains, draws)``.
    ess
        Effective number of draws where the event always or never occurs, shape ``(m,)``.
    """
    share, effective = events.mean(axis=(1, 2)), effective_events(events, ess)
    centre = (effective * share + 0.5) / (effective + 1)
    error: NDArray[np.float64] = np.sqrt(centre * (1 - centre) / (effective + 2))
    return error


def effective_events(events: NDArray[Any], ess: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many independent yes-or-no draws tell as much of an event's probability, shape ``(m,)``.

    Parameters are those of `probability_error`.
    """
    share = events.mean(axis=(1, 2))
    effective = ess.astype(np.float64)
    mixed = (share > 0) & (share < 1)
    if mixed.any():
        series, spread = events[mixed].astype(np.float64, copy=False), share[mixed] * (1 - share[mixed])
        effective[mixed] = effective_sample_size(series) * spread / series.var(axis=(1, 2))
    return effective
