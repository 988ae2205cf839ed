"""What a user sees while chains run: acceptance, divergences and the worst R-hat of the scalars watched so far."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.posterior.sampler.draw_store import DrawStore
from bayes_lmmlasso.posterior.summaries.diagnostics import convergence
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["Monitor", "worst_r_hat"]

_LEAST = 20  # draws of each chain from which R-hat says anything


class Monitor:
    """Adds up what the chains report from their threads, and tells the progress hook.

    Parameters
    ----------
    chains, warmup, draws
        As many iterations are expected.
    watched
        Names of the scalar sites to watch.
    progress
        The hook.
    """

    def __init__(
        self, chains: int, warmup: int, draws: int, watched: Sequence[str], progress: Progress = silent
    ) -> None:
        self._watched, self._progress, self._warmup = tuple(watched), progress, warmup
        self._total = chains * (warmup + draws)
        self._kept: list[list[NDArray[Any]]] = [[] for _ in range(chains)]  # (draws, hyper) of each block
        self._iterations, self._divergences = 0, 0
        self._acceptance: float | None = None
        self._lock = threading.Lock()

    def start(self, store: DrawStore, done: Sequence[int]) -> None:
        """Take in what chains that continue have done."""
        self._iterations = sum(done)
        for chain, iterations in enumerate(done):
            draws = max(0, iterations - self._warmup)
            if draws:
                self._keep(chain, {name: store.read(name)[chain, :draws] for name in self._watched})
                with suppress(KeyError):  # some samplers cannot diverge
                    self._divergences += int(store.read("diverging")[chain, :draws].sum())

    def __call__(self, chain: int, values: Mapping[str, NDArray[Any]], count: int, warming: bool) -> None:
        """Count a block of draws of a chain."""
        with self._lock:
            self._iterations += count
            if "acceptance_rate" in values:
                self._acceptance = float(np.mean(values["acceptance_rate"]))
            if not warming:
                self._divergences += int(np.sum(values.get("diverging", 0)))
                self._keep(chain, values)
            self._progress("sampling", self._iterations, self._total, self._remark(warming))

    def _keep(self, chain: int, values: Mapping[str, NDArray[Any]]) -> None:
        if self._watched:
            self._kept[chain].append(np.stack([values[name] for name in self._watched], axis=-1))

    def _remark(self, warming: bool) -> str:
        """Return one line of evidence."""
        parts = ["warm-up" if warming else "draws"]
        if self._acceptance is not None:
            parts.append(f"acceptance {self._acceptance:.2f}")
        parts.append(f"{self._divergences} divergent")
        least = min(sum(len(block) for block in blocks) for blocks in self._kept)
        if least >= _LEAST:
            draws = np.stack([np.concatenate(blocks)[:least] for blocks in self._kept])
            parts.append("worst R-hat {1:.3f} ({0})".format(*worst_r_hat(draws, self._watched)))
        return ", ".join(parts)


def worst_r_hat(draws: NDArray[Any], names: Sequence[str]) -> tuple[str, float]:
    """Return the name and the value of the largest R-hat, for draws of shape ``(chains, draws, len(names))``."""
    r_hat = convergence(np.moveaxis(draws, 2, 0)).r_hat
    worst = int(np.nan_to_num(r_hat, nan=np.inf).argmax())
    return names[worst], float(r_hat[worst])
