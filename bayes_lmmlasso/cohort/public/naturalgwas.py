"""The 162 European Arabidopsis accessions of Atwell et al. (2010, doi:10.1038/nature08800), from their public sources.

Genotypes of chromosome 5 are ``A.thaliana.rda`` of the R package naturalgwas: a list of ``genotype`` (a row an
accession, codes 0 and 1), ``chrpos`` (chromosome and TAIR8 position) and ``ecotype.id`` (ids in its first column). The
traits are a table of AtPolyDB, whose columns are called ``NUMBER_NAME``.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_lmmlasso.cohort.formats.optional import optional_package
from bayes_lmmlasso.cohort.tables import write_table

__all__ = ["write_naturalgwas"]

_TRAITS = (
    "LD LDV SD SDV FT10 FT16 FT22 0W 2W 4W 8W FLC FRI 8WGHFT 8WGHLN 0WGHFT 0WGHLN FTField FTDiameterField FTGH "
    "LN10 LN16 LN22"
).split()


def write_naturalgwas(sources: Sequence[Path], folder: Path) -> None:
    """Write ``arabidopsis_chr5_162.bed``, ``.bim``, ``.fam`` (trait FT16) and ``phenotypes_162.tsv``.

    The lines are inbred, so that code 1 is two copies of allele 1, called B as the nucleotides are not known.

    Parameters
    ----------
    sources
        The .rda and the table of traits.
    folder
        Where to write.

    Raises
    ------
    InputError
        If the package rdata is not installed.
    """
    from bed_reader import to_bed

    archive, published = sources
    reader = optional_package("rdata", "rdata")
    with warnings.catch_warnings(action="ignore"):
        data = reader.read_rda(archive, default_encoding="latin-1")["A.thaliana"]
    codes = np.asarray(data["genotype"], dtype=np.int8)
    ids = np.ravel(data["ecotype.id"], order="F")[: len(codes)]  # rdata gives a matrix of text as one long column
    iid = ids.astype(float).astype(int)
    position = np.asarray(data["chrpos"])[:, 1].astype(int)
    table = pd.read_csv(published, sep="\t", index_col=0)
    traits = table.rename(columns=lambda name: name.partition("_")[2].replace(" ", "")).loc[iid, _TRAITS]
    to_bed(
        folder / "arabidopsis_chr5_162.bed",
        2 * codes,
        properties={
            "fid": iid,
            "iid": iid,
            "chromosome": np.full(position.size, "5"),
            "sid": [f"5_{bp}" for bp in position],
            "bp_position": position,
            "allele_1": np.full(position.size, "B"),
            "allele_2": np.full(position.size, "A"),
            "pheno": [f"{days:g}" for days in traits["FT16"]],
        },
    )
    traits = traits.rename_axis("iid").reset_index()
    traits.insert(0, "fid", iid)
    write_table(traits, folder / "phenotypes_162.tsv")
