r"""The prior of the share pi of SNPs with an effect: log pi ~ U(log 1/p, log min(0.3, 300 / p)).

The BSLMM's (Zhou, Carbonetto, Stephens 2013, doi:10.1371/journal.pgen.1003264). Knows nothing of JAX, so that what it
says of windows before any data can be had without.
"""

from __future__ import annotations

from math import log

__all__ = ["sparsity_range"]


def sparsity_range(n_snps: int) -> tuple[float, float]:
    """Return the least and the largest log pi."""
    upper = log(min(0.3, 300 / n_snps))
    return (log(1 / n_snps) if n_snps > 3 else upper - 1), upper  # the range would be empty
