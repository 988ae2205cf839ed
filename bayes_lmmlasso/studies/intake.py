"""What a study takes in and leaves out, and why, trait by trait: on the terminal and in ``data.tsv``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from bayes_lmmlasso.cohort import SnpFilter
from bayes_lmmlasso.cohort.choice import choose
from bayes_lmmlasso.cohort.intake import Intake
from bayes_lmmlasso.cohort.snp_filter import per_cause
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.run.settings import CohortSettings
from bayes_lmmlasso.run.stages import prepare_analysis, raw_kinship, read_cohort

__all__ = ["Intakes", "intake_table", "read_intakes", "study_intake_lines"]

Intakes = Mapping[str, Intake | InputError]
"""The report of each trait, or why it cannot be analysed."""

_N_TRAITS = 3  # whose reports are on the terminal


def read_intakes(settings: CohortSettings, traits: Sequence[str]) -> Intakes:
    """Make the report of each trait, with what is told of a kinship from a file; the genotypes are read once.

    Raises
    ------
    InputError
        If the files cannot be read.
    """
    cohort = read_cohort(settings.of_trait(traits[0]))
    covariates, snps = cohort.attrs["covariates"], SnpFilter(settings.maf, settings.missing)
    intakes: dict[str, Intake | InputError] = {}
    for trait in traits:
        try:
            if settings.has_given_kinship:
                data = settings.of_trait(trait)
                analysis = prepare_analysis(data, cohort)
                intakes[trait] = analysis.intake.with_remarks(*raw_kinship(data, analysis).remarks)
            else:
                chosen = choose(cohort, trait, covariates=covariates, snps=snps, transform=settings.transform)
                intakes[trait] = chosen.intake
        except InputError as error:
            intakes[trait] = error
    return intakes


def intake_table(intakes: Intakes) -> pd.DataFrame:
    """Return a row a trait: trait n_samples samples_left_out n_snps snps_left_out covariates notes cautions.

    A trait that cannot be analysed has the reason among its cautions.
    """
    return pd.DataFrame([{"trait": trait, **_row(intake)} for trait, intake in intakes.items()])


def study_intake_lines(intakes: Intakes, table: Path) -> list[str]:
    """Say what the data of the first traits are, and where those of all are told."""
    lines = []
    for trait, intake in list(intakes.items())[:_N_TRAITS]:
        lines += intake.lines() if isinstance(intake, Intake) else [f"{trait}: {intake}"]
    return [*lines, f"data of {len(intakes):,} {'trait' if len(intakes) == 1 else 'traits'}: {table}"]


def _row(intake: Intake | InputError) -> dict[str, object]:
    if isinstance(intake, InputError):
        return {"cautions": str(intake)}
    return {
        "n_samples": intake.n_samples,
        "samples_left_out": _left_out(intake.dropped_samples),
        "n_snps": intake.n_snps,
        "snps_left_out": _left_out(intake.dropped_snps),
        "covariates": "; ".join(intake.covariates),
        "notes": "; ".join(remark.text for remark in intake.remarks if not remark.caution),
        "cautions": "; ".join(remark.text for remark in intake.remarks if remark.caution),
    }


def _left_out(counts: Mapping[str, int]) -> str:
    """Name the causes that apply."""
    return per_cause({cause: count for cause, count in counts.items() if count})
