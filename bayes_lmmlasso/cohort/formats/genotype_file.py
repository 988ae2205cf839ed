"""Genotypes in a file: who is in it, and the allele counts of those that are wanted.

Every format module makes a `GenotypeFile`; the join with tables of traits and covariates is here, once for all.
Genotypes are read after the join, for the samples that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.alignment import align
from bayes_lmmlasso.cohort.dataset import Cohort, assemble
from bayes_lmmlasso.cohort.tables import TableCoding, TableLike, id_columns, reject_duplicates
from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import Remark

__all__ = ["Dosage", "DosageType", "GenotypeFile", "GenotypeTable"]

Dosage = NDArray[np.float32] | NDArray[np.int8]
"""Counts of the effect allele from 0 to 2; missing is NaN or -1."""

DosageType = Literal["float32", "int8"]
"""How dosages are stored: 4 bytes or 1 each; with a fraction among them, ``int8`` gives ``float32`` as well."""

_BLOCK = 1 << 22  # dosages that are narrowed at a time


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
        Takes the ascending positions ``(n,)`` of the samples wanted and the type wanted; returns the frame of all p
        SNPs and the ``(p, n)`` counts as in `GenotypeTable`, where float32 is always right.
    traits
        Table for `read_table` of the traits that the format holds beside the samples, with their ids.
    n_variants
        Number of SNPs, where it is known without reading them.
    remarks
        What is told about the samples.

    Raises
    ------
    InputError
        If a sample occurs twice.
    """

    samples: pd.DataFrame
    source: str
    load: Callable[[NDArray[np.intp], DosageType], tuple[pd.DataFrame, Dosage]]
    traits: pd.DataFrame | None = None
    n_variants: int | None = None
    remarks: tuple[Remark, ...] = ()

    def __post_init__(self) -> None:
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
        variants, dosage = self.load(rows, dtype)
        if not len(variants):
            raise InputError(f"expected at least one SNP in {self.source}, got none; write it again")
        samples = self.samples.iloc[rows]
        if dosage.dtype != np.int8:
            _check_counts(dosage, samples, variants, self.source)
            dosage = _narrowed(dosage) if dtype == "int8" else dosage
        return GenotypeTable(samples, variants, dosage, self.source, self.remarks)

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
        alignment = align(self.samples, phenotypes, trait, covariates, source=self.source, **coding)
        table = self.read(alignment.rows, dtype, ploidy=ploidy)
        return assemble(table.dosage, table.variants, alignment, table.remarks)


def _check_counts(dosage: Dosage, samples: pd.DataFrame, variants: pd.DataFrame, source: str) -> None:
    """Refuse floats outside of 0 to 2."""
    if np.fmin.reduce(dosage, axis=None) < 0 or np.fmax.reduce(dosage, axis=None) > 2:
        j, i = np.argwhere((dosage < 0) | (dosage > 2))[0]
        raise InputError(
            f"expected allele counts from 0 to 2 in {source}, got {dosage[j, i]:g} for sample "
            f"{samples['iid'].iloc[i]!r} at {variants['snp'].iloc[j]!r}; recode the genotypes"
        )


def _narrowed(dosage: Dosage) -> Dosage:
    """Return the counts as int8 with -1 for missing if all are whole numbers, else as they are."""
    codes = np.empty(dosage.shape, dtype=np.int8)
    step = max(1, _BLOCK // max(1, dosage.shape[1]))
    for start in range(0, len(dosage), step):
        block = np.nan_to_num(dosage[start : start + step], nan=-1)
        codes[start : start + step] = block
        if (codes[start : start + step] != block).any():
            return dosage
    return codes
