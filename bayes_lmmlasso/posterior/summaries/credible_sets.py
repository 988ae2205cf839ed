r"""Credible sets: groups of correlated SNPs that hold an included one with high posterior probability.

Definition. From the joint draws of the effects, SNP by SNP in the order of descending P(b_j != 0 | y):

1. lead: the next SNP that is in no set yet
2. members: the lead, then, in the order of their P(b_j != 0 | y), those SNPs of its chromosome in no set yet that
   correlate with every member by |r| >= min_purity; a SNP with P(b_j != 0 | y) below 0.001 is in no set
3. stop as soon as P(b_j != 0 for at least one member | y) >= coverage, over joint draws; this is a set, and its
   SNPs are in no other. A lead whose SNPs never get there is no lead of a set (but may be a member of one)

So coverage and purity (the least |r| among members; 1 for a single SNP) mean what they mean in susieR (Wang, Sarkar,
Carbonetto, Stephens 2020, doi:10.1111/rssb.12388), where a set of less than 95% coverage does not exist and one of
purity below 0.5 is dropped. Two things differ. SuSiE has a posterior for each single effect and collects the largest of
its probabilities; a Markov chain draws whole configurations, so that membership of a signal is defined by correlation
with a lead, and coverage by counting draws. And purity is a condition on members rather than a filter on sets, so that
one SNP in loose linkage does not make a signal disappear.

A set makes no claim of a single causal SNP: ``n_included`` is the posterior mean of how many members have an effect.
A large set with n_included well above its coverage in a block of strong linkage may hold nothing but the background
that the prior puts everywhere: read size and n_included beside coverage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csc_array

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.posterior.summaries.effect_summary import probability_error
from bayes_lmmlasso.posterior.tree.effects import EffectDraws, check_tree, effect_draws

__all__ = ["credible_sets"]

_BLOCK_BYTES = 16 * 2**20  # of the correlations in memory at a time
_ROWS = 64  # SNPs of a pool whose correlations with it are in memory at a time
_RARE = 1e-3  # P(b_j != 0 | y) below which a SNP is in no set
_ROUNDING = 1e-5  # of a correlation of SNPs in float32
COLUMNS = "chrom start end n_snps coverage coverage_mcse purity n_included top_snp top_snp_pip snps".split()


def credible_sets(tree: xr.DataTree, coverage: float = 0.95, min_purity: float = 0.5) -> pd.DataFrame:
    """Find credible sets of correlated SNPs, by the definition above.

    Parameters
    ----------
    tree
        Result of `sample_posterior` for a model with exact zeros.
    coverage
        Least posterior probability that a set holds an included SNP.
    min_purity
        Least absolute correlation between any two SNPs of a set.

    Returns
    -------
    pandas.DataFrame
        One row a set, the most certain leads first: chrom, start and end (bp of its first and last SNP), n_snps,
        coverage, coverage_mcse (its Monte Carlo error), purity, n_included (posterior mean number of members with an
        effect), top_snp (the lead) and top_snp_pip (both by counting draws), snps (ids of the members, the lead first,
        joined by commas).

    Raises
    ------
    InputError
        If the model has no exact zeros, or an argument is out of range.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.credible_sets(bl.read_tree("results/posterior.zarr"), coverage=0.9)  # doctest: +SKIP
    """
    for name, value in (("coverage", coverage), ("min_purity", min_purity)):
        if not 0 < value <= 1:
            raise InputError(f"expected {name} above 0 and at most 1, got {value}: 0.95 and 0.5 are usual")
    if not check_tree(tree).attrs.get("exact_zeros"):
        raise InputError(
            f"expected a model with exact zeros, got {tree.attrs.get('model')!r}: credible sets need P(b = 0), as "
            "spike_slab has it; with other priors read window_table"
        )
    constant = tree.children["constant_data"].dataset
    chrom, position, names = (constant[f"variant_{name}"].values for name in ("chrom", "pos", "snp"))
    X = constant["X"].values
    effects = effect_draws(tree)
    bits, snapshots = _snapshots(tree, effects)
    counts = csc_array((np.bitwise_count(bits.data), bits.indices, bits.indptr), shape=bits.shape)
    pip = np.asarray(counts.sum(axis=0, dtype=np.float64)) / (bits.shape[0] * snapshots)
    chains = np.unique(effects.chain).size
    rows = []
    for name in dict.fromkeys(chrom.tolist()):
        snps = np.flatnonzero((chrom == name) & (pip >= _RARE))
        snps = snps[np.argsort(-pip[snps], kind="stable")]
        candidates = _Candidates(X[snps], bits[:, snps], snapshots, pip[snps])
        for members, purity in _search(candidates, coverage, min_purity):
            event, chosen = candidates.share(candidates.covered(members)), snps[members]
            error = probability_error(event.reshape(1, chains, -1), np.array([float(event.size)]))[0]
            where = position[chosen]
            known = where[where > 0] if where.any() else where
            place = (name, known.min(), known.max(), chosen.size)
            evidence = (event.mean(), error, purity, pip[chosen].sum())
            rows.append((*place, *evidence, names[chosen[0]], pip[chosen[0]], ",".join(names[chosen].tolist())))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("top_snp_pip", ascending=False, kind="stable", ignore_index=True)


def _snapshots(tree: xr.DataTree, effects: EffectDraws) -> tuple[csc_array, int]:
    """Return bits of shape ``(m, p)``, bit k set where a SNP is included in snapshot k of a draw, and their number."""
    if effects.visits is not None:
        return csc_array(effects.visits), tree.attrs["snapshots"]
    return csc_array((effects.b != 0).astype(np.uint8)), 1


class _Candidates:
    """The SNPs of a chromosome that are ever included, by descending pip.

    ``bits`` has shape ``(m, s)``, ``pip`` shape ``(s,)``.
    """

    def __init__(self, X: NDArray[np.floating], bits: csc_array, snapshots: int, pip: NDArray[np.float64]) -> None:
        self._bits, self.pip, self._snapshots = bits, pip, snapshots
        self._unit = X - X.mean(axis=1, keepdims=True)
        self._unit /= np.linalg.norm(self._unit, axis=1, keepdims=True)

    def correlation(self, one: NDArray[np.intp] | slice, other: NDArray[np.intp] | slice) -> NDArray[np.floating]:
        """Return |r| between SNPs."""
        r: NDArray[np.floating] = self._unit[one] @ self._unit[other].T
        return np.abs(r, out=r)

    def covered(self, members: Iterable[int]) -> NDArray[np.unsignedinteger]:
        """Return the snapshots of each draw in which any member is included, as bits of shape ``(m,)``."""
        bits = np.zeros(self._bits.shape[0], self._bits.dtype)
        for snp in members:
            self.cover(bits, snp)
        return bits

    def cover(self, covered: NDArray[np.unsignedinteger], snp: int) -> None:
        """Add the snapshots in which a SNP is included."""
        entries = slice(self._bits.indptr[snp], self._bits.indptr[snp + 1])
        covered[self._bits.indices[entries]] |= self._bits.data[entries]

    def share(self, bits: NDArray[np.unsignedinteger]) -> NDArray[np.float64]:
        """Return the share of a draw's snapshots that are set."""
        shares: NDArray[np.float64] = np.bitwise_count(bits) / self._snapshots
        return shares


def _search(candidates: _Candidates, coverage: float, min_purity: float) -> Iterator[tuple[NDArray[np.intp], float]]:
    """Yield the members, the lead first, and the purity of each set of a chromosome."""
    pip, least = candidates.pip, min_purity - _ROUNDING
    free = np.ones(pip.size, dtype=bool)
    size = max(1, _BLOCK_BYTES // (4 * pip.size + 1))
    for start in range(0, pip.size, size):
        linked = candidates.correlation(slice(start, start + size), slice(None)) >= least
        for lead, neighbours in enumerate(linked, start):
            # P(any) is at most the sum of the probabilities: most SNPs are no lead for that reason alone
            if not free[lead] or pip @ (neighbours & free) < coverage:
                continue
            found = _gather(candidates, lead, np.flatnonzero(neighbours & free), coverage, least)
            if found is not None:
                free[found[0]] = False
                yield found


def _gather(
    candidates: _Candidates, lead: int, pool: NDArray[np.intp], coverage: float, least: float
) -> tuple[NDArray[np.intp], float] | None:
    """Add members to a lead until the coverage is reached; None if it is not."""
    pool = np.concatenate([[lead], pool[pool != lead]])
    covered = candidates.covered([])
    fits, members = np.ones(pool.size, dtype=bool), []
    for k, snp in enumerate(pool):
        if k % _ROWS == 0:
            linked = candidates.correlation(pool[k : k + _ROWS], pool) >= least
        if fits[k]:
            members.append(snp)
            fits &= linked[k % _ROWS]
            candidates.cover(covered, snp)
            if candidates.share(covered).mean() >= coverage:
                chosen = np.array(members)
                return chosen, min(1.0, float(candidates.correlation(chosen, chosen).min()))
    return None
