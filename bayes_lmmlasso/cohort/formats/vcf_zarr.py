"""VCF Zarr, the array form of VCF as bio2zarr writes it, read through xarray.

Czech et al. 2025, doi:10.1093/gigascience/giaf049; https://github.com/sgkit-dev/vcf-zarr-spec. Used are the arrays

    call_genotype (variants, samples, ploidy)    index of each allele, -1 missing, -2 no such allele
    call_DS (variants, samples[, alt_alleles])   estimated dosage, if there is one
    variant_allele (variants, alleles)           the reference first, then the alternate, which is counted
    variant_contig, contig_id, variant_position, variant_id, sample_id

    variant_AF (variants[, alt_alleles])         declared frequency, compared with the one found, if there is one

with the rules of `bayes_lmmlasso.cohort.formats.calls`. There are no family ids and no genetic map.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.formats.calls import (
    haploid_remark,
    multiallelic,
    polyploid_sites,
    several_alternate,
    variant_table,
)
from bayes_lmmlasso.cohort.formats.genotype_file import DosageType, GenotypeFile, Genotypes
from bayes_lmmlasso.cohort.formats.reader import GenotypeFormat, PathLike, reads_cohort
from bayes_lmmlasso.cohort.formats.rules.files import traits_beside
from bayes_lmmlasso.cohort.formats.rules.frequencies import against_declared
from bayes_lmmlasso.cohort.formats.rules.scale import DIPLOID
from bayes_lmmlasso.cohort.formats.zarr_calls import (
    declared_frequencies,
    haploid_copies,
    polyploid_variants,
    read_dosage,
)
from bayes_lmmlasso.errors import InputError

__all__ = ["VCF_ZARR", "read_vcf_zarr"]

_SITES = ("variant_contig", "variant_position", "variant_id", "variant_allele", "contig_id", "sample_id")
_DIMS = {"call_genotype": ("variants", "samples", "ploidy"), "call_DS": ("variants", "samples")}


@reads_cohort
def read_vcf_zarr(path: PathLike) -> GenotypeFile:
    """Read a VCF Zarr store and join it with tables by sample id.

    Parameters
    ----------
    path
        Folder of the store, Zarr format 2 or 3.
    phenotypes, trait, covariates, dtype, ploidy, covariate_names, categorical, missing_code
        As in `read_plink`; ``sample_id`` is the ``iid``.

    Raises
    ------
    InputError
        A missing, malformed or incomplete store; several alternate alleles, or calls of more alleles than 2 and the
        ploidy, at every site; duplicated samples; a bad table.
    """
    path = _folder(path)
    with _opened(path) as store:
        names, p = [str(name) for name in store["sample_id"].values], store.sizes["variants"]
    samples = pd.DataFrame({"iid": names}, index=np.arange(1, len(names) + 1), dtype=object)
    return GenotypeFile(samples, str(path), partial(_load, path), traits_beside(path), p, names=names)


def _folder(path: PathLike) -> Path:
    """Return the folder of a store."""
    if not Path(path).is_dir():
        way = "give it by --vcf" if Path(path).is_file() else "check the path"
        raise InputError(f"expected the folder of a VCF Zarr store, got {path}, which is none; {way}")
    return Path(path)


def _load(path: Path, rows: NDArray[np.intp], _: DosageType, ploidy: int) -> Genotypes:
    with _opened(path) as store:
        sites = _sites(store)
        several = several_alternate(sites["alt"])
        beyond = ~several & polyploid_variants(store, ploidy)
        kept = np.flatnonzero(~(several | beyond))
        where = pd.Series(sites["chrom"]).astype(str) + ":" + pd.Series(sites["pos"]).astype(str)
        most = store.sizes.get("ploidy", DIPLOID)
        told = (
            *multiallelic(where[several].tolist(), len(several), str(path)),
            *polyploid_sites(where[beyond].tolist(), int((~several).sum()), most, ploidy, str(path)),
        )
        haploid = haploid_copies(store)
        dosage, frequencies = read_dosage(store, rows, kept, ploidy, haploid)
        declared = against_declared(frequencies, declared_frequencies(store)[kept], str(path))
        told = (*told, *haploid_remark(haploid, str(path)), *declared)
        return Genotypes(variant_table({name: column[kept] for name, column in sites.items()}), dosage, told)


@contextmanager
def _opened(path: Path) -> Iterator[xr.Dataset]:
    """Open a store whose layout is right; what goes wrong with it is told."""
    try:
        with xr.open_dataset(path, engine="zarr", consolidated=False, mask_and_scale=False, chunks=None) as store:
            _check_layout(store, path)
            yield store
    except InputError:
        raise
    except Exception as error:  # a damaged store raises whatever its metadata or compressor raises
        raise InputError(
            f"expected VCF Zarr as bio2zarr writes it in {path}, got a store that cannot be read "
            f"({type(error).__name__}: {error}); convert the VCF again"
        ) from error


def _check_layout(store: xr.Dataset, path: Path) -> None:
    """Refuse a store that lacks an array, a dimension or a chunk."""
    import zarr  # a tenth of a second that no other format needs

    calls = [name for name in _DIMS if name in store]
    absent = [name for name in _SITES if name not in store] + ([] if calls else ["call_genotype"])
    if absent:
        raise InputError(f"expected VCF Zarr in {path}, got a store without {', '.join(absent)}; convert the VCF again")
    for name in calls:
        if store[name].dims[: len(_DIMS[name])] != _DIMS[name]:
            raise InputError(
                f"expected {name} ({', '.join(_DIMS[name])}) in {path}, got {', '.join(map(str, store[name].dims))}; "
                "convert the VCF again"
            )
    for name in (*calls, *_SITES):
        array = zarr.open_array(path / name, mode="r")
        # Zarr leaves out chunks of zeros, and an absent chunk reads as zeros: real ones occur in variant_contig alone.
        if name != "variant_contig" and array.nchunks_initialized < array.nchunks:
            raise InputError(
                f"expected {array.nchunks} chunks of {name} in {path}, got {array.nchunks_initialized}; the store is "
                "incomplete: copy it again"
            )


def _sites(store: xr.Dataset) -> dict[str, Any]:
    """Columns for `variant_table`."""
    alleles = store["variant_allele"].values.astype(object)
    ref, alt = alleles[:, 0], [",".join(filter(None, others)) for others in alleles[:, 1:]]
    contigs = store["contig_id"].values.astype(object)
    return {
        "chrom": contigs[store["variant_contig"].values],
        "pos": store["variant_position"].values,
        "snp": store["variant_id"].values.astype(object),
        "ref": ref,
        "alt": np.array(alt, dtype=object),
    }


def _files(path: PathLike) -> tuple[Path, ...]:
    """Return every file of the store."""
    return tuple(sorted(file for file in _folder(path).rglob("*") if file.is_file()))


VCF_ZARR = GenotypeFormat(read_vcf_zarr, _files, "VCF Zarr of bio2zarr.", "DIR")
