r"""The replication failure rate: how often what a method is sure of in some of the samples is gone in all of them.

    RFR = #{pip of the subsample > 0.9 and pip of all samples < 0.1} / #{pip of the subsample > 0.9}

(Cui et al. 2024, doi:10.1038/s41588-023-01597-3). Of a calibrated method a SNP is without effect with probability
1 - pip, and only such a SNP should lose all support as samples are added, so that RFR is at most the expected share of
SNPs without effect, the mean of 1 - pip over the SNPs called, but for chance.

SNPs are called in every subsample of every trait and counted each time. The exact interval of a rate takes them as
independent, which they are not where subsamples of a trait share samples: it is too narrow. The interval of a
difference between two methods resamples traits (`bayes_lmmlasso.compare.bootstrap`), each with all of its subsamples.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from bayes_lmmlasso.compare.bootstrap import answer, bootstrap_limits, ratio_difference

__all__ = ["called_snps", "failure_differences", "failure_rates"]

_LEVEL = 0.95


def called_snps(
    subsample: NDArray[np.float64], whole: NDArray[np.float64], high: float = 0.9, low: float = 0.1
) -> pd.DataFrame:
    """List the SNPs that a subsample calls, and whether all samples take them back.

    Parameters
    ----------
    subsample, whole
        pip of the p SNPs given a subsample, and given all samples, shape ``(p,)`` each.
    high
        A SNP is called where its pip in the subsample is above.
    low
        It has failed where its pip in all samples is below.

    Returns
    -------
    pandas.DataFrame
        Columns pip_subsample pip_all failed, indexed by the place of the SNP.
    """
    called = np.flatnonzero(subsample > high)
    return pd.DataFrame(
        {"pip_subsample": subsample[called], "pip_all": whole[called], "failed": whole[called] < low}, index=called
    )


def failure_rates(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the replication failure rate of each method over all traits and subsamples.

    Parameters
    ----------
    counts
        One row a method, trait and subsample: method, trait, called, failed, expected (the sum of 1 - pip of those
        called).

    Returns
    -------
    pandas.DataFrame
        One row a method: method traits subsamples called failed rate lo hi expected; lo and hi are the exact 95%
        interval as if SNPs were independent, expected the rate at which SNPs called have no effect by their own pip;
        NaN without SNPs called.
    """
    rows = []
    for method, part in counts.groupby("method", sort=False):
        called, failed = int(part["called"].sum()), int(part["failed"].sum())
        exact = binomtest(failed, called).proportion_ci(_LEVEL, "exact") if called else None
        rows.append(
            {
                "method": method,
                "traits": part["trait"].nunique(),
                "subsamples": len(part),
                "called": called,
                "failed": failed,
                "rate": failed / called if called else np.nan,
                "lo": float(exact.low) if exact else np.nan,
                "hi": float(exact.high) if exact else np.nan,
                "expected": part["expected"].sum() / called if called else np.nan,
            }
        )
    return pd.DataFrame(rows)


def failure_differences(counts: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Compare the rates of each pair of methods on the subsamples that both have.

    Parameters
    ----------
    counts
        As for `failure_rates`, with a column split.
    seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row a pair: method reference difference (rate of method - rate of reference) lo hi answer traits; the
        interval is NaN with one trait.
    """
    rows = []
    for reference, method in combinations(counts["method"].unique(), 2):
        both = counts[counts["method"].isin([method, reference])]
        paired = both.groupby(["trait", "split"])["method"].transform("size") == 2
        sums = both[paired].pivot_table(
            index="trait", columns="method", values=["called", "failed"], aggfunc="sum", sort=False
        )
        if sums.empty:
            continue
        wanted = [(kind, name) for name in (method, reference) for kind in ("failed", "called")]
        columns = [sums[column].to_numpy(np.float64) for column in wanted]
        lo, hi = map(float, bootstrap_limits(ratio_difference, *columns, level=_LEVEL, seed=seed))
        row = {"method": method, "reference": reference, "difference": float(ratio_difference(*columns))}
        rows.append(row | {"lo": lo, "hi": hi, "answer": answer(lo, hi), "traits": len(sums)})
    return pd.DataFrame(rows, columns=["method", "reference", "difference", "lo", "hi", "answer", "traits"])
