"""Claim: the posterior in a fraction of its peers' time, to a known accuracy.

Four posteriors, each sampled by one or more programs:

    laplace   the 176 x 1,000 example of the original LMM-Lasso program (lmmlasso_reference, trait poppheno): our
              composite sampler (default), and NUTS in float32 and float64; the model as first written in NumPyro and
              in PyMC (sampled by nutpie), centred, raw variances; the Gibbs sampler of Park and Casella. All have the
              same posterior.
    point     `spike_slab` on the same data: our composite sampler (default) against NUTS through soft-thresholding
    mouse     `spike_slab` on CD8 of mouse_hs1940 (1,410 x 10,768)
    bslmm     GEMMA's BSLMM on the same mice and SNPs, four seeds as four chains: a normal instead of a Laplace slab,
              so not the same posterior; the correlation of its inclusion probabilities with ours is given as well

From rotated data (mouse: from genotypes, trait and kinship) to draws, compilation included. Columns: wall-clock and
processor seconds; worst R-hat and smallest bulk effective sample size per processor second of the hyper-parameters and
of the SNPs' effects (laplace) or inclusion probabilities; the smallest correlation of the SNPs' means between two
chains, and of their pooled means with the reference; largest and root-mean-square error of the SNPs' means, in
posterior standard deviations (laplace) or as probability; z-scores against the reference, a long run of the same
posterior. GEMMA keeps no draws of single SNPs: its Monte Carlo errors are those between chains. References are kept in
a folder and not repeated: --references, or the environment variable BAYES_LMMLASSO_REFERENCES. Run it with

    BAYES_LMMLASSO_DATA=... python3 -m uv run --group bench python benchmarks/posterior.py [--only NAME ...]

It replaces the rows of the methods run in ``benchmarks/posterior.md``. GEMMA is the Debian package gemma.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import jax
import numpy as np
from cohorts import load
from posterior_gibbs import park_casella
from posterior_measure import COLUMNS, Sampled, cached, cells, measured, summarised
from posterior_peers import centred_laplace

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import RotatedData

CHAINS = 4
LAPLACE = ("log_v", "h", "rho")
POINT = (*LAPLACE, "log_pi", "n_included")
BSLMM = ("h", "pve", "rho", "pge", "pi", "n_gamma")
GROUPS = ("laplace", "point", "mouse", "bslmm")
TABLE = Path(__file__).with_suffix(".md")


@dataclass(frozen=True)
class Method:
    """A row of the table: its posterior, what it is called, and the run (imports and data come before its clock)."""

    group: str
    title: str
    run: Callable[[], Sampled]


@cache
def reference_data(dtype: type = np.float32) -> RotatedData:
    """The example of the original program, with K = XX'/p and an intercept."""
    folder = Path(os.environ["BAYES_LMMLASSO_DATA"]) / "lmmlasso_reference"
    X, y = np.loadtxt(folder / "genotypes.csv.gz"), np.loadtxt(folder / "poppheno.csv")
    basis = bl.Eigenbasis.from_kinship(bl.kinship(X))
    return bl.rotate(X, basis, y=y, covariates=np.ones((len(y), 1)), dtype=dtype)


def summary(tree_or_draws, names: tuple[str, ...], snps: str) -> Sampled:
    """Summarise draws by name: of arrays, or of a tree with or without Rao-Blackwellised inclusion probabilities."""
    drawn = tree_or_draws
    if not isinstance(drawn, dict):
        posterior = drawn["posterior"]
        drawn = {name: posterior[name].values for name in (*LAPLACE, "b")}
        if snps == "inclusion":
            b = drawn["b"] != 0
            drawn |= {"log_pi": posterior["log_pi"].values, "n_included": b.sum(axis=2)}
            drawn["inclusion"] = posterior["inclusion"].values if "inclusion" in posterior else b
    hyper = np.stack([drawn[name] for name in names])
    return summarised(hyper, np.moveaxis(drawn[snps], 2, 0), inclusion=snps == "inclusion")


def ours(
    model: str, sampler: str, warmup: int | None, draws: int | None, *, seed: int = 1, double: bool = False
) -> Sampled:
    with jax.enable_x64(double):
        data = reference_data(np.float64 if double else np.float32)
        sample = partial(bl.sample_posterior, data, model, sampler=sampler, chains=CHAINS, seed=seed)
        names, snps = (LAPLACE, "b") if model == "laplace" else (POINT, "inclusion")
        return measured(partial(sample, warmup=warmup, draws=draws), lambda tree: summary(tree, names, snps))


def peer(sampler: Callable[..., dict[str, np.ndarray]], length: int) -> Sampled:
    work = partial(sampler, reference_data(), chains=CHAINS, warmup=length, draws=length, seed=1)
    return measured(work, lambda drawn: summary(drawn, LAPLACE, "b"))


def pymc(length: int) -> Sampled:
    from posterior_pymc import pymc_laplace

    return peer(pymc_laplace, length)


def mouse_ours(draws: int | None, seed: int) -> Sampled:
    mouse = load("mouse")

    def work():
        data = bl.rotate(mouse.X, bl.Eigenbasis.from_kinship(mouse.K), y=mouse.y, covariates=mouse.Z)
        return bl.sample_posterior(data, "spike_slab", chains=CHAINS, draws=draws, seed=seed)

    return measured(work, lambda tree: summary(tree, POINT, "inclusion"))


def mouse_gemma(steps: int, seed: int) -> Sampled:
    """One chain a seed, two or more at a time, as many as there are cores."""
    mouse = load("mouse")

    def work():
        run = partial(bl.compare.bslmm, mouse.X, mouse.y, mouse.K, covariates=mouse.Z, burn_in=steps // 10, steps=steps)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(lambda k: run(seed=seed + k), range(CHAINS)))

    def summarise(runs: list[bl.compare.BSLMM]) -> Sampled:
        hyper = np.array([[run.hyper[name] for run in runs] for name in BSLMM])
        hyper[BSLMM.index("pi")] = np.log(hyper[BSLMM.index("pi")])
        chains = np.array([run.pip for run in runs])
        error = chains.std(axis=0, ddof=1) / np.sqrt(CHAINS)
        drawn = summarised(hyper, hyper, inclusion=True)
        unknown = {"r_hat": drawn.r_hat * [1, np.nan], "ess": drawn.ess * [1, np.nan]}
        return replace(drawn, chains=chains, error=error, scale=np.ones(error.size), **unknown)

    return measured(work, summarise)


def methods(options: argparse.Namespace) -> dict[str, Method]:
    """Return the rows of the table by name; a reference is named after its posterior."""
    plain, gibbs, steps = options.plain_draws, options.gibbs_draws, options.gemma_steps
    laplace, point = partial(ours, "laplace"), partial(ours, "spike_slab")
    return {
        "composite": Method("laplace", "`laplace`, composite (default)", partial(laplace, "composite", None, None)),
        "nuts": Method("laplace", "`laplace`, NUTS", partial(laplace, "nuts", 250, 1000)),
        "float64": Method("laplace", "`laplace`, NUTS, float64", partial(laplace, "nuts", 250, 1000, double=True)),
        "numpyro": Method("laplace", f"plain NumPyro, {plain:,} + {plain:,}", partial(peer, centred_laplace, plain)),
        "pymc": Method("laplace", f"plain PyMC, nutpie, {plain:,} + {plain:,}", partial(pymc, plain)),
        "gibbs": Method("laplace", f"Park-Casella Gibbs, {gibbs:,} + {gibbs:,}", partial(peer, park_casella, gibbs)),
        "laplace": Method(
            "laplace",
            "reference: NUTS, float64, 10,000 draws",
            partial(laplace, "nuts", 500, 10_000, seed=100, double=True),
        ),
        "zeros": Method("point", "`spike_slab`, composite (default), 500 draws", partial(point, "composite", 40, 500)),
        "point": Method("point", "reference: NUTS, 16,000 draws", partial(point, "nuts", 1500, 16_000, seed=100)),
        "spike_slab": Method("mouse", "`spike_slab`, composite (default)", partial(mouse_ours, None, 1)),
        "mouse": Method("mouse", "reference: `spike_slab`, 1,000 draws", partial(mouse_ours, 1_000, 100)),
        "gemma": Method("bslmm", f"GEMMA BSLMM, {steps:,} iterations", partial(mouse_gemma, steps, 1)),
        "bslmm": Method("bslmm", "reference: GEMMA BSLMM, 1,000,000 iterations", partial(mouse_gemma, 1_000_000, 100)),
    }


def known_rows() -> dict[tuple[str, str], str]:
    """Rows of the present table by posterior and first cell."""
    rows, group = {}, ""
    for line in TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else ():
        if line.startswith("## "):
            group = line[3:]
        elif line.startswith("| "):
            rows[group, line[2:].split(" | ")[0]] = line
    return rows


def write(rows: dict[tuple[str, str], str], order: list[Method]) -> None:
    head = f"| | {' | '.join(COLUMNS)} |\n| --- |{' ---: |' * len(COLUMNS)}\n"
    text = f"{CHAINS} chains, {os.cpu_count()} cores; the columns are explained in `posterior.py`.\n"
    for group in GROUPS:
        titles = [method.title for method in order if method.group == group]
        lines = [rows[group, title] + "\n" for title in titles if (group, title) in rows]
        text += f"\n## {group}\n\n{head}{''.join(lines)}" if lines else ""
    TABLE.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plain-draws", type=int, default=5_000, help="warm-up, and draws, of plain NumPyro and PyMC")
    parser.add_argument("--gibbs-draws", type=int, default=10_000, help="warm-up, and draws, of the Gibbs sampler")
    parser.add_argument("--gemma-steps", type=int, default=100_000, help="iterations of GEMMA, and a tenth as burn-in")
    parser.add_argument("--references", type=Path, default=os.environ.get("BAYES_LMMLASSO_REFERENCES"))
    parser.add_argument("--only", nargs="+", metavar="NAME", help=" ".join(methods(parser.parse_args([]))))
    options = parser.parse_args()
    if options.references is None:
        parser.error("expected --references FOLDER or BAYES_LMMLASSO_REFERENCES, where long runs are kept")
    every, rows = methods(options), known_rows()

    @cache
    def reference(group: str) -> Sampled:
        return cached(options.references / f"{group}.npz", every[group].run)

    for name in options.only or every:
        method = every[name]
        run = reference(name) if name in GROUPS else method.run()
        other = reference("mouse") if method.group == "bslmm" else None
        row = cells(run, None if name in GROUPS else reference(method.group), other)
        rows[method.group, method.title] = f"| {method.title} | {' | '.join(row)} |"
        print(rows[method.group, method.title], flush=True)
        write(rows, list(every.values()))


if __name__ == "__main__":
    main()
