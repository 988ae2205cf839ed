"""What selects SNPs in one draw of stability selection, and how draws are made, as keywords."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypedDict

from numpy.typing import ArrayLike

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.lasso.subsamples import Subsampling
from bayes_lmmlasso.lmm import NullMethod

__all__ = ["SelectionOptions", "Selector", "read_selection"]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Selector(Display):
    """What selects SNPs in each draw: an LMM-Lasso with a null model of the draw's own.

    Parameters
    ----------
    n_active, mu
        Number of SNPs to select, of which a draw has at most its samples less covariates, or the penalty: one of them
        is given.
    covariates
        Unpenalised effects, shape ``(n, q)``; None means none, not even an intercept. Columns that become
        redundant in a draw (a level that is absent there) are left out there.
    weights
        Penalty weights above 0, shape ``(p,)``, the same in every draw: SNP j pays mu w_j |b_j| (adaptive Lasso).
    method
        How the null model is fitted.
    tol
        Relative duality gap up to which a draw counts as certified; solutions are exact up to rounding regardless.
    """

    n_active: int | None = None
    mu: float | None = None
    covariates: ArrayLike | None = None
    weights: ArrayLike | None = None
    method: NullMethod = "ml"
    tol: float = 1e-8


class SelectionOptions(TypedDict, total=False):
    """The fields of `Selector` and `Subsampling` as keywords."""

    n_active: int | None
    mu: float | None
    covariates: ArrayLike | None
    weights: ArrayLike | None
    method: NullMethod
    tol: float
    n_subsamples: int
    fraction: float
    pairs: bool
    subsamples: ArrayLike | None
    seed: int


def read_selection(options: SelectionOptions) -> tuple[Selector, Subsampling]:
    """Return the selector and the subsampling that keywords describe."""
    given: dict[str, Any] = dict(options)
    own = {field.name: given.pop(field.name) for field in fields(Selector) if field.name in given}
    return Selector(**own), Subsampling(**given)
