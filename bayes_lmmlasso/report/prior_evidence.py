"""The evidence on the prior: what it expected, how sensitive the posterior is to it, and what calls for caution."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr

from bayes_lmmlasso.posterior import predictive_table, prior_sensitivity

__all__ = ["PriorEvidence", "prior_cautions", "prior_tables"]

_SURPRISING = 0.005  # share of prior draws beyond what was found, on either side


@dataclass(frozen=True)
class PriorEvidence:
    """What ``run.json`` says of the prior.

    Attributes
    ----------
    verdict
        One sentence on sensitivity.
    conflicts
        What power-scaling flags.
    changes
        Probabilities that another prior changes by much, each in words.
    surprises
        What was found where the prior expected it hardly ever, each in words.
    predictive, power, alternatives
        Rows of `predictive_table` (none for a model of your own) and of both tables of `prior_sensitivity`.
    """

    verdict: str
    conflicts: list[str]
    changes: list[str]
    surprises: list[str]
    predictive: list[dict[Hashable, Any]]
    power: list[dict[Hashable, Any]]
    alternatives: list[dict[Hashable, Any]]

    @classmethod
    def of(cls, tree: xr.DataTree, window: str) -> PriorEvidence:
        """Collect the evidence from the posterior, whose prior draws are in it if its model comes with the package."""
        found = prior_sensitivity(tree, window)
        predictive = predictive_table(tree) if "prior" in tree.children else pd.DataFrame(columns=["position"])
        beyond = predictive[(predictive["position"] < _SURPRISING) | (predictive["position"] > 1 - _SURPRISING)]
        probabilities = found.notable[found.notable["quantity"].str.contains("pip of ")]
        return cls(
            verdict=found.verdict,
            conflicts=found.conflicts,
            changes=[
                f"{row.quantity} is {row.value:.2f}, and {row.other_value:.2f} with {row.alternative}"
                for row in probabilities.itertuples()
            ],
            surprises=[
                f"{name} is {row['found']:.3g}, where the prior expects {row['prior_lo']:.3g} to {row['prior_hi']:.3g}"
                for name, row in beyond.iterrows()
            ],
            predictive=predictive.reset_index().to_dict("records"),
            power=found.power.reset_index().to_dict("records"),
            alternatives=found.alternatives.to_dict("records"),
        )


def prior_tables(evidence: Mapping[str, Any] | None) -> dict[str, pd.DataFrame]:
    """Return the tables of a page: predictive, others (a row a quantity, a column another prior) and power."""
    if evidence is None:
        return {}
    rows = pd.DataFrame(evidence["alternatives"])
    found = {"predictive": pd.DataFrame(evidence["predictive"]), "power": pd.DataFrame(evidence["power"])}
    if rows.empty:
        return found | {"others": rows}
    others = rows.pivot_table(index="quantity", columns="alternative", values="other_value", sort=False, dropna=False)
    others.insert(0, "prior as stated", rows.groupby("quantity", sort=False)["value"].first())
    others.loc["Pareto k"] = rows.groupby("alternative", sort=False)["pareto_k"].first()
    return found | {"others": others.reset_index()}


def prior_cautions(evidence: Mapping[str, Any]) -> list[str]:
    """Say what in this evidence, as it is in ``run.json``, calls for caution."""
    found = []
    if evidence["conflicts"]:
        found.append(
            f"The prior matters: by power-scaling, {'; '.join(evidence['conflicts'])}. Report the prior with the "
            "result, and see the section on the prior."
        )
    if evidence["changes"]:
        rest = len(evidence["changes"]) - 2
        more = f", and {rest} more" if rest > 0 else ""
        found.append(
            f"What is found depends on the prior: {'; '.join(evidence['changes'][:2])}{more}. The section on the prior "
            "has the other priors that were tried."
        )
    if evidence["surprises"]:
        found.append(f"The prior hardly expected what was found: {'; '.join(evidence['surprises'])}.")
    return found
