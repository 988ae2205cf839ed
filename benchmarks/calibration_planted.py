"""Truth planted on real genotypes, analysed as users do, with what came of it: one record a replicate.

Under the model's own prior (``prior``) every statement of the posterior must hold on average. Under a fixed design (10
causal SNPs with normal effects that make 30% of the variance, 20% background) nothing promises that, and even less
where the analysis is wrong: another kinship, errors with heavy tails or skew, a trait of two values.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from calibration_cohorts import SUBSETS, subset_cohort

import bayes_lmmlasso as bl
from bayes_lmmlasso.models.sparsity import sparsity_range
from bayes_lmmlasso.posterior.summaries.partition import assign_windows

__all__ = ["PLANTED", "replicate_planted"]

N_TRAIN, N_NEW, N_SNPS = 220, 60, 400
SAMPLING = {"chains": 2, "warmup": 40, "draws": 100, "sweeps": 20}
WINDOW = "20snps"
LEAST_NOISE, NEAR = 1e-4, 0.2  # r^2 from which a SNP is near a causal one


@dataclass(frozen=True)
class Setting:
    """A cohort, how the truth is drawn, and how the trait is analysed."""

    cohort: str
    design: str = "prior"
    kinship: str = "rrm"
    noise: str = "normal"
    transform: str = "none"


PLANTED = {
    f"{cohort}/{name}": Setting(cohort, **options)
    for name, options in {
        "prior": {},
        "fixed": {"design": "fixed"},
        "prior, exp(y), box-cox": {"transform": "box-cox"},
        "prior, exp(y), rank-normal": {"transform": "rank-normal"},
        "fixed, kinship of identity": {"design": "fixed", "kinship": "identity"},
        "fixed, kinship by ibs": {"design": "fixed", "kinship": "ibs"},
        "fixed, t3 errors": {"design": "fixed", "noise": "t3"},
        "fixed, exponential errors": {"design": "fixed", "noise": "exponential"},
        "fixed, two values": {"design": "fixed", "noise": "two values"},
    }.items()
    for cohort in SUBSETS
}


@dataclass(frozen=True, eq=False)
class Ground:
    """Samples to analyse and new ones, and what all replicates of a setting share."""

    train: object
    new: object
    X: np.ndarray  # (n + n_new, p), standardised by the samples to analyse
    root: np.ndarray  # square root of the kinship of all
    K: np.ndarray  # kinship that is analysed
    basis: bl.Eigenbasis
    kinship: str
    factor: float


@cache
def ground(cohort: str, kinship: str) -> Ground:
    everyone = subset_cohort(SUBSETS[cohort], N_TRAIN + N_NEW, N_SNPS)
    size = everyone.sizes["samples"]
    n = min(N_TRAIN, size - 30)
    order = np.random.default_rng(3).permutation(size)
    train, new = (everyone.isel(samples=np.sort(rows)) for rows in (order[:n], order[n:]))
    analysis = bl.prepare(train.assign(t=("samples", np.arange(float(n)))), "t")
    X = np.concatenate([analysis.X, analysis.standardise(new)]).astype(float)
    true = bl.kinship(X[:n])
    scale = bl.gower_scale(true)[0, 0] / true[0, 0]
    values, vectors = np.linalg.eigh(scale / X.shape[1] * X @ X.T)
    if kinship == "identity":
        K, factor = np.eye(n), 1.0
    else:
        source = analysis.dosages() if kinship == "ibs" else analysis.X
        K = bl.gower_scale(bl.kinship(source, kinship))
        factor = float(K[0, 0] / bl.kinship(source, kinship)[0, 0])
    root = vectors * np.sqrt(np.maximum(values, 0))
    return Ground(train, new, X, root, K, bl.Eigenbasis.from_kinship(K), kinship, factor)


@dataclass(frozen=True, eq=False)
class Truth:
    """The trait of all samples, and what it was made of."""

    y: np.ndarray
    b: np.ndarray
    shares: dict[str, float]  # of the samples to analyse
    hyper: dict[str, float]


def plant(setting: Setting, where: Ground, rng: np.random.Generator) -> Truth:
    """Draw a trait; from the prior until its variance is within 10% of 1.

    Traits are standardised before the prior of v is put on them: what the posterior is calibrated for are truths from
    the prior given that variance.
    """
    n = where.train.sizes["samples"]
    while True:
        truth = draw(setting, where, rng)
        if setting.design != "prior" or abs(np.log(truth.y[:n].var())) < 0.1:
            break
    if setting.noise == "two values":
        return replace(truth, y=(truth.y > np.median(truth.y[:n])).astype(float))
    return truth if setting.transform == "none" else replace(truth, y=np.exp(0.7 * truth.y))


def draw(setting: Setting, where: Ground, rng: np.random.Generator) -> Truth:
    p, n = where.X.shape[1], where.train.sizes["samples"]
    hyper = {}
    if setting.design == "prior":
        h, rho, log_pi = rng.uniform(), rng.uniform(), rng.uniform(*sparsity_range(p))
        v, pi, hyper = np.exp(rng.normal(0, 0.5)), np.exp(log_pi), {"h": h, "rho": rho, "log_pi": log_pi}
        b = (rng.uniform(size=p) < pi) * np.sqrt(v * h * rho / (2 * p * pi)) * rng.laplace(size=p)
        sigma2_g, sigma2_e = v * h * (1 - rho), max(v * (1 - h), LEAST_NOISE)
    else:
        b = np.zeros(p)
        b[rng.choice(p, 10, replace=False)] = rng.normal(size=10)
        b *= np.sqrt(0.3) / (where.X[:n] @ b).std()
        sigma2_g, sigma2_e = 0.2, 0.5
    snps, u = where.X @ b, np.sqrt(sigma2_g) * where.root @ rng.normal(size=where.root.shape[1])
    y = snps + u + np.sqrt(sigma2_e) * NOISE[setting.noise](rng, len(u))
    genetic, by_snps = (snps + u)[:n].var(), snps[:n].var()
    total = genetic + sigma2_e
    shares = {
        "SNP effects": by_snps / total,
        "polygenic background": (genetic - by_snps) / total,
        "noise": sigma2_e / total,
    }
    return Truth(y, b, shares, hyper)


NOISE = {
    "normal": lambda rng, size: rng.normal(size=size),
    "two values": lambda rng, size: rng.normal(size=size),
    "t3": lambda rng, size: rng.standard_t(3, size) / np.sqrt(3),
    "exponential": lambda rng, size: rng.exponential(size=size) - 1,
}


def replicate_planted(name: str, replicates: int, done: set[int]) -> Iterator[dict]:
    setting = PLANTED[name]
    where = ground(setting.cohort, setting.kinship)
    for k in sorted(set(range(replicates)) - done):
        truth = plant(setting, where, np.random.default_rng([1940, zlib.crc32(name.encode()), k]))
        start = time.process_time()
        found = analyse(setting, where, truth, k)
        yield {"chunk": k, "seconds": round(time.process_time() - start, 1)} | found


def analyse(setting: Setting, where: Ground, truth: Truth, seed: int) -> dict:
    """Analyse as the command does, and compare."""
    n = where.train.sizes["samples"]
    analysis = bl.prepare(where.train.assign(t=("samples", truth.y[:n])), "t", transform=setting.transform)
    data = bl.rotate(analysis, where.basis)
    tree = bl.sample_posterior(data, "spike_slab", analysis=analysis, seed=seed, **SAMPLING)
    bl.posterior.add_training(tree, analysis, where.kinship, where.factor)
    stability = bl.stability_selection(
        analysis.X,
        analysis.y,
        where.K,
        n_active=10,
        covariates=analysis.covariates,
        n_subsamples=50,
        pairs=True,
        seed=seed,
    )
    snps = bl.inclusion_table(tree, stability=stability)
    b = truth.b / (analysis.trait.sd if setting.transform == "none" else truth.y[:n].std())
    found = {
        "covered": coverage(setting, where, truth, tree, snps, b),
        "pip": snps.pip.round(4).tolist(),
        "causal": np.flatnonzero(b).tolist(),
        "r_hat": bl.posterior.hyper_table(tree).r_hat.max().item(),
        "stability": false_selections(analysis.X, stability, b),
    }
    windows = bl.window_table(tree, WINDOW)
    members = assign_windows(*(analysis.variants[c].to_numpy() for c in ("chrom", "pos")), WINDOW)["members"]
    found["window_pip"] = windows.window_pip.round(4).tolist()
    found["window_causal"] = [bool(b[inside].any()) for inside in members]
    causal = set(analysis.variants.snp[b != 0])
    found["sets"] = [
        [int(row.n_snps), round(row.coverage, 4), bool(causal & set(row.snps.split(",")))]
        for row in bl.credible_sets(tree).itertuples()
    ]
    return found


def coverage(setting: Setting, where: Ground, truth: Truth, tree, snps, b) -> dict[str, list[int]]:
    """How many of how many 95% intervals hold the truth."""
    covered = {}

    def count(name: str, lo, hi, value) -> None:
        inside = (np.asarray(lo) <= value) & (value <= np.asarray(hi))
        covered[name] = [int(np.sum(inside)), int(np.size(inside))]

    if setting.transform == "none":
        for name, chosen in {
            "effects of all SNPs": snps.pip >= 0,
            "effects, pip > 0.1": snps.pip > 0.1,
            "effects, pip > 0.5": snps.pip > 0.5,
            "effect of the top SNP": snps.index == snps.pip.idxmax(),
        }.items():
            count(name, snps.beta_lo[chosen], snps.beta_hi[chosen], b[chosen])
    shares = bl.posterior.share_table(tree)
    for name, value in truth.shares.items():
        count(f"share of {name}", shares.lo[name], shares.hi[name], value)
    count("pve", 1 - shares.hi["noise"], 1 - shares.lo["noise"], 1 - truth.shares["noise"])
    posterior = tree["posterior"].dataset
    for name, value in (truth.hyper | {"n_included": np.count_nonzero(b)}).items():
        count(name, *np.quantile(posterior[name].values, [0.025, 0.975]), value)
    new = truth.y[where.train.sizes["samples"] :]
    kinship = None
    if where.kinship == "identity":
        kinship = bl.lmm.CrossKinship(np.zeros((len(new), where.train.sizes["samples"])), np.ones(len(new)))
    predicted = bl.predict_cohort(tree, where.new, kinship)
    count("predictions", predicted.lo, predicted.hi, new)
    return covered


def false_selections(X, stability, b) -> dict[str, float]:
    """Selected classes of duplicates, how many hold no causal SNP, how many are not even near one; and the bounds."""
    classes = {
        int(j): np.flatnonzero(stability.duplicate_of == j) for j in set(stability.duplicate_of[stability.selected])
    }
    causal = np.flatnonzero(b)
    near = (
        np.zeros(len(b)) if not causal.size else (np.corrcoef(X.T, X[:, causal].T)[: len(b), len(b) :] ** 2).max(axis=1)
    )
    bound = stability.error_bound
    return {
        "selected": len(classes),
        "false": sum(not b[inside].any() for inside in classes.values()),
        "far": sum(bool(near[inside[0]] < NEAR) for inside in classes.values()),
        "meinshausen_buehlmann": bound.meinshausen_buehlmann,
        "unimodal": bound.unimodal,
        "r_concave": bound.r_concave,
    }
