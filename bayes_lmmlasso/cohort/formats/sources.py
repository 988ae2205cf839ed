"""Genotypes by format: one name for each, the same on the command line and in ``run.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, Unpack

import pandas as pd

from bayes_lmmlasso.arguments import check_path, check_type
from bayes_lmmlasso.cohort.dataset import Cohort
from bayes_lmmlasso.cohort.formats.bimbam import BIMBAM
from bayes_lmmlasso.cohort.formats.genotype_file import DosageType, GenotypeTable
from bayes_lmmlasso.cohort.formats.matrix import MATRIX
from bayes_lmmlasso.cohort.formats.pgen import PGEN
from bayes_lmmlasso.cohort.formats.plink import PLINK
from bayes_lmmlasso.cohort.formats.reader import GenotypeFormat, PathLike
from bayes_lmmlasso.cohort.formats.rules.scale import DIPLOID
from bayes_lmmlasso.cohort.formats.vcf import VCF
from bayes_lmmlasso.cohort.formats.vcf_zarr import VCF_ZARR
from bayes_lmmlasso.cohort.tables import TableCoding, TableLike
from bayes_lmmlasso.errors import InputError

__all__ = ["FORMATS", "GenotypeSource", "read_genotypes"]

FORMATS: Mapping[str, GenotypeFormat] = {
    "bfile": PLINK,
    "pgen": PGEN,
    "vcf": VCF,
    "vcf_zarr": VCF_ZARR,
    "bimbam": BIMBAM,
    "matrix": MATRIX,
}
"""The formats by name, in the order of the options; ``bfile`` is a PLINK 1 file set."""


@dataclass(frozen=True)
class GenotypeSource:
    """Where genotypes come from.

    Attributes
    ----------
    format
        A name in `FORMATS`.
    path
        File, folder or prefix.
    ploidy
        Copies of a chromosome that dosages count; None is 2, or what a run says that they are read for.

    Raises
    ------
    InputError
        If there is no such format.
    """

    format: str
    path: Path
    ploidy: int | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise InputError(f"expected a format among {', '.join(FORMATS)}, got {self.format!r}; choose one of them")

    @classmethod
    def of(cls, given: Mapping[str, Path | None], ploidy: int | None = None) -> Self:
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
        return cls(*sources[0], ploidy)

    def read(
        self,
        phenotypes: TableLike | None = None,
        trait: str | None = None,
        covariates: TableLike | None = None,
        dtype: DosageType = "float32",
        **coding: Unpack[TableCoding],
    ) -> Cohort:
        """Read the genotypes and join them with tables, if there are some; see `read_plink`."""
        return FORMATS[self.format].read(
            self.path, phenotypes, trait, covariates, dtype, ploidy=self.ploidy or DIPLOID, **coding
        )

    def read_table(self, dtype: DosageType = "float32") -> GenotypeTable:
        """Read the genotypes of all samples."""
        return FORMATS[self.format].read.open(self.path).read(dtype=dtype, ploidy=self.ploidy or DIPLOID)

    def samples(self, table: TableLike | None = None) -> pd.DataFrame:
        """Read who is genotyped: ``iid``, and ``fid`` if the format has it, in the order of the file.

        With a table, names that may be pasted of fid and iid are read as it has them.

        Raises
        ------
        InputError
            A file that cannot be read, or a sample that occurs twice.
        """
        file = FORMATS[self.format].read.open(self.path)
        return (file if table is None else file.named_as(table)).samples

    def traits(self) -> TableLike | None:
        """Return the traits that the genotypes bring, if they do."""
        return FORMATS[self.format].read.open(self.path).traits

    def files(self) -> tuple[Path, ...]:
        """Return the files that hold the genotypes, in an order that does not depend on where they lie."""
        return FORMATS[self.format].files(self.path)


def read_genotypes(
    path: PathLike,
    format: str,  # noqa: A002
    phenotypes: TableLike | None = None,
    trait: str | None = None,
    covariates: TableLike | None = None,
    dtype: DosageType = "float32",
    ploidy: int = 2,
    **coding: Unpack[TableCoding],
) -> Cohort:
    """Read genotypes of any format and join them with tables by sample id.

    Parameters
    ----------
    path
        File, folder or prefix.
    format
        A name in `bayes_lmmlasso.cohort.FORMATS`, such as ``bfile`` (PLINK 1) or ``vcf``.
    phenotypes, trait, covariates, dtype, ploidy, covariate_names, categorical, missing_code
        As in `read_plink`.

    Raises
    ------
    InputError
        An unknown format, or what the reader of the format raises.
    """
    name = check_type(format, str, "the name of a format", f"choose among {', '.join(FORMATS)}")
    source = GenotypeSource(name, check_path(path, "genotypes"), ploidy)
    return source.read(phenotypes, trait, covariates, dtype, **coding)
