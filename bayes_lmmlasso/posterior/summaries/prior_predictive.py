r"""The prior predictive: what traits the stated prior expects of these SNPs and this kinship, before the trait is seen.

    log v ~ N(log s2, 0.5),   h, rho ~ U(0, 1),   b ~ the model's prior,   u ~ N(0, v h (1 - rho) K),   e ~ N(0, se2 I)
    y = Z a + X b + u + e

Z a, whose prior says next to nothing, is the least-squares fit to the observed trait, and s2 the variance that it
leaves. Of each draw the realised shares are those of the posterior (`bayes_lmmlasso.posterior.tree.build`):
pve = var(X b + u) / (var(X b + u) + se2), pge = var(X b) / var(X b + u).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import check_count
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.rotation import residual_variance
from bayes_lmmlasso.models.sparsity import sparsity_range
from bayes_lmmlasso.posterior.summaries.prior import UNIT_EFFECTS
from bayes_lmmlasso.posterior.tree.effects import check_tree

__all__ = ["add_prior", "predictive_draws", "predictive_table", "prior_predictive"]

Array = NDArray[np.float64]

_STRETCH = 512  # SNPs whose effects are drawn at a time
_SIGMA, _LEAST_NOISE = 0.5, 1e-4  # standard deviation of log v, least se2: as in models/rotated.py
_DRAWS = 200


def prior_predictive(tree: xr.DataTree, *, draws: int = _DRAWS, seed: int | None = None) -> xr.DataTree:
    """Draw traits from the prior, with the SNPs, kinship and covariates of a posterior.

    Parameters
    ----------
    tree
        Result of `sample_posterior` with a model that comes with the package, or of a run.
    draws
        Number of draws.
    seed
        Their seed; by default that of the posterior.

    Returns
    -------
    xarray.DataTree
        Groups prior (hyper-parameters, sigma2_g, sigma2_e, n_included where effects can be zero, pve, pge),
        prior_predictive (y, by individual) and observed_data.

    Raises
    ------
    InputError
        If the model is your own, or draws is no count.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> tree = bl.read_tree("results/posterior.zarr")  # doctest: +SKIP
    >>> bl.prior_predictive(tree)["prior"]["n_included"].median()  # doctest: +SKIP
    """
    model = check_tree(tree).attrs["model"]
    if model != "spike_slab" and model not in UNIT_EFFECTS:
        raise InputError(
            f"expected a model among spike_slab, {', '.join(UNIT_EFFECTS)} for its prior predictive, got {model!r}: "
            "draw from a model of your own with numpyro.infer.Predictive"
        )
    draws = check_count(draws, "draws")
    constant, observed = tree.children["constant_data"].dataset, tree.children["observed_data"].dataset
    X, Z = constant["X"].values, constant["covariates"].values.astype(np.float64)
    y, n = observed["y"].values.astype(np.float64), X.shape[1]
    rng = np.random.default_rng([tree.attrs["seed"] if seed is None else check_count(seed, "seed", 0), 11])
    log_v = np.log(float(residual_variance(y, Z))) + _SIGMA * rng.standard_normal(draws)
    h, rho = rng.random(draws), rng.random(draws)
    v = np.exp(log_v)
    sigma2_g, sigma2_e = v * h * (1 - rho), np.maximum(v * (1 - h), _LEAST_NOISE)
    own, unit = _unit_signal(model, X, draws, rng)
    snps = np.sqrt(v * h * rho)[:, None] * unit
    S, U = constant["eigenvalues"].values.astype(np.float64), constant["eigenvectors"].values.astype(np.float64)
    u = (np.sqrt(sigma2_g[:, None] * np.maximum(S, 0)) * rng.standard_normal((draws, S.size))) @ U.T
    genetic = (snps + u).var(axis=1)
    drawn = _fit(Z, y) + snps + u + np.sqrt(sigma2_e)[:, None] * rng.standard_normal((draws, n))
    scalars = {"log_v": log_v, "h": h, "rho": rho, **own, "sigma2_g": sigma2_g, "sigma2_e": sigma2_e}
    scalars |= {"pve": genetic / (genetic + sigma2_e), "pge": snps.var(axis=1) / genetic}
    individual = str(observed["y"].dims[0])
    coords = {"chain": [0], "draw": np.arange(draws)}
    prior = xr.Dataset({name: (("chain", "draw"), values[None]) for name, values in scalars.items()}, coords)
    predicted = xr.Dataset(
        {"y": (("chain", "draw", individual), drawn[None].astype(observed["y"].dtype))},
        coords | {individual: observed[individual].values} if individual in observed.coords else coords,
    )
    return xr.DataTree.from_dict({"prior": prior, "prior_predictive": predicted, "observed_data": observed})


def add_prior(tree: xr.DataTree) -> None:
    """Add the groups prior and prior_predictive, if the model comes with the package."""
    if tree.attrs["model"] == "spike_slab" or tree.attrs["model"] in UNIT_EFFECTS:
        drawn = prior_predictive(tree)
        for group in ("prior", "prior_predictive"):
            tree[group] = xr.DataTree(drawn.children[group].dataset)


def predictive_table(tree: xr.DataTree) -> pd.DataFrame:
    """Set what the prior expects beside what was found.

    Parameters
    ----------
    tree
        Result of `sample_posterior` or of a run; its groups prior and prior_predictive are made if they are missing.

    Returns
    -------
    pandas.DataFrame
        One row a quantity: prior_median prior_lo prior_hi (95%), found, and position, the share of prior draws below
        found. ``sd of y`` and ``range of y`` are of what covariates leave, found in the trait; of the others found is
        the posterior median.
    """
    rows = {}
    for name, (prior, found) in predictive_draws(tree).items():
        middle = float(np.median(found))
        below = float(np.mean(prior < middle) + 0.5 * np.mean(prior == middle))
        rows[name] = [*np.quantile(prior, [0.5, 0.025, 0.975]), middle, below]
    columns = ["prior_median", "prior_lo", "prior_hi", "found", "position"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("quantity")


def predictive_draws(tree: xr.DataTree) -> dict[str, tuple[Array, Array]]:
    """Return for each row of `predictive_table` the prior draws, and the posterior's or the one value observed."""
    drawn = tree if "prior" in check_tree(tree).children else prior_predictive(tree)
    y = tree.children["observed_data"].dataset["y"].values.astype(np.float64)
    fitted = _fit(tree.children["constant_data"].dataset["covariates"].values.astype(np.float64), y)
    traits = drawn.children["prior_predictive"].dataset["y"].values[0].astype(np.float64) - fitted
    residual = (y - fitted)[None]
    found = {"sd of y": (traits.std(axis=1), residual.std(axis=1))}
    found["range of y"] = (np.ptp(traits, axis=1), np.ptp(residual, axis=1))
    groups = [_shares(node.children[name].dataset) for node, name in ((drawn, "prior"), (tree, "posterior"))]
    return found | {name: (groups[0][name], groups[1][name]) for name in groups[0] if name in groups[1]}


def _shares(group: xr.Dataset) -> dict[str, Array]:
    """Return draws of shares of variance and, where there are any, of the number included."""
    pve, pge = (group[name].values.ravel().astype(np.float64) for name in ("pve", "pge"))
    count = {"n_included": group["n_included"].values.ravel().astype(np.float64)} if "n_included" in group else {}
    return {"pve": pve, "share of SNP effects": pve * pge} | count


def _fit(Z: Array, y: Array) -> Array:
    """Return the least-squares fit of covariates ``(n, q)``; of none, 0."""
    return np.asarray(Z @ np.linalg.lstsq(Z, y)[0]) if Z.shape[1] else np.zeros(y.size)


def _unit_signal(
    model: str, X: NDArray[np.floating], draws: int, rng: np.random.Generator
) -> tuple[dict[str, Array], Array]:
    """Return hyper-parameters of the effects alone, and X'b of effects at v h rho = 1, shape ``(draws, n)``."""
    p, n = X.shape
    if model == "spike_slab":
        log_pi = rng.uniform(*sparsity_range(p), draws)
        count = rng.binomial(p, np.exp(log_pi))
        signal = np.zeros((draws, n))
        for row, k, scale in zip(signal, count, np.sqrt(1 / (2 * p * np.exp(log_pi))), strict=True):
            places = rng.choice(p, k, replace=False)
            row[:] = rng.laplace(scale=scale, size=k) @ X[places]
        return {"log_pi": log_pi, "n_included": count.astype(np.float64)}, signal
    lower, upper = sparsity_range(p)
    own = {"log_pi": lower + (upper - lower) * (np.arange(draws) + 0.5) / draws} if model == "horseshoe" else {}
    stretches = (X[start : start + _STRETCH] for start in range(0, p, _STRETCH))
    return own, sum(
        (UNIT_EFFECTS[model](p, (len(part), draws), rng).T @ part for part in stretches), np.zeros((draws, n))
    )
