"""Claim: the same code runs on a GPU, with the same posterior, and pays where X is large.

One after the other, on the CPU and on what JAX takes by default, each in a process of its own:

    products  X b and X'r, of one vector and of four at once as four chains ask for them: milliseconds, and
              gigabytes of X read a second
    step      a leapfrog step of NUTS for `laplace` in all of four chains (six products each), draws of at most 31
              steps;
              on an accelerator all chains advance together in one program, or, to compare, each in a thread of its own
    sweep     a sweep of the composite sampler for `spike_slab` in all of four chains
    sampling  `sample_posterior` by NUTS as a whole, compilation included, 4 chains; and how far its means are from the
              CPU's, of all hyper-parameters and the first effects; R-hat is the worst of these

Cohorts: the 176 x 1,000 example of the original LMM-Lasso program, CD8 of mouse_hs1940 (1,410 x 10,768), and simulated
ones, made in the eigenbasis of K = XX'/p. Everything is float32. Run it with

    BAYES_LMMLASSO_DATA=... python3 -m uv run --group bench --extra cuda python benchmarks/accelerator.py

It writes ``benchmarks/accelerator.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from cohorts import load
from numpyro.infer import NUTS
from posterior import CHAINS, LAPLACE, reference_data, summary
from posterior_measure import Sampled

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.models.laplace import laplace
from bayes_lmmlasso.models.rotated import product, product_t
from bayes_lmmlasso.posterior.sampler.chains import Schedule, run_chains
from bayes_lmmlasso.posterior.sampler.composite.kernel import Composite
from bayes_lmmlasso.posterior.sampler.devices import on_accelerator
from bayes_lmmlasso.posterior.sampler.draw_store import MemoryStore
from bayes_lmmlasso.posterior.sampler.monitor import Monitor
from bayes_lmmlasso.posterior.sampler.nuts import Nuts
from bayes_lmmlasso.posterior.sampler.plan import Execution

TABLE = Path(__file__).with_suffix(".md")
FIRST = 11_000  # effects whose draws are summarised


def simulated(n: int, p: int, seed: int = 1) -> RotatedData:
    """A cohort with K = XX'/p, in its eigenbasis: X = diag(sqrt(p S)) W' with the p x n matrix W orthonormal."""
    key_w, key_b, key_y = jax.random.split(jax.random.key(seed), 3)

    @jax.jit
    @jax.default_matmul_precision("highest")
    def draw() -> tuple[jax.Array, ...]:
        S = jnp.linspace(2.0, 0.01, n)
        W = jax.random.normal(key_w, (p, n))
        root = jnp.linalg.cholesky(W.T @ W)
        sigma = jnp.sqrt(p * S)
        XT = W @ (jax.scipy.linalg.solve_triangular(root, jnp.eye(n), lower=True).T * sigma)
        b = jax.random.laplace(key_b, (p,)) * jnp.sqrt(0.25 / (2 * p))
        y = XT.T @ b + jnp.sqrt(0.25 * S + 0.5) * jax.random.normal(key_y, (n,))
        return y, XT, S, sigma

    y, XT, S, sigma = draw()
    return RotatedData(y=y, Z=jnp.zeros((n, 0)), XT=XT, S=S, U=jnp.eye(n), sigma=sigma)


def mouse() -> RotatedData:
    cohort = load("mouse")
    return bl.rotate(cohort.X, bl.Eigenbasis.from_kinship(cohort.K), y=cohort.y, covariates=cohort.Z)


COHORTS: dict[str, Callable[[], RotatedData]] = {
    "176 x 1,000": reference_data,
    "1,410 x 10,768": mouse,
    "2,000 x 100,000": partial(simulated, 2_000, 100_000),
    "4,000 x 200,000": partial(simulated, 4_000, 200_000),
}


def milliseconds(work: Callable[[], jax.Array], seconds: float = 1.0) -> float:
    """Median time of a call, over calls for about so long."""
    jax.block_until_ready(work())
    times: list[float] = []
    while len(times) < 5 or sum(times) < seconds:
        start = time.perf_counter()
        jax.block_until_ready(work())
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def products(data: RotatedData) -> dict[str, float]:
    """Milliseconds of X b and X'r, of one vector and of four at once."""
    n, p = data.y.size, data.n_snps
    found = {}
    with jax.default_matmul_precision("highest"):
        for seed, (name, multiply, length) in enumerate((("X b", product, p), ("X'r", product_t, n))):
            four = jax.random.normal(jax.random.key(seed), (CHAINS, length))
            one, together = jax.block_until_ready(four[0]), jax.vmap(multiply, in_axes=(None, 0))
            found[name] = milliseconds(partial(jax.jit(multiply), data, one))
            found[f"four {name}"] = milliseconds(partial(jax.jit(together), data, four))
    return found


class Clock(Monitor):
    """Counts the units of work of all chains after warm-up, in which programs are loaded."""

    def __init__(self, unit: Callable[[dict[str, np.ndarray]], float]) -> None:
        super().__init__(CHAINS, 1, 1, ())
        self._unit, self._units = unit, 0.0

    def __call__(self, chain, values, count, warming) -> None:
        with self._lock:
            self._end = time.perf_counter()
            if warming:
                self._start = self._end
            else:
                self._units += self._unit(values)

    def milliseconds(self) -> float:
        """Time in which every chain does a unit."""
        return 1e3 * (self._end - self._start) / (self._units / CHAINS)


class StepCount(Nuts):
    """NUTS of which the number of steps alone is kept."""

    def record(self, state, data):
        return {"n_steps": state.num_steps}


def step(data: RotatedData, draws: int, in_threads: bool = False) -> float:
    """Milliseconds of a leapfrog step in every chain, on a GPU all together or in a thread each as on the CPU."""
    size = data.n_snps**-0.25
    kernel = NUTS(laplace, step_size=size, adapt_step_size=False, adapt_mass_matrix=False, max_tree_depth=5)
    clock = Clock(lambda values: float(values["n_steps"].sum()))
    execution = Execution(accelerator=False if in_threads else None)
    schedule = Schedule(CHAINS, 1, draws - 1)
    run_chains(StepCount(kernel), data, MemoryStore(), schedule, seed=1, monitor=clock, execution=execution)
    return clock.milliseconds()


def sweep(data: RotatedData, draws: int, sweeps: int = 50) -> float:
    """Milliseconds of a sweep in every chain, from the first ones, in which many effects come and go."""
    sampler = Composite.of(bl.models.MODELS["spike_slab"], (), sweeps, data, on_accelerator(data))
    clock = Clock(lambda values: float(sweeps * len(values["b"])))
    run_chains(sampler, data, MemoryStore(), Schedule(CHAINS, 1, draws - 1), seed=1, monitor=clock)
    return clock.milliseconds()


def sampling(data: RotatedData, warmup: int, draws: int) -> tuple[float, Sampled]:
    """Seconds of a whole sampling of `laplace` by NUTS, and a summary of its hyper-parameters and first effects."""
    start = time.perf_counter()
    tree = bl.sample_posterior(data, "laplace", sampler="nuts", chains=CHAINS, warmup=warmup, draws=draws, seed=1)
    seconds, posterior = time.perf_counter() - start, tree["posterior"]
    drawn = {name: posterior[name].values for name in LAPLACE} | {"b": posterior["b"].values[:, :, :FIRST]}
    return seconds, summary(drawn, LAPLACE, "b")


def memory() -> float:
    """Gigabytes at the peak of the device, NaN on the CPU."""
    return (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", np.nan) / 1e9


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Measure all on JAX's default device, into one file for each platform."""
    platform = jax.default_backend()
    found = {"device": jax.devices()[0].device_kind, "cores": len(os.sched_getaffinity(0)), "cohorts": {}}

    def keep(cohort: str, **values: float) -> None:
        found["cohorts"].setdefault(cohort, {}).update(values)
        (folder / f"{platform}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(platform, cohort, values, flush=True)

    for cohort in options.cohorts:
        data = COHORTS[cohort]()
        keep(cohort, **products(data))
        large = data.XT.nbytes > 5e8
        draws = (3 if large else 10) if platform == "cpu" else 10
        keep(cohort, step=step(data, draws))
        if cohort == "1,410 x 10,768":
            keep(cohort, sweep=sweep(data, 3))
        if cohort in options.sample:
            seconds, drawn = sampling(data, options.warmup, options.draws)
            np.savez(sampled(folder, platform, cohort), **asdict(drawn))
            keep(cohort, sampling=seconds, r_hat=float(drawn.r_hat.max()))
        keep(cohort, memory=memory())
        del data
    for cohort in options.compare if platform != "cpu" else ():
        data = COHORTS[cohort]()
        keep(cohort, threads=step(data, 10, in_threads=True))


def sampled(folder: Path, platform: str, cohort: str) -> Path:
    """Where the summary of a whole sampling is kept."""
    return folder / f"{platform}_{cohort.replace(',', '').replace(' ', '')}.npz"


def agreement(folder: Path, platform: str, cohort: str) -> str:
    """How far the means of a platform are from the CPU's, in their Monte Carlo errors."""
    one, two = (dict(np.load(sampled(folder, name, cohort))) for name in ("cpu", platform))
    hyper = (one["hyper"] - two["hyper"]) / np.hypot(one["hyper_error"], two["hyper_error"])
    effects = (one["chains"].mean(axis=0) - two["chains"].mean(axis=0)) / np.hypot(one["error"], two["error"])
    return (
        f"Means of the two samplings of {cohort} differ by {np.abs(hyper).max():.1f} Monte Carlo errors at most (of "
        f"the hyper-parameters), {np.sqrt(np.mean(effects**2)):.2f} in root mean square ({effects.size:,} effects).\n"
    )


def write(folder: Path) -> None:
    """Write the table: a row for each cohort and platform."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    kinds = "; ".join(f"{name}: {run['device']}, {run['cores']} cores" for name, run in found.items())
    versions = ", ".join(f"{name} {version(name)}" for name in ("jax", "numpyro"))
    columns = (
        "X b ms",
        "GB/s",
        "X'r ms",
        "GB/s",
        "step ms",
        "in threads",
        "sweep ms",
        "sampling s",
        "R-hat",
        "peak GB",
    )
    text = (
        f"{kinds}; {versions}; float32; the columns are explained in `accelerator.py`, products are of four vectors.\n"
    )
    text += f"\n| samples x SNPs | | {' | '.join(columns)} |\n| --- | --- |{' ---: |' * len(columns)}\n"
    for cohort in COHORTS:
        n, p = (int(size.replace(",", "")) for size in cohort.split(" x "))
        for name, run in found.items():
            row = run["cohorts"].get(cohort, {})
            speeds = [4e-6 * n * p / row.get(f"four {product}", np.nan) for product in ("X b", "X'r")]
            cells = [row.get("four X b", np.nan), speeds[0], row.get("four X'r", np.nan), speeds[1]]
            cells += [row.get(key, np.nan) for key in ("step", "threads", "sweep", "sampling", "r_hat", "memory")]
            text += f"| {cohort} | {name} | {' | '.join(f'{cell:.3g}' for cell in cells)} |\n".replace("nan", "")
    for cohort in COHORTS:
        names = [name for name in found if sampled(folder, name, cohort).exists()]
        if "cpu" in names:
            text += "".join(f"\n{agreement(folder, name, cohort)}" for name in names if name != "cpu")
    TABLE.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", nargs="+", choices=COHORTS, default=list(COHORTS))
    parser.add_argument("--compare", nargs="*", choices=COHORTS, default=["1,410 x 10,768"], help="step in threads too")
    parser.add_argument("--sample", nargs="*", choices=COHORTS, default=["1,410 x 10,768"], help="sample too")
    parser.add_argument("--warmup", type=int, default=250, help="warm-up of the whole sampling")
    parser.add_argument("--draws", type=int, default=500, help="draws of the whole sampling")
    parser.add_argument(
        "--measure", type=Path, metavar="FOLDER", help="measure on JAX's default device, write no table"
    )
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options)
        return
    with tempfile.TemporaryDirectory() as folder:
        for platforms in ("cpu", os.environ.get("JAX_PLATFORMS", "")):
            subprocess.run(
                [sys.executable, *sys.argv, "--measure", folder],
                env=os.environ | {"JAX_PLATFORMS": platforms},
                check=True,
            )
        write(Path(folder))


if __name__ == "__main__":
    main()
