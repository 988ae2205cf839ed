"""Claim: our certified LMM-Lasso path and stability selection are the fastest there are.

In the same run, for each cohort: our path to 50 SNPs (all knots, relative duality gap below 1e-10) against peers on 50
penalties of the same range at tolerance 1e-6 (celer at 1e-10 as well); our 100 subsamples of half of the samples to 20
SNPs against joblib with two processes that run celer, once at the right penalty (which it could not know) and once down
a warm-started grid until 20 SNPs are active, as a user would. Null model and rotation count on both sides. Medians of
interleaved pairs, each program run once untimed before it is timed; the loop is measured on a few subsamples and scaled
up. Cross-validation of the mouse trait is timed by itself. The floor is the time of the products and factorizations
that no method of this kind avoids. Run it with

    python3 -m uv run --group bench python benchmarks/lasso.py [--cohort chr5 genome mouse] [--quick]

It writes ``benchmarks/lasso.md``. Peers that are not installed are named as such (every version of adelie needs
NumPy below 2, this package NumPy 2). Compiled loops, ours and the peers', are compiled before anything is timed.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
from cohorts import Problem, load
from joblib import Parallel, delayed
from lasso_peers import PEERS, celer_search, rotated

import bayes_lmmlasso as bl
from bayes_lmmlasso.numerics.lapack import LAPACK, cholesky, tridiagonalise
from bayes_lmmlasso.numerics.threads import blas_threads, thread_map

PATH_SIZE, STABILITY_SIZE, SUBSAMPLES, VALIDATION_SIZE = 50, 20, 100, 100
MODULES = {"celer": "celer", "celer at 1e-10": "celer", "skglm": "skglm", "scikit-learn": "sklearn", "adelie": "adelie"}
SEARCH = "celer, penalty searched"
SIZES = (5_000, 10_000, 25_000, 50_000, 100_000, 216_065)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def our_path(problem: Problem) -> bl.lasso.LassoPath:
    delta = bl.lmm.null_deltas(problem.y, problem.K, problem.Z).delta
    return bl.lasso_path(problem.X, problem.y, problem.K, delta, n_active=PATH_SIZE, covariates=problem.Z)


def our_stability(problem: Problem) -> bl.lasso.StabilitySelection:
    return bl.stability_selection(
        problem.X, problem.y, problem.K, n_active=STABILITY_SIZE, covariates=problem.Z, n_subsamples=SUBSAMPLES
    )


def one_subsample(name: str, problem: Problem, rows: np.ndarray, mu: float) -> None:
    """Do what a peer does on one subsample."""
    A, b = rotated(problem.X[rows], problem.y[rows], problem.K[np.ix_(rows, rows)], problem.Z[rows])
    if name == SEARCH:
        celer_search(A, b, STABILITY_SIZE)
    else:
        PEERS[name](A, b, np.array([mu]))


def _factorise(K: np.ndarray) -> None:
    tridiagonalise(LAPACK, K.copy(), np.zeros((0, K.shape[0])))
    K[np.diag_indices_from(K)] += 1.0
    cholesky(LAPACK, K)


def _multiply(problem: Problem, vectors: int) -> None:
    """Multiply all SNPs by some vectors, three times."""
    R = np.ones((vectors, problem.y.size), dtype=np.float32)
    size = max(16, 2**18 // problem.y.size)
    blocks = [slice(start, start + size) for start in range(0, problem.X.shape[1], size)]
    for _ in range(3):
        thread_map(lambda where: R @ problem.X[:, where], blocks)


def floor_path(problem: Problem) -> None:
    """Reduce and factorise K; multiply all SNPs by three vectors."""
    with blas_threads(problem.y.size):
        _factorise(problem.K.copy())
    _multiply(problem, 1)


def floor_stability(problem: Problem) -> None:
    """Reduce and factorise K on every subsample; multiply all SNPs by three vectors for each."""
    m = problem.y.size // 2

    thread_map(lambda _: _factorise(problem.K[:m, :m].copy()), range(SUBSAMPLES))
    _multiply(problem, SUBSAMPLES)


def path_rows(problem: Problem, peers: list[str], pairs: int) -> list[str]:
    path = our_path(problem)
    mu = np.geomspace(path.mu[0] * (1 - 1e-9), path.mu[-1], 50)

    def peer_path(name: str) -> None:
        PEERS[name](*rotated(problem.X, problem.y, problem.K, problem.Z), mu)

    work = {"ours": lambda: our_path(problem), "floor": lambda: floor_path(problem)}
    work |= {name: (lambda name=name: peer_path(name)) for name in peers}
    for run in work.values():
        run()  # compile
    times = interleave(work, pairs)
    return rows_of(problem, f"path, k = {PATH_SIZE}", times, float(path.duality_gap.max()))


def stability_rows(problem: Problem, peers: list[str], pairs: int, few: int) -> list[str]:
    result = our_stability(problem)
    draws = result.subsamples[:few]
    mus = [
        bl.lasso_path(
            problem.X[rows],
            problem.y[rows],
            bl.Eigenbasis.from_kinship(problem.K[np.ix_(rows, rows)]),
            float(np.exp(log_delta)),
            n_active=STABILITY_SIZE,
            covariates=problem.Z[rows],
        ).mu[-1]
        for rows, log_delta in zip(draws, result.log_delta, strict=False)
    ]

    def loop(name: str) -> None:
        Parallel(n_jobs=2, mmap_mode="r", max_nbytes="1M")(
            delayed(one_subsample)(name, problem, rows, mu) for rows, mu in zip(draws, mus, strict=True)
        )

    for name in peers:
        loop(name)  # start the processes and compile
    work = {"ours": lambda: our_stability(problem), "floor": lambda: floor_stability(problem)}
    work |= {name: (lambda name=name: loop(name)) for name in peers}
    times = interleave(work, pairs)
    scaled = {
        name: [(wall * SUBSAMPLES / few, np.nan) for wall, _ in values] if name in peers else values
        for name, values in times.items()
    }
    title = f"{SUBSAMPLES} subsamples, k = {STABILITY_SIZE}"
    return rows_of(problem, title, scaled, float(result.duality_gap.max()))


def cross_validation_rows(problem: Problem, pairs: int) -> list[str]:
    """Ten folds, every model size up to 100 SNPs, kinship and null model of each fold from its training samples."""

    def ours() -> bl.lasso.CrossValidation:
        return bl.lasso.cross_validate(problem.X, problem.y, n_active=VALIDATION_SIZE, covariates=problem.Z)

    title = f"10-fold cross-validation, all sizes to {VALIDATION_SIZE}"
    return rows_of(problem, title, interleave({"ours": ours}, pairs), float(ours().duality_gap.max()))


def interleave(work: dict[str, Callable[[], object]], pairs: int) -> dict[str, list[tuple[float, float]]]:
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(pairs):
        for name, run in work.items():
            run()  # untimed: what the program before has left in the caches helps or harms nobody
            times[name].append(seconds(run))
    return times


def rows_of(problem: Problem, title: str, times: dict[str, list[tuple[float, float]]], gap: float) -> list[str]:
    shape = f"{problem.X.shape[0]} x {problem.X.shape[1]:,}"
    ours = times["ours"]
    rows = []
    for name, values in times.items():
        ratio = median(wall / own for (wall, _), (own, _) in zip(values, ours, strict=True))
        processor = median(value for _, value in values)
        shown = "" if np.isnan(processor) else f"{processor:.3f}"
        remark = f" (gap {gap:.0e})" if name == "ours" else ""
        rows.append(
            f"| {problem.name} {shape} | {title} | {name}{remark} | {median(wall for wall, _ in values):.3f} | {shown} "
            f"| {ratio:.2f} |"
        )
        print(rows[-1], flush=True)
    return rows


def cost_rows(pairs: int, sizes: tuple[int, ...]) -> list[str]:
    """Processor time of our stability selection against p, on every ceil(P/p)-th SNP of the genome cohort."""
    whole = load("genome")
    rows = []
    for p in sizes:
        chosen = np.linspace(0, whole.X.shape[1] - 1, min(p, whole.X.shape[1])).astype(int)
        part = Problem(whole.name, np.asfortranarray(whole.X[:, chosen]), whole.y, whole.K, whole.Z)
        processor = median(seconds(lambda part=part: our_stability(part))[1] for _ in range(pairs))
        rows.append(f"| {chosen.size:,} | {processor:.3f} | {1e6 * processor / chosen.size:.2f} |")
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", nargs="+", default=["chr5", "genome", "mouse"])
    parser.add_argument("--quick", action="store_true", help="one pair, celer alone, fewer subsamples and sizes")
    options = parser.parse_args()
    installed = [name for name in PEERS if find_spec(MODULES[name])]
    pairs, few = (1, 4) if options.quick else (3, 10)
    more = 1 if options.quick else 9  # the subsamples take little time
    fast = [name for name in installed if MODULES[name] == "celer"]
    rows: list[str] = []
    cost: list[str] = []
    for name in options.cohort:
        problem = load(name)
        rows += path_rows(problem, fast if options.quick else installed, pairs)
        rows += stability_rows(problem, [*fast, SEARCH] if fast else [], more, few)
        if name == "mouse":
            rows += cross_validation_rows(problem, pairs)
        write(rows, cost, pairs, more, few, installed)
    cost += cost_rows(pairs, SIZES[::3] if options.quick else SIZES)
    write(rows, cost, pairs, more, few, installed)


def write(rows: list[str], cost: list[str], pairs: int, more: int, few: int, installed: list[str]) -> None:
    """Write what has been measured so far."""
    missing = ", ".join(name for name in PEERS if name not in installed) or "none"
    reason = " (needs NumPy below 2)" if "adelie" in missing else ""
    table = (
        f"Medians of {pairs} interleaved runs ({more} for the subsamples) on {os.cpu_count()} cores, load average at "
        f"the end {os.getloadavg()[0]:.1f}. Peers not installed: {missing}{reason}. No GPU at hand. Peers of the "
        f"subsamples: two processes, {few} subsamples scaled up to {SUBSAMPLES}.\n\n"
        "| cohort | task | program | wall s | processor s | wall / ours |\n| --- | --- | --- | ---: | ---: | ---: |\n"
        + "\n".join(rows)
        + f"\n\n{SUBSAMPLES} subsamples against the number of SNPs (84 samples):\n\n"
        "| SNPs | processor s | microseconds per SNP |\n| ---: | ---: | ---: |\n" + "\n".join(cost) + "\n"
    )
    Path(__file__).with_suffix(".md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
