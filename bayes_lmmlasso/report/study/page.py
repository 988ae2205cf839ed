"""``report.html`` of a study: failures first, then figures, tables, cost and how to repeat it; self-contained."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bayes_lmmlasso.report.interactive.embed import glue, library, script_hash
from bayes_lmmlasso.report.interactive.study import study_explorer
from bayes_lmmlasso.report.page import page_template

__all__ = ["study_html"]

_TEMPLATE = "study/page.html.j2"
_MOST_ROWS, _MOST_ERRORS = 60, 5
_TEXTS = {
    "answers": "Paired differences in the area under precision-recall on the same replicates, with 95% bootstrap "
    "intervals, each for itself; answered where the interval leaves out 0.",
    "data": "What was taken in and what was left out, and why, for each trait.",
    "wins": "Traits of which a method explains more in unseen samples than its reference: their number and share with "
    "its exact 95% interval (as if traits were independent), the published share, traits whose own interval leaves out "
    "0 (clear), and the mean difference with its bootstrap interval over traits.",
    "traits": "Difference in the share of variance explained in unseen samples, method minus reference, by trait, with "
    "its 95% bootstrap interval over samples, paired, and the part of it that is Monte Carlo error (monte_carlo).",
    "summary": "Mean of each method with its 95% bootstrap interval, over replicates or traits.",
    "differences": "Paired differences between methods on the same replicates or traits: mean of method minus "
    "reference with 95% bootstrap interval, and the share in which the method has the larger value (ties count half).",
    "fdr": "Claimed Bayesian false discovery rates against realised ones, and power.",
    "accuracy": "Predictions of all folds of a trait: correlation r, share of variance explained r2 (below 0 if worse "
    "than the mean), mean squared error, coverage of 95% intervals, SNPs in the model, and mc_loss, what r2 "
    "loses to the Monte Carlo error of a sampled posterior.",
    "rfr": "Replication failure rate (Cui et al. 2024, doi:10.1038/s41588-023-01597-3): of the SNPs called in a part "
    "of the samples (pip above high), the share that failed (pip in all samples below low), with its exact 95% "
    "interval as if SNPs were independent, and what is expected, the share of SNPs without effect by their own pip.",
    "rfr_differences": "Differences between the rates of two methods on the same parts of the samples, with 95% "
    "bootstrap intervals over traits.",
    "rfr_by_split": "SNPs called and failed in each part of the samples; expected is the sum of 1 - pip.",
    "called": "Every SNP called in a part of the samples, with its pip there and in all samples.",
    "enrichment": "Sums over the traits: SNPs selected, those near a candidate gene, how many genes that are, the "
    "share of hits, the mean share of all SNPs that are as near, the p-value of rotations of all traits together, "
    "pairs as below, and published numbers, of all chromosomes of the publication.",
    "hit_differences": "Differences between the shares of hits of two methods over all traits, with 95% bootstrap "
    "intervals over traits as if these were independent, and the share of rotations with a difference as large.",
    "hits": "SNPs selected, those near a candidate gene, their share, the share of all SNPs that are as near, and the "
    "p-value of the rotation test; pairs of selected SNPs, those near a candidate gene and those with one between.",
    "selected": "SNPs above the threshold.",
    "pairs": "Neighbouring selected SNPs that are close: distance in bp, correlation r, the candidate gene nearest to "
    "their middle, whether it meets the stretch from one to the other (between) or this and the window around (near).",
    "published": "Published SNPs with their shares here, and the largest share within the window; found where the "
    "share of the SNP itself exceeds the threshold, found_near where the largest share does.",
    "best": "The number of active SNPs that explains most of unseen samples, chosen on these very samples: the parts "
    "of SNPs and structure there, and what is explained without SNPs.",
    "best_differences": "Differences in what is explained of unseen samples, each model at the size that explains "
    "most, chosen on these very samples, which favours models with more sizes; 95% bootstrap intervals over folds, as "
    "pairs.",
    "reference": "Published shares of unseen samples beside those found here at the same number of active SNPs, "
    "with 95% bootstrap intervals over folds.",
    "size_differences": "Differences in what is explained of unseen samples at equal numbers of active SNPs; 95% "
    "bootstrap intervals over folds, as pairs, each size for itself.",
    "posterior": "Shares of the variance of all samples: posterior median and 95% interval.",
    "shares": "Share of variance explained, and its parts, along the number of active SNPs, in samples that the models "
    "have not seen (below 0 if worse than the mean) and in those of training; lo and hi are the 95% bootstrap interval "
    "of explained over folds.",
}


def study_html(
    record: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, bytes],
    conclusions: Sequence[str] = (),
) -> str:
    """Return the page of a study.

    Parameters
    ----------
    record
        What the study was asked to do.
    tables
        Tables by name, ``cells`` among them.
    figures
        PNG images by caption.
    conclusions
        What the study answers.
    """
    cells = tables["cells"]
    failed = cells[cells["status"] == "failed"]
    settings = {f"{record['kind']}: {name}": value for name, value in record["settings"].items()}
    methods = [
        " ".join([method["name"], *(f"{key}={value}" for key, value in method["settings"])])
        for method in record["methods"]
    ]
    facts = {"traits": record["traits"], "methods": methods, "seed": record["seed"], **record["data"], **settings}
    explorer, explored = study_explorer(tables)
    scripts = [*library(), glue()]
    return page_template(_TEMPLATE).render(
        record=record,
        explorer=explorer,
        explored=explored,
        scripts=scripts,
        script_hashes=[script_hash(script) for script in scripts],
        n_cells=len(cells),
        n_failed=len(failed),
        errors=[f"{error} ({count:,})" for error, count in failed["error"].value_counts().head(_MOST_ERRORS).items()],
        conclusions=conclusions,
        figures={caption: base64.b64encode(image).decode("ascii") for caption, image in figures.items()},
        tables={
            name: (text, _readable(tables[name]), len(tables[name])) for name, text in _TEXTS.items() if name in tables
        },
        costs=cells.groupby("method", sort=False)["seconds"]
        .agg(["count", "min", "median", "max", "sum"])
        .reset_index(),
        facts={str(name): _one_line(value) for name, value in facts.items()},
    )


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return the first rows, yes and no for truths, without sentences that stand above."""
    truths = {str(name): table[name].map({True: "yes", False: "no"}) for name in table.select_dtypes(bool)}
    return table.assign(**truths).drop(columns="conclusion", errors="ignore").head(_MOST_ROWS)


def _one_line(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(str(item) for item in value) or "none"
    return "none" if value is None else str(value)
