"""Genotypes in a file: who is in it, and the allele counts of those that are wanted.

Every format module makes a `GenotypeFile`; the join with tables of traits and covariates is here, once for all.
Genotypes are read after the join, for the samples that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.alignment import align
from bayes_lmmlasso.cohort.dataset import Cohort, assemble
from bayes_lmmlasso.cohort.formats.rules.sample_ids import names_of_table
from bayes_lmmlasso.cohort.formats.rules.scale import Dosage, check_ploidy, narrowed, scaled
from bayes_lmmlasso.cohort.formats.rules.snp_ids import name_snps
from bayes_lmmlasso.cohort.tables import TableCoding, TableLike, id_columns, read_table, reject_duplicates
from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import Remark

__all__ = ["DosageType", "GenotypeFile", "GenotypeTable", "Genotypes"]

DosageType = Literal["float32", "int8"]
"""How dosages are stored: 4 bytes or 1 each; with a fraction among them, ``int8`` gives ``float32`` as well."""


@dataclass(frozen=True, eq=False)
class Genotypes:
    """What a format has read.

    Attributes
    ----------
    variants
        ``(p, .)`` frame ``chrom pos snp effect_allele other_allele``, and ``cm`` if there is a genetic map.
    dosage
        ``(p, n)`` counts of the effect allele; float32, or int8 that needs no check.
    remarks
        What is told about them.
    ploidy
        Copies that the counts are of by what the user says; None where the format itself counts from 0 to 2.
    """

    variants: pd.DataFrame
    dosage: Dosage
    remarks: tuple[Remark, ...] = ()
    ploidy: int | None = None


@dataclass(frozen=True, eq=False, repr=False)
class GenotypeTable(Display):
    """Genotypes of samples.

    Attributes
    ----------
    samples
        Frame with ``iid`` of the n samples, and ``fid`` if the format has it.
    variants
        ``(p, .)`` frame ``chrom pos snp effect_allele other_allele``, and ``cm`` if there is a genetic map.
    dosage
        ``(p, n)`` counts of the effect allele.
    source
        The file, for messages.
    remarks
        What is told about them.
    """

    samples: pd.DataFrame
    variants: pd.DataFrame
    dosage: Dosage
    source: str
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, eq=False)
class GenotypeFile:
    """A file of genotypes whose samples are known and whose genotypes are still to be read.

    Attributes
    ----------
    samples
        Frame with ``iid`` of all samples in the order of the file, and ``fid`` if the format has it; the index gives
        places for messages.
    source
        The file, for messages.
    load
        Takes the ascending positions ``(n,)`` of the samples wanted, the type wanted (float32 is always right) and the
        ploidy that the user tells; reads all SNPs.
    traits
        Table for `read_table` of the traits that the format holds beside the samples, with their ids.
    n_variants
        Number of SNPs, where it is known without reading them.
    remarks
        What is told about the samples.
    names
        The samples as their names stand in the file, where a program may have pasted them of fid and iid.

    Raises
    ------
    InputError
        If there is no sample, one without an id, or one that occurs twice.
    """

    samples: pd.DataFrame
    source: str
    load: Callable[[NDArray[np.intp], DosageType, int], Genotypes]
    traits: TableLike | None = None
    n_variants: int | None = None
    remarks: tuple[Remark, ...] = ()
    names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if not len(self.samples):
            raise InputError(f"expected at least one sample in {self.source}, got none; write it again")
        unnamed = self.samples.index[self.samples["iid"].str.strip().isin(("", "."))]
        if len(unnamed):
            raise InputError(
                f"expected an id for every sample of {self.source}, got none for {len(unnamed)}, the first in row or "
                f"column {unnamed[0]}; fill it in"
            )
        reject_duplicates(self.samples, id_columns(self.samples), self.source)

    def read(
        self, rows: NDArray[np.intp] | None = None, dtype: DosageType = "float32", *, ploidy: int = 2
    ) -> GenotypeTable:
        """Read the genotypes.

        Parameters
        ----------
        rows
            Ascending positions of the samples wanted; all by default.
        dtype
            See `DosageType`.
        ploidy
            Copies that the dosages of the file count; they are brought to 0 to 2.

        Raises
        ------
        InputError
            No SNP, a count outside of 0 to ``ploidy``, or what the format refuses.
        """
        if dtype not in get_args(DosageType):
            raise InputError(f"expected dtype 'float32' or 'int8', got {dtype!r}; choose one of them")
        rows = np.arange(len(self.samples)) if rows is None else rows
        loaded = self.load(rows, dtype, check_ploidy(ploidy))
        if not len(loaded.variants):
            raise InputError(f"expected at least one SNP in {self.source}, got none; write it again")
        variants, renamed = name_snps(loaded.variants, self.source)
        samples, dosage = self.samples.iloc[rows], loaded.dosage
        scale: tuple[Remark, ...] = ()
        if dosage.dtype != np.int8:

            def place(j: int, i: int) -> str:
                return f"for sample {samples['iid'].iloc[i]!r} at {variants['snp'].iloc[j]!r}"

            counts, scale = scaled(dosage.astype(np.float32, copy=False), loaded.ploidy, place, self.source)
            dosage = narrowed(counts) if dtype == "int8" else counts
        remarks = (*self.remarks, *loaded.remarks, *scale, *renamed)
        return GenotypeTable(samples, variants, dosage, self.source, remarks)

    def named_as(self, table: TableLike) -> GenotypeFile:
        """Read sample names that may be pasted of fid and iid as those of a table for `read_table`, or its like."""
        if self.names is None or not any("_" in name for name in self.names):
            return self
        samples, told = names_of_table(self.samples, self.names, read_table(table), self.source)
        return replace(self, samples=samples, remarks=(*self.remarks, *told))

    def join(
        self,
        phenotypes: TableLike | None = None,
        trait: str | None = None,
        covariates: TableLike | None = None,
        dtype: DosageType = "float32",
        *,
        ploidy: int = 2,
        covariate_names: Sequence[str] = (),
        categorical: Sequence[str] = (),
        missing_code: Sequence[str] = (),
    ) -> Cohort:
        """Make a cohort of the samples that occur in the genotypes and in every table; see `read_plink`."""
        coding = TableCoding(covariate_names=covariate_names, categorical=categorical, missing_code=missing_code)
        if phenotypes is None and trait is not None:
            phenotypes = self.traits
        table = covariates if phenotypes is None else phenotypes
        file = self if table is None else self.named_as(table)
        alignment = align(file.samples, phenotypes, trait, covariates, source=self.source, **coding)
        genotypes = file.read(alignment.rows, dtype, ploidy=ploidy)
        return assemble(genotypes.dosage, genotypes.variants, alignment, genotypes.remarks)
