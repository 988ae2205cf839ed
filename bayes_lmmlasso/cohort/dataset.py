"""The cohort: one xarray Dataset with sgkit's names.

========================  =====================  ======================================================
variable                  dims                   meaning
========================  =====================  ======================================================
``call_dosage``           variants, samples      count of the effect allele, 0 to 2; missing is NaN
                                                 (float32) or -1 (int8), as ``attrs["missing"]`` says
``sample_id``             samples                individual id (iid)
``sample_family_id``      samples                family id (fid)
``variant_id``            variants               SNP id
``variant_contig``        variants               index into ``contig_id``
``variant_position``      variants               bp; 0 = unknown (a negative bp is taken as 0)
``variant_cm``            variants               position on the genetic map; 0 = unknown
``variant_allele``        variants, alleles      column 0 is the counted (effect) allele, allele 1 of a
                                                 .bim; column 1 the other one
``contig_id``             contigs                chromosome names in order of appearance
any other                 samples                a trait or covariate: float64 (NaN) or text (None); its attributes
                                                 say whence it is, what is told of it, and why it cannot be used
========================  =====================  ======================================================

``attrs["covariates"]`` lists the covariates used, ``attrs["dropped_samples"]`` (JSON) counts the samples that
the join left out, per cause, ``attrs["dropped_examples"]`` (JSON) names some of them, and ``attrs["remarks"]``
(JSON) is what is told about the data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import named
from bayes_lmmlasso.cohort.alignment import Alignment
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import N_EXAMPLES, Remark

__all__ = [
    "Cohort",
    "assemble",
    "check_cohort",
    "column_names",
    "remarks_of",
    "sample_frame",
    "source_of",
    "variant_frame",
]

Cohort = xr.Dataset
"""An xarray.Dataset with the variables above."""


def assemble(
    dosage: NDArray[np.float32] | NDArray[np.int8],
    variants: pd.DataFrame,
    alignment: Alignment,
    remarks: Sequence[Remark] = (),
) -> Cohort:
    """Put the parts together.

    Parameters
    ----------
    dosage
        ``(p, n)`` count of the effect allele for the samples of ``alignment.rows``.
    variants
        ``(p, .)`` frame ``chrom pos snp effect_allele other_allele``, and ``cm`` if there is a genetic map.
    alignment
        What `align` returned.
    remarks
        What is told about the genotypes.

    Raises
    ------
    InputError
        If a trait or covariate has the name of one of the cohort's own variables.
    """
    contig, contig_id = pd.factorize(variants["chrom"].to_numpy(object))
    alleles = variants[["effect_allele", "other_allele"]].to_numpy(object)
    missing = "NaN" if np.issubdtype(dosage.dtype, np.floating) else "-1"
    cohort = xr.Dataset(
        {
            "call_dosage": (("variants", "samples"), dosage, {"missing": missing}),
            "sample_id": ("samples", alignment.samples["iid"].to_numpy(object)),
            "sample_family_id": ("samples", alignment.samples["fid"].to_numpy(object)),
            "variant_id": ("variants", variants["snp"].to_numpy(object)),
            "variant_contig": ("variants", contig),
            "variant_position": ("variants", np.maximum(variants["pos"].to_numpy(np.int64), 0)),
            "variant_cm": (
                "variants",
                variants["cm"].to_numpy(np.float64) if "cm" in variants else np.zeros(len(contig)),
            ),
            "variant_allele": (("variants", "alleles"), alleles, {"counted_allele": 0}),
            "contig_id": ("contigs", contig_id),
        },
        attrs={
            "covariates": alignment.covariates,
            "dropped_samples": json.dumps({cause: len(ids) for cause, ids in alignment.dropped.items()}),
            "dropped_examples": json.dumps({cause: ids[:N_EXAMPLES] for cause, ids in alignment.dropped.items()}),
            "remarks": json.dumps([asdict(remark) for remark in (*remarks, *alignment.remarks)]),
        },
    )
    for name, column in alignment.columns.items():
        if name in cohort or name in cohort.dims:
            raise InputError(
                f"expected column names that the genotypes do not use, got {name!r} in "
                f"{column.attrs['source']}; rename the column"
            )
    return cohort.assign(alignment.columns)


def check_cohort(cohort: object) -> Cohort:
    """Return a cohort.

    Raises
    ------
    InputError
        If it is anything else.
    """
    if not isinstance(cohort, Cohort) or "call_dosage" not in cohort:
        raise InputError(
            f"expected a cohort, got {named(cohort)}: read one with `bl.read_plink` and its like, or make one with "
            "`bl.cohort_from_arrays`"
        )
    return cohort


def remarks_of(cohort: Cohort, columns: Sequence[str] = ()) -> tuple[Remark, ...]:
    """Return what is told about the data of a cohort, and about some of its traits and covariates."""
    told = [cohort.attrs, *(cohort[name].attrs for name in columns)]
    return tuple(Remark(**remark) for attrs in told for remark in json.loads(attrs.get("remarks", "[]")))


def sample_frame(cohort: Cohort) -> pd.DataFrame:
    """``(n, 2)`` frame ``fid iid`` of a cohort."""
    return pd.DataFrame({"fid": cohort["sample_family_id"].values, "iid": cohort["sample_id"].values})


def variant_frame(cohort: Cohort) -> pd.DataFrame:
    """``(p, 5)`` frame ``chrom pos snp effect_allele other_allele`` of a cohort."""
    return pd.DataFrame(
        {
            "chrom": cohort["contig_id"].values[cohort["variant_contig"].values],
            "pos": cohort["variant_position"].values,
            "snp": cohort["variant_id"].values,
            "effect_allele": cohort["variant_allele"].values[:, 0],
            "other_allele": cohort["variant_allele"].values[:, 1],
        }
    )


def column_names(cohort: Cohort) -> list[str]:
    """Names of the traits and covariates that a cohort holds."""
    ids = ("sample_id", "sample_family_id")
    return [str(name) for name, v in cohort.data_vars.items() if v.dims == ("samples",) and name not in ids]


def source_of(cohort: Cohort, name: str) -> str:
    """Name the file or frame that a trait or covariate came from."""
    return str(cohort[name].attrs.get("source", "the cohort"))
