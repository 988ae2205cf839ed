r"""How much of a posterior is its prior: power-scaling of the hyper-priors, and other priors by reweighting the draws.

**Power-scaling** (Kallioinen, Paananen, Buerkner, Vehtari 2024, doi:10.1007/s11222-023-10366-5): how fast the posterior
moves as the hyper-priors, or the likelihood of all samples together, are raised to a power near 1. A uniform prior
stays as it is under any power, so that of the models here this speaks of the total variance v alone.

**Other priors.** Draws t of the posterior under p(t) become draws under another prior q(t) with weights
proportional to q(t) / p(t), smoothed (PSIS; Vehtari, Simpson, Gelman, Yao, Gabry 2024,
https://jmlr.org/papers/v25/19-556.html). Where Pareto k exceeds min(1 - 1 / log10(draws), 0.7) the draws cannot tell,
and nothing is stated. On its range, h, rho and log pi are uniform; instead they are

    Beta(1, 4)    towards the lower end: less genetic variance, less of it in SNP effects, fewer causal SNPs
    Beta(4, 1)    towards the upper end

and the slab of spike_slab is 0.8 or 1.25 times as wide at the same hyper-parameters: with k effects that are not zero,

    q / p = c^-k exp((1 - 1/c) sum_j |b_j| / s),    c = 0.8, 1.25
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import log10

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import beta

from bayes_lmmlasso.arguments import check_type, named
from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.models.sparsity import sparsity_range
from bayes_lmmlasso.posterior.summaries.partition import assign_windows, parse_window
from bayes_lmmlasso.posterior.tree.effects import EffectDraws, check_tree, effect_draws

__all__ = ["LogDensity", "PriorSensitivity", "prior_sensitivity"]

Draws = NDArray[np.float64]
LogDensity = Callable[[Draws], Draws]
"""Logarithm of a density, up to a constant, at draws of a hyper-parameter."""

_TOP = 5  # SNPs and windows that are followed
_SENSITIVE = 0.05  # to a power, ArviZ's threshold
_WORST_K = 0.7
_NOTABLE_PROBABILITY, _NOTABLE_SHIFT = 0.2, 1.0  # the latter in posterior standard deviations
_NEXT_TO_NOTHING = 50.0  # of a log weight, below those that are known
_POWER = ("pve", "n_included")
_TOWARDS = {
    "h": ("lower h", "higher h"),
    "rho": ("lower rho", "higher rho"),
    "log_pi": ("fewer causal SNPs", "more causal SNPs"),
}
_SLAB = {"narrower slab": 0.8, "wider slab": 1.25}


@dataclass(frozen=True, eq=False, repr=False)
class PriorSensitivity(Display):
    """What other priors would change.

    Attributes
    ----------
    power
        One row a hyper-parameter, and pve and n_included: prior and likelihood, how sensitive it is to a power of
        either, and ArviZ's diagnosis, empty where there is none.
    alternatives
        One row another prior and quantity: alternative, quantity, value (posterior mean), other_value (under the other
        prior), difference, shift (the same in posterior standard deviations), ess (effective draws that the weights
        leave) and pareto_k. other_value, difference and shift are NaN where ``reliable`` is false.
    """

    power: pd.DataFrame
    alternatives: pd.DataFrame

    @property
    def conflicts(self) -> list[str]:
        """What power-scaling flags: each diagnosis with its quantities."""
        flagged = self.power.loc[self.power["diagnosis"] != "", "diagnosis"]
        return [f"{text} for {', '.join(part.index)}" for text, part in flagged.groupby(flagged, sort=False)]

    @property
    def notable(self) -> pd.DataFrame:
        """Rows of alternatives in which a probability changes by 0.2, or another quantity by a standard deviation."""
        table = self.alternatives
        probability = table["quantity"].str.contains("pip of ")
        far = table["difference"].abs().where(probability, 0.0) > _NOTABLE_PROBABILITY
        return table[far | (table["shift"].abs().where(~probability, 0.0) > _NOTABLE_SHIFT)]

    @property
    def verdict(self) -> str:
        """One sentence."""
        unknown = self.alternatives.loc[~self.alternatives["reliable"], "alternative"].unique()
        beyond = f" The draws cannot tell of: {', '.join(unknown)}." if len(unknown) else ""
        if self.conflicts:
            return f"By power-scaling, {'; '.join(self.conflicts)}.{beyond}"
        moved = self.notable
        if len(moved):
            changes = [
                f"{row.quantity} {row.value:.3g} to {row.other_value:.3g} with {row.alternative}"
                for row in moved.head(3).itertuples()
            ]
            more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
            return f"Other priors change what is reported: {'; '.join(changes)}{more}.{beyond}"
        return f"No other prior that was tried changes what is reported by much.{beyond}"


def prior_sensitivity(
    tree: xr.DataTree, window: str = "1Mb", *, alternatives: Mapping[str, Mapping[str, LogDensity]] | None = None
) -> PriorSensitivity:
    """Say how the posterior would change under other priors of the hyper-parameters, without sampling again.

    Parameters
    ----------
    tree
        Result of `sample_posterior`, or of a run.
    window
        Windows that are followed, as in `window_table`.
    alternatives
        Other priors by name: of each, functions that return the log density of a hyper-parameter at its draws, by
        hyper-parameter. By default those of `bayes_lmmlasso.posterior.summaries.sensitivity`.

    Returns
    -------
    PriorSensitivity
        Tables ``power`` and ``alternatives``, and the ``verdict`` in a sentence.

    Raises
    ------
    InputError
        If the tree has no prior densities, or an alternative is for something that is no hyper-parameter.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> tree = bl.read_tree("results/posterior.zarr")  # doctest: +SKIP
    >>> found = bl.prior_sensitivity(tree)  # doctest: +SKIP
    >>> few = {"about 3": {"log_pi": lambda x: -0.5 * ((x - np.log(3 / 10_000)) / 0.5) ** 2}}
    >>> bl.prior_sensitivity(tree, alternatives=few).alternatives  # doctest: +SKIP
    """
    posterior = check_tree(tree).children["posterior"].dataset
    if "log_prior" not in tree.children or "joint_log_likelihood" not in tree.children["sample_stats"].dataset:
        raise InputError(
            "expected a posterior with log_prior and sample_stats/joint_log_likelihood, got one without: sample again"
        )
    parse_window(check_type(window, str, "a window", "give one such as 1Mb"))
    drawn = effect_draws(tree)
    hyper = {name: drawn.values(tree, name).astype(np.float64) for name in tree.attrs["hyper"]}
    log_prior = tree.children["log_prior"].dataset
    given = {name: log_prior[name].values[drawn.chain, drawn.draw].astype(np.float64) for name in hyper}
    others = _usual(hyper, drawn.b.shape[1]) if alternatives is None else _checked(alternatives)
    ratios = dict(_ratios(others, hyper, given))
    if alternatives is None and tree.attrs["model"] == "spike_slab":
        ratios |= _slab_ratios(hyper, drawn)
    quantities = dict(_quantities(tree, drawn, window))
    rows = [row for name, ratio in ratios.items() for row in _compare(name, ratio, quantities)]
    columns = "alternative quantity value other_value difference shift ess pareto_k reliable".split()
    names = [name for name in (*tree.attrs["hyper"], *_POWER) if name in posterior]
    return PriorSensitivity(_power(tree, names), pd.DataFrame(rows, columns=columns))


def _power(tree: xr.DataTree, names: list[str]) -> pd.DataFrame:
    """Power-scale, with the likelihood of all samples together in place of leave-one-out densities."""
    from arviz_stats import psense

    likelihood = tree.children["sample_stats"].dataset[["joint_log_likelihood"]]
    posterior = tree.children["posterior"].dataset[names]
    moved = [name for name in names if float(posterior[name].max() - posterior[name].min()) > 0]
    parts = {"posterior": posterior[moved], "log_prior": tree.children["log_prior"].dataset}
    scaled = xr.DataTree.from_dict(parts | {"log_likelihood": likelihood})
    found = {}
    for group, source in (("prior", "log_prior"), ("likelihood", "log_likelihood")):
        total = scaled.children[source].dataset.to_array().sum("variable")
        flat = float(total.max() - total.min()) == 0  # no power changes it, as if all priors are uniform
        found[group] = pd.Series(0.0, moved) if flat else psense(scaled, group=group).to_array().to_series()
    table = pd.DataFrame(found, index=names).rename_axis("quantity")
    strong, informed = table["prior"] >= _SENSITIVE, table["likelihood"] >= _SENSITIVE
    words = ["prior and data may conflict", "the prior says more than the data"]
    return table.assign(diagnosis=np.select([strong & informed, strong], words, ""))


def _checked(alternatives: object) -> Mapping[str, Mapping[str, LogDensity]]:
    """Return priors by name, and of each the log densities by hyper-parameter."""
    remedy = "give names, and for each functions by hyper-parameter"
    priors = check_type(alternatives, dict, "a dictionary of other priors", remedy)
    for prior in priors.values():
        for density in check_type(prior, dict, "a dictionary of log densities", remedy).values():
            if not callable(density):
                raise InputError(f"expected a function that returns a log density, got {named(density)}: {remedy}")
    return priors


def _usual(hyper: Mapping[str, Draws], p: int) -> dict[str, dict[str, LogDensity]]:
    """Return the other priors of the module docstring, of those hyper-parameters that there are."""
    ranges = {"h": (0.0, 1.0), "rho": (0.0, 1.0), "log_pi": sparsity_range(p)}
    return {
        text: {name: _beta(shape, *ranges[name])}
        for name, texts in _TOWARDS.items()
        if name in hyper
        for text, shape in zip(texts, ((1, 4), (4, 1)), strict=True)
    }


def _beta(shape: tuple[int, int], lower: float, upper: float) -> LogDensity:
    """Return the log density of a Beta variable stretched to a range."""

    def density(values: Draws) -> Draws:
        with np.errstate(divide="ignore"):
            return np.asarray(beta.logpdf(values, *shape, loc=lower, scale=upper - lower))

    return density


def _ratios(
    others: Mapping[str, Mapping[str, LogDensity]], hyper: Mapping[str, Draws], given: Mapping[str, Draws]
) -> Iterator[tuple[str, Draws]]:
    """Return log q / p of every other prior at the draws."""
    for name, densities in others.items():
        if foreign := [site for site in densities if site not in hyper]:
            raise InputError(
                f"expected a prior of {', '.join(hyper)}, got one of {foreign[0]!r} in the alternative {name!r}: "
                "choose one of these"
            )
        yield name, np.sum([density(hyper[site]) - given[site] for site, density in densities.items()], axis=0)


def _slab_ratios(hyper: Mapping[str, Draws], drawn: EffectDraws) -> dict[str, Draws]:
    """Return log q / p of slabs of other widths."""
    p = drawn.b.shape[1]
    s = np.sqrt(np.exp(hyper["log_v"] - hyper["log_pi"]) * hyper["h"] * hyper["rho"] / (2 * p))
    size = np.asarray(abs(drawn.b).sum(axis=1), dtype=np.float64) / s
    count = np.asarray((drawn.b != 0).sum(axis=1))
    return {name: (1 - 1 / c) * size - count * np.log(c) for name, c in _SLAB.items()}


def _quantities(tree: xr.DataTree, drawn: EffectDraws, window: str) -> Iterator[tuple[str, Draws]]:
    """Return draws of what is followed: shares, and of a prior with a point mass the number, SNPs and windows."""
    pve, pge = (drawn.values(tree, name).astype(np.float64) for name in ("pve", "pge"))
    yield from {"pve": pve, "share of SNP effects": pve * pge}.items()
    if not isinstance(drawn.b, csr_array):
        return
    included = (drawn.b != 0).astype(np.float64)
    yield "n_included", np.asarray(included.sum(axis=1))
    constant = tree.children["constant_data"].dataset
    chrom, position, names = (constant[f"variant_{name}"].values for name in ("chrom", "pos", "snp"))
    cm = constant["variant_cm"].values if "variant_cm" in constant.coords else None
    windows = assign_windows(
        chrom, position, window, cm=cm, XT=constant["X"].values if parse_window(window).unit == "ld" else None
    )
    columns = included.tocsc()

    def anywhere(members: NDArray[np.intp]) -> Draws:
        return np.asarray(columns[:, members].sum(axis=1) > 0, dtype=np.float64)

    rates = np.array([anywhere(members).mean() for members in windows["members"]])
    for place in np.argsort(-rates, kind="stable")[:_TOP]:
        chrom_, start, end, members = windows.loc[place, ["chrom", "start", "end", "members"]]
        yield f"window_pip of {chrom_}:{start}-{end}", anywhere(members)
    for snp in np.argsort(-np.asarray(included.mean(axis=0)), kind="stable")[:_TOP]:
        yield f"pip of {names[snp]}", columns[:, [snp]].toarray()[:, 0]


def _compare(name: str, ratio: Draws, quantities: Mapping[str, Draws]) -> Iterator[tuple[object, ...]]:
    """Return a row for each quantity under another prior."""
    weights, k = _smoothed(ratio)
    reliable = not k > min(1 - 1 / log10(len(weights)), _WORST_K)
    for quantity, draws in quantities.items():
        value, sd = float(draws.mean()), float(draws.std())
        other = float(weights @ draws) if reliable else np.nan
        gap = other - value
        shift = 0.0 if gap == 0 else gap / sd if sd > 0 else np.nan
        yield name, quantity, value, other, gap, shift, 1 / float(weights @ weights), k, reliable


def _smoothed(ratio: Draws) -> tuple[Draws, float]:
    """Return the smoothed weights of draws, which add up to 1, and Pareto k: -inf where all weigh the same."""
    from arviz_stats.base import array_stats

    known = np.isfinite(ratio)
    if not known.any():  # the draws are where the other prior is not
        return np.full(len(ratio), 1 / len(ratio)), np.inf
    finite = np.where(known, ratio, ratio[known].min() - _NEXT_TO_NOTHING)
    try:
        log_weights, k = array_stats.psislw(-finite)
    except ValueError:  # the largest weights are all the same: there is no tail
        log_weights, k = finite, -np.inf
    weights = np.exp(log_weights - log_weights.max())
    return weights / weights.sum(), float(k)
