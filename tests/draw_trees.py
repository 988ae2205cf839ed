"""Trees of given draws, as `sample_posterior` returns them: posteriors that a test knows exactly."""

from __future__ import annotations

import numpy as np
import xarray as xr

__all__ = ["tree_of"]


def tree_of(X, b, *, Z=None, K=None, y=None, exact_zeros=True, chrom=None, pos=None, **hyper):
    """A tree of effects ``b`` (chains, draws, p) on standardised X (n, p), with hyper-parameters (chains, draws)."""
    n, p = X.shape
    Z = np.ones((n, 1)) if Z is None else Z
    values, vectors = np.linalg.eigh(X @ X.T / p if K is None else K)
    posterior = {"b": (("chain", "draw", "variant"), b)}
    for name, drawn in hyper.items():
        posterior[name] = (("chain", "draw", *(["covariate"] if name == "a" else [])), drawn)
    constant = {
        "X": (("variant", "sample"), X.T),
        "covariates": (("sample", "covariate"), Z),
        "eigenvalues": ("eigen", np.maximum(values[::-1], 0)),
        "eigenvectors": (("sample", "eigen"), vectors[:, ::-1]),
    }
    coords = {
        "variant_chrom": ("variant", np.repeat("1", p) if chrom is None else chrom),
        "variant_pos": ("variant", np.arange(1, p + 1) if pos is None else pos),
        "variant_snp": ("variant", np.array([f"s{j}" for j in range(p)])),
    }
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(posterior),
            "observed_data": xr.Dataset({"y": ("individual", np.zeros(n) if y is None else y)}),
            "constant_data": xr.Dataset(constant, coords=coords),
        }
    )
    tree.attrs.update(exact_zeros=exact_zeros, model="spike_slab" if exact_zeros else "normal")
    return tree
