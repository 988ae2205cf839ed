"""The format of genotypes, told from their name and what is there."""

from __future__ import annotations

import os

from bayes_lmmlasso.arguments import check_path
from bayes_lmmlasso.cohort.formats.sources import GenotypeSource
from bayes_lmmlasso.errors import InputError

__all__ = ["find_genotypes"]

_PREFIXES = {"bfile": ".bed", "pgen": ".pgen"}
_ENDINGS = {
    "vcf": (".vcf", ".vcf.gz", ".vcf.bgz", ".bcf"),
    "bimbam": (".geno.txt", ".geno.txt.gz", ".geno.txt.zst"),
}


def find_genotypes(path: str | os.PathLike[str] | GenotypeSource) -> GenotypeSource:
    """Return the genotypes at a path with their format.

    Parameters
    ----------
    path
        Prefix of a PLINK 1 or PLINK 2 file set, a VCF, a folder of VCF Zarr, BIMBAM mean genotypes
        (``.geno.txt``), or any other file: a delimited matrix. A `GenotypeSource` is returned as it is.

    Raises
    ------
    InputError
        If nothing is there, or file sets of both PLINK 1 and 2.
    """
    if isinstance(path, GenotypeSource):
        return path
    where = check_path(path, "genotypes")
    sets = [name for name, ending in _PREFIXES.items() if where.with_name(f"{where.name}{ending}").is_file()]
    if len(sets) == 2:
        raise InputError(
            f"expected one file set with the prefix {where}, got a .bed and a .pgen: add the ending of the one you mean"
        )
    if sets:
        return GenotypeSource(sets[0], where)
    if where.is_dir():
        return GenotypeSource("vcf_zarr", where)
    if not where.is_file():
        raise InputError(
            f"expected genotypes at {where}, got neither a file or folder nor {where}.bed or .pgen: check the path"
        )
    for name, endings in (_ENDINGS | {key: (ending,) for key, ending in _PREFIXES.items()}).items():
        if where.name.endswith(endings):
            return GenotypeSource(name, where)
    return GenotypeSource("matrix", where)
