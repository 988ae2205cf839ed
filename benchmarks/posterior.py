"""Claim: for ``laplace`` ten times the effective draws a second of the plain NumPyro model, and the same posterior.

Data: the 176 x 1,000 example of the original LMM-Lasso program (`lmmlasso_reference`), trait ``poppheno``, float32. Per
sampler: smallest effective sample size of log v, h, rho and of all b (bulk, rank-normalised) for a second of
processor time of the whole call, warm-up and compilation included; worst R-hat; largest |z| between its posterior
means (hyper-parameters and b) and those of the first row. Run it with

    BAYES_LMMLASSO_DATA=... python3 -m uv run --group bench python benchmarks/posterior.py

It writes ``benchmarks/posterior.md``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from numpy.typing import NDArray
from posterior_peers import centred_laplace

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.posterior.diagnostics import convergence, effective_sample_size
from bayes_lmmlasso.posterior.sampling import Sampler

CHAINS = 4
HYPER = ("log_v", "h", "rho")

Draws = dict[str, NDArray[np.floating]]


def reference_data(dtype: type = np.float32) -> RotatedData:
    """The example of the original program, with K = XX'/p and an intercept."""
    folder = Path(os.environ["BAYES_LMMLASSO_DATA"]) / "lmmlasso_reference"
    X, y = np.loadtxt(folder / "genotypes.csv.gz"), np.loadtxt(folder / "poppheno.csv")
    basis = bl.Eigenbasis.from_kinship(bl.kinship(X))
    return bl.rotate(X, basis, y=y, covariates=np.ones((len(y), 1)), dtype=dtype)


def ours(data: RotatedData, sampler: Sampler, warmup: int, draws: int) -> Draws:
    tree = bl.sample_posterior(data, "laplace", sampler=sampler, chains=CHAINS, warmup=warmup, draws=draws, seed=1)
    return {name: tree["posterior"][name].values for name in (*HYPER, "b")}


def series(drawn: Draws) -> NDArray[np.float64]:
    """Hyper-parameters first, then all effects: (m, chains, draws)."""
    hyper = np.stack([drawn[name] for name in HYPER])
    return np.concatenate([hyper, np.moveaxis(drawn["b"], 2, 0)]).astype(np.float64)


def main() -> None:
    data = reference_data()
    with jax.enable_x64(True):
        double = reference_data(np.float64)
    samplers: dict[str, Callable[[], Draws]] = {
        "`laplace`, NUTS (default)": lambda: ours(data, "nuts", 250, 1000),
        "`laplace`, composite, 5 sweeps a draw": lambda: ours(data, "composite", 250, 1000),
        "plain NumPyro: centred, raw variances": lambda: centred_laplace(
            data, chains=CHAINS, warmup=500, draws=500, seed=1
        ),
    }
    rows, first = [], None

    def measure(name: str, sampler: Callable[[], Draws]) -> None:
        nonlocal first
        start = time.process_time()
        drawn = series(sampler())
        seconds = time.process_time() - start
        r_hat, ess = convergence(drawn)
        mean = drawn.mean(axis=(1, 2))
        error = drawn.std(axis=(1, 2)) / np.sqrt(effective_sample_size(drawn))
        first = first or (mean, error)
        z = np.abs(mean - first[0]) / np.hypot(error, first[1])
        rows.append(
            f"| {name} | {seconds:.0f} | {ess[:3].min():.0f} | {ess[3:].min():.0f} | {ess[:3].min() / seconds:.3g} "
            f"| {ess[3:].min() / seconds:.3g} | {r_hat[:3].max():.3f} | {r_hat[3:].max():.3f} | {z[:3].max():.1f} "
            f"| {z[3:].max():.1f} |"
        )
        print(rows[-1], flush=True)

    for name, sampler in samplers.items():
        measure(name, sampler)
    with jax.enable_x64(True):
        measure("`laplace`, NUTS, float64", lambda: ours(double, "nuts", 250, 1000))
    table = (
        f"176 x 1,000, {CHAINS} chains, {os.cpu_count()} cores; smallest ESS and largest R-hat and abs(z) of log v, h, "
        "rho and of all b; seconds of processor time, warm-up and compilation included.\n\n"
        "| | seconds | ESS hyper | ESS b | ESS/s hyper | ESS/s b | R-hat hyper | R-hat b | z hyper | z b |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n" + "\n".join(rows) + "\n"
    )
    Path(__file__).with_suffix(".md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
