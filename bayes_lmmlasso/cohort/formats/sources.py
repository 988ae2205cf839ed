"""Genotypes by format: one name for each, the same on the command line and in ``run.json``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bayes_lmmlasso.cohort.dataset import Cohort
from bayes_lmmlasso.cohort.formats.bimbam import read_bimbam
from bayes_lmmlasso.cohort.formats.matrix import read_matrix
from bayes_lmmlasso.cohort.formats.pgen import read_pgen
from bayes_lmmlasso.cohort.formats.plink import read_plink
from bayes_lmmlasso.cohort.formats.vcf import read_vcf
from bayes_lmmlasso.cohort.formats.vcf_zarr import read_vcf_zarr
from bayes_lmmlasso.cohort.tables import TableLike
from bayes_lmmlasso.errors import InputError

__all__ = ["FORMATS", "GenotypeSource", "read_genotypes"]

FORMATS: dict[str, Callable[..., Cohort]] = {
    "bfile": read_plink,
    "pgen": read_pgen,
    "vcf": read_vcf,
    "vcf_zarr": read_vcf_zarr,
    "bimbam": read_bimbam,
    "matrix": read_matrix,
}
"""The reader of each format; ``bfile`` is a PLINK 1 file set."""


@dataclass(frozen=True)
class GenotypeSource:
    """Where genotypes come from.

    Attributes
    ----------
    format
        A name in `FORMATS`.
    path
        File, folder or prefix.
    """

    format: str
    path: Path

    @classmethod
    def of(cls, given: Mapping[str, Path | None]) -> Self:
        """Return the one source among options named by `FORMATS`.

        Raises
        ------
        InputError
            If none or several are given.
        """
        sources = [(name, path) for name in FORMATS if (path := given.get(name)) is not None]
        if len(sources) != 1:
            options = {name: f"--{name.replace('_', '-')}" for name in FORMATS}
            got = " and ".join(options[name] for name, _ in sources) or "none"
            raise InputError(f"expected genotypes by one of {', '.join(options.values())}, got {got}: give one of them")
        return cls(*sources[0])

    def read(
        self,
        phenotypes: TableLike | None = None,
        trait: str | None = None,
        covariates: TableLike | None = None,
    ) -> Cohort:
        """Read the genotypes and join them with tables; see `read_plink`."""
        return FORMATS[self.format](self.path, phenotypes, trait, covariates)


def read_genotypes(
    path: str | os.PathLike[str],
    format: str,  # noqa: A002
    phenotypes: TableLike | None = None,
    trait: str | None = None,
    covariates: TableLike | None = None,
) -> Cohort:
    """Read genotypes of any format and join them with tables by sample id.

    Parameters
    ----------
    path
        File, folder or prefix.
    format
        ``bfile`` (PLINK 1), ``pgen``, ``vcf``, ``vcf_zarr``, ``bimbam`` or ``matrix``.
    phenotypes, trait, covariates
        As in `read_plink`.

    Raises
    ------
    InputError
        An unknown format, or what the reader of the format raises.
    """
    if format not in FORMATS:
        raise InputError(f"expected a format among {', '.join(FORMATS)}, got {format!r}; choose one of them")
    return FORMATS[format](path, phenotypes, trait, covariates)
