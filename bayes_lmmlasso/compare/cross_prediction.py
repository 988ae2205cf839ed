r"""Cross-validated prediction by several methods on the same folds, and how good it is.

With predictions m_i of samples that a model has not seen, and ybar_-f(i) the mean of the training samples of i's fold,

    r = corr(m, y),   r2 = 1 - sum (y_i - m_i)^2 / sum (y_i - ybar_-f(i))^2,   mse = mean (y_i - m_i)^2
    coverage = share of samples with lo_i <= y_i <= hi_i,   mc_loss = sum mcse_i^2 / sum (y_i - ybar_-f(i))^2

r2 is the share of variance explained, below 0 for predictions worse than the mean, and not the square of r. Where m_i
is an average of posterior draws with standard error mcse_i, squared errors are larger by its square than those of the
posterior mean itself, in expectation: mc_loss is what r2 would gain from chains without end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayes_lmmlasso.cohort import Cohort, SnpFilter
from bayes_lmmlasso.cohort.transforms import TransformName
from bayes_lmmlasso.compare.folds import Fold, plan_folds, prepare_fold
from bayes_lmmlasso.compare.predictors import PREDICTORS, FoldPrediction, Predictor
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["cross_predict", "prediction_rows", "prediction_scores"]

COLUMNS = "method fold fid iid y baseline mean lo hi size mcse".split()


def cross_predict(
    cohort: Cohort,
    trait: str,
    methods: Sequence[str] | Mapping[str, Predictor] = ("blup", "lasso", "lmm-lasso"),
    *,
    covariates: Sequence[str] = (),
    relations: str | ArrayLike = "rrm",
    snps: SnpFilter = SnpFilter(),
    transform: TransformName = "none",
    n_folds: int = 10,
    seed: int = 0,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Predict every sample from the samples of other folds.

    Parameters
    ----------
    cohort, trait, covariates, relations, snps, transform
        As in `prepare_fold`.
    methods
        Names in `PREDICTORS`, or predictors by name.
    n_folds, seed
        Folds, and the seed that assigns them and drives the methods.
    progress
        Told of every fold and method.

    Returns
    -------
    pandas.DataFrame
        One row a sample and method: method fold fid iid y baseline mean lo hi size mcse; baseline is the mean of
        the training samples, size the number of SNPs in the fold's model, mcse the Monte Carlo error of the mean.

    Raises
    ------
    InputError
        If a method is unknown, or as `prepare_fold`.
    """
    chosen = dict(methods) if isinstance(methods, Mapping) else {name: _predictor(name) for name in methods}
    plan = plan_folds(cohort, trait, covariates, n_folds=n_folds, seed=seed)
    tables, done = [], 0
    for label in plan.labels:
        fold = prepare_fold(
            cohort,
            trait,
            plan,
            label,
            covariates=covariates,
            relations=relations,
            snps=snps,
            transform=transform,
        )
        for name, predictor in chosen.items():
            tables.append(prediction_rows(name, label, fold, predictor(fold, seed + label)))
            done += 1
            progress("prediction", done, len(plan.labels) * len(chosen))
    return pd.concat(tables, ignore_index=True)


def prediction_rows(method: str, label: int, fold: Fold, prediction: FoldPrediction) -> pd.DataFrame:
    """Return the rows of `cross_predict` for one fold and method."""
    return fold.samples.assign(
        method=method,
        fold=label,
        y=fold.y_new,
        baseline=fold.baseline,
        mean=prediction.mean,
        lo=prediction.lo,
        hi=prediction.hi,
        size=prediction.size,
        mcse=prediction.mcse,
    )[COLUMNS]


def prediction_scores(predictions: pd.DataFrame, by: Sequence[str] = ("method",)) -> pd.DataFrame:
    """Judge predictions, over all folds or each by itself.

    Parameters
    ----------
    predictions
        What `cross_predict` returned, or several of these with columns that tell them apart.
    by
        Columns whose combinations are judged by themselves: ``("trait", "method")``, ``("method", "fold")``.

    Returns
    -------
    pandas.DataFrame
        One row a combination: these columns, n, r, r2, mse, coverage (NaN without intervals), size (mean over rows),
        mc_loss.

    Raises
    ------
    InputError
        If a column is absent.
    """
    absent = [name for name in (*by, *COLUMNS[4:]) if name not in predictions]
    if absent:
        raise InputError(
            f"expected predictions with a column {absent[0]!r}, got {', '.join(map(str, predictions))}: add it"
        )
    rows = [
        (*key, *_scores(part)) for key, part in predictions.groupby(list(by), sort=False, dropna=False, observed=True)
    ]
    return pd.DataFrame(rows, columns=[*by, "n", "r", "r2", "mse", "coverage", "size", "mc_loss"])


def _scores(part: pd.DataFrame) -> tuple[float, ...]:
    y, mean = part["y"].to_numpy(np.float64), part["mean"].to_numpy(np.float64)
    error, total = np.square(y - mean).sum(), np.square(y - part["baseline"]).sum()
    r = float(np.corrcoef(mean, y)[0, 1]) if np.ptp(mean) > 0 and np.ptp(y) > 0 else np.nan
    inside = (part["lo"] <= y) & (y <= part["hi"])
    coverage = float(inside.mean()) if part["lo"].notna().all() else np.nan
    mc_loss = float(np.square(part["mcse"].to_numpy(np.float64)).sum() / total)
    size = float(part["size"].mean())
    return len(part), r, float(1 - error / total), float(error / len(part)), coverage, size, mc_loss


def _predictor(name: str) -> Predictor:
    if name not in PREDICTORS:
        raise InputError(f"expected a method among {', '.join(PREDICTORS)}, got {name!r}: choose one of these")
    return PREDICTORS[name]
