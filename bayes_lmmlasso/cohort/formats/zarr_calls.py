"""Calls and dosages of a VCF Zarr store, block by block; the rules are those of `bayes_lmmlasso.cohort.formats.calls`.

In all of it a store has the dimensions variants (p), samples (n) and ploidy.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.formats.calls import beyond_haploid, count_alternate, polyploid
from bayes_lmmlasso.cohort.formats.rules.frequencies import frequency
from bayes_lmmlasso.cohort.formats.rules.scale import DIPLOID

__all__ = ["declared_frequencies", "haploid_copies", "polyploid_variants", "read_dosage"]

_BLOCK = 1 << 22  # calls that are counted at a time


def _blocks(p: int, n: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(1, n))
    return (slice(start, start + step) for start in range(0, p, step))


def polyploid_variants(store: xr.Dataset, ploidy: int) -> NDArray[np.bool_]:
    """``(p,)`` whether a site has calls of more alleles than 2 and ``ploidy``."""
    p, n = store.sizes["variants"], store.sizes["samples"]
    if store.sizes.get("ploidy", DIPLOID) <= max(DIPLOID, ploidy):
        return np.zeros(p, dtype=bool)
    blocks = (store["call_genotype"].isel(variants=block).values for block in _blocks(p, n))
    return np.concatenate([polyploid(calls, ploidy) for calls in blocks])


def _estimated(block: xr.Dataset) -> NDArray[np.float32]:
    """``(p, n)`` DS of the first alternate allele."""
    estimated = block["call_DS"].values
    return np.asarray(estimated if estimated.ndim == 2 else estimated[..., 0])


def haploid_copies(store: xr.Dataset) -> int:
    """Tell what DS counts up to beside a haploid call: 1, or 2 if one is above 1."""
    p, n = store.sizes["variants"], store.sizes["samples"]
    if "call_DS" not in store or "call_genotype" not in store:
        return 1
    blocks = (store.isel(variants=block) for block in _blocks(p, n))
    above = (beyond_haploid(block["call_genotype"].values, _estimated(block)) for block in blocks)
    return DIPLOID if any(above) else 1


def declared_frequencies(store: xr.Dataset) -> NDArray[np.float64]:
    """``(p,)`` frequency that the store declares, NaN where it does not."""
    p = store.sizes["variants"]
    declared = store.get("variant_AF")
    if declared is None or declared.dims[:1] != ("variants",) or declared.dtype.kind != "f":
        return np.full(p, np.nan)
    return declared.values.reshape(p, -1)[:, 0].astype(np.float64)


def read_dosage(
    store: xr.Dataset, rows: NDArray[np.intp], kept: NDArray[np.intp], ploidy: int, haploid: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """``(len(kept), len(rows))`` counts of the alternate allele, and its frequencies, block by block."""
    n = store.sizes["samples"]
    dosage, frequencies = np.empty((len(kept), len(rows)), dtype=np.float32), np.empty(len(kept))
    for part in _blocks(len(kept), n):
        chosen = kept[part]
        span = slice(chosen[0], chosen[-1] + 1)
        block = store.isel(variants=span if span.stop - span.start == len(chosen) else chosen)
        estimated = _estimated(block)[:, rows] if "call_DS" in store else None
        missing = np.full((len(chosen), len(rows), DIPLOID), -1, dtype=np.int8)
        calls = block["call_genotype"].values[:, rows] if "call_genotype" in store else missing
        dosage[part] = count_alternate(calls, estimated, ploidy, haploid)
        frequencies[part] = frequency(dosage[part])
    return dosage, frequencies
