r"""By how much a method predicts each trait better than another, and in how many traits it does.

With predictions m_i and m'_i of the same n samples of a trait by a method and its reference, and ybar_-f(i) the mean of
the training samples of i's fold, the difference in the share of variance explained

    d = r2 - r2' = sum_i [ (y_i - m'_i)^2 - (y_i - m_i)^2 ] / sum_i (y_i - ybar_-f(i))^2

is bootstrapped over samples (`bootstrap`), whose errors by both methods stay together. Of it, sum_i (mcse'_i^2 -
mcse_i^2) over the same denominator is expected to be Monte Carlo error, of posteriors sampled for a short time. A trait
with d > 0 is a win. W wins in T traits have the exact interval of a binomial share (Clopper and Pearson 1934,
doi:10.1093/biomet/26.4.404), as if traits were independent: of correlated traits it is too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from bayes_lmmlasso.compare.bootstrap import bootstrap_interval, bootstrap_limits, sum_ratio

__all__ = ["trait_differences", "win_rates"]

_SAMPLE = ["fold", "fid", "iid"]
_LEVEL = 0.95
_SHOWN = 5e-4  # what is not 0 in three decimals
_TIE = 1e-9  # differences that are rounding errors of the same prediction


def trait_differences(predictions: pd.DataFrame, pairs: Sequence[tuple[str, str]], *, seed: int = 0) -> pd.DataFrame:
    """Difference in the share of variance explained, for each trait.

    Parameters
    ----------
    predictions
        What `cross_predict` returned, of several traits, with a column ``trait``.
    pairs
        Methods and their references; pairs that share no sample of a trait are left out there.
    seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row a pair and trait: method, reference, trait, difference, lo, hi (95% interval), monte_carlo (part of the
        difference that is Monte Carlo error, in expectation), n (samples).
    """
    rows = []
    for trait, part in predictions.groupby("trait", sort=False):
        squares = part.assign(
            error=np.square(part["y"] - part["mean"]),
            chance=np.square(part["mcse"]),
            total=np.square(part["y"] - part["baseline"]),
        )
        error, chance = (squares.pivot(index=_SAMPLE, columns="method", values=name) for name in ("error", "chance"))
        total = squares.groupby(_SAMPLE)["total"].first()
        for method, reference in pairs:
            if method not in error or reference not in error:
                continue
            gain = (error[reference] - error[method]).dropna()
            if gain.empty:
                continue
            sums = gain.to_numpy(), total[gain.index].to_numpy()
            lo, hi = map(float, bootstrap_limits(sum_ratio, *sums, level=_LEVEL, seed=seed))
            by_chance = (chance[reference] - chance[method])[gain.index].sum() / total[gain.index].sum()
            rows.append((method, reference, trait, float(sum_ratio(*sums)), lo, hi, float(by_chance), len(gain)))
    table = pd.DataFrame(rows, columns="method reference trait difference lo hi monte_carlo n".split())
    order = {pair: place for place, pair in enumerate(pairs)}
    places = [order[pair] for pair in zip(table["method"], table["reference"], strict=True)]
    return table.iloc[np.argsort(places, kind="stable")].reset_index(drop=True)


def win_rates(differences: pd.DataFrame, published: float | None = None, *, seed: int = 0) -> pd.DataFrame:
    """Count the traits that each method predicts better than its reference.

    Parameters
    ----------
    differences
        What `trait_differences` returned.
    published
        Published share of wins of lmm-lasso over lasso.
    seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row a pair: method, reference, traits (without ties: a model with no SNP predicts as BLUP does), wins, share
        with its exact 95% interval lo to hi, published,
        clear_wins and clear_losses (traits whose interval of the difference leaves out 0), difference (mean over
        traits) with its bootstrap interval difference_lo to difference_hi, monte_carlo (its part that is Monte Carlo
        error, in expectation; NaN with one chain), and the conclusion in words.
    """
    rows = []
    for (method, reference), part in differences.groupby(["method", "reference"], sort=False):
        decided = part[part["difference"].abs() > _TIE]
        n, won = len(decided), int((decided["difference"] > 0).sum())
        if n == 0:
            continue
        exact = binomtest(won, n).proportion_ci(_LEVEL, "exact")
        mean = bootstrap_interval(part["difference"], level=_LEVEL, seed=seed)
        row = {
            "method": method,
            "reference": reference,
            "traits": n,
            "wins": won,
            "share": won / n,
            "lo": float(exact.low),
            "hi": float(exact.high),
            "published": published if (method, reference) == ("lmm-lasso", "lasso") else None,
            "clear_wins": int((part["lo"] > _TIE).sum()),
            "clear_losses": int((part["hi"] < -_TIE).sum()),
            "difference": mean.estimate,
            "difference_lo": mean.lo,
            "difference_hi": mean.hi,
            "monte_carlo": float(part["monte_carlo"].mean()),
        }
        rows.append(row | {"conclusion": _conclusion(row)})
    return pd.DataFrame(rows)


def _conclusion(row: dict[str, object]) -> str:
    method, reference, published = row["method"], row["reference"], row["published"]
    lo, hi, low, high = (float(str(row[name])) for name in ("lo", "hi", "difference_lo", "difference_hi"))
    interval = "of one trait" if np.isnan(low) else f"{low:+.3f} to {high:+.3f}"
    text = (
        f"{method} explains more of the variance of unseen samples than {reference} in {row['wins']} of "
        f"{row['traits']} traits ({row['share']:.1%}; exact 95% interval {lo:.1%} to {hi:.1%}), clearly so in "
        f"{row['clear_wins']} and clearly less in {row['clear_losses']}; the mean difference is "
        f"{row['difference']:+.3f} ({interval})."
    )
    by_chance = float(str(row["monte_carlo"]))
    if np.isnan(by_chance):
        text += " One chain does not tell how much of it is Monte Carlo error: sample several."
    elif abs(by_chance) >= _SHOWN:
        text += f" Of it, {by_chance:+.3f} is Monte Carlo error in expectation: longer chains take that away."
    if published is not None:
        share = float(str(published))
        text += f" The published share is {share:.1%}, {'within' if lo <= share <= hi else 'outside'} the interval."
    return text + (
        f" So {method} predicts better in most traits."
        if lo > 0.5
        else f" So {reference} predicts better in most traits."
        if hi < 0.5
        else " So many traits do not tell which of the two predicts better in most."
    )
