"""Several Markov chains side by side on the cores of one machine.

A chain is a NumPyro kernel's state advanced by one compiled function, a block of draws at a time; each
chain runs in a thread of its own and JAX releases the interpreter while it computes. All chains share the one copy
of the data. A chain depends on its own key alone: neither the number of threads nor the block size changes a draw.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from numpyro.infer.mcmc import MCMCKernel

from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["ChainDraws", "Collect", "run_chains"]

_BLOCK = 25  # draws between two reports of progress

Collect = Callable[[Any, RotatedData], dict[str, jax.Array]]


@dataclass(frozen=True)
class ChainDraws:
    """Draws of all chains after warm-up.

    Attributes
    ----------
    sites : name -> (chains, draws, ...) what `collect` gave of each state.
    """

    sites: dict[str, NDArray[Any]]


def run_chains(
    kernel: MCMCKernel,
    data: RotatedData,
    collect: Collect,
    *,
    chains: int,
    warmup: int,
    draws: int,
    seed: int,
    progress: Progress = silent,
) -> ChainDraws:
    """Run the chains of a kernel and collect what ``collect(state, data)`` gives of each draw after warm-up.

    Parameters
    ----------
    kernel
        NumPyro kernel over a model of one argument, the data.
    data
        That argument.
    collect
        Pure function from the kernel's state and the data to named arrays.
    chains, warmup, draws
        Number of chains, and draws of each to discard and to keep.
    seed
        Seed of all chains.
    progress
        Told of every block of every chain.
    """
    states = [kernel.init(key, warmup, None, (data,), {}) for key in jax.random.split(jax.random.key(seed), chains)]
    one = jax.eval_shape(collect, states[0], data)
    buffer = jax.tree.map(lambda x: jnp.zeros((_BLOCK, *x.shape), x.dtype), one)
    advance = _compile(kernel, collect, states[0], data, buffer)
    kept = {name: np.empty((chains, draws, *x.shape), x.dtype) for name, x in one.items()}
    report = _Reporter(progress, chains * (warmup + draws))

    stopped = threading.Event()

    def run(chain: int) -> None:
        state, done = states[chain], 0
        while done < warmup + draws and not stopped.is_set():
            end = warmup if done < warmup else warmup + draws
            count = min(_BLOCK, end - done)
            state, block = advance(state, data, buffer, np.int32(count))
            drawn = {name: np.asarray(values)[:count] for name, values in block.items()}  # waits for the device
            if done >= warmup:
                for name, values in drawn.items():
                    kept[name][chain, done - warmup : done - warmup + count] = values
            done += count
            report(count, done <= warmup)

    with ThreadPoolExecutor(min(chains, os.cpu_count() or 1)) as pool:
        try:
            running = [pool.submit(run, chain) for chain in range(chains)]
            wait(running, return_when=FIRST_EXCEPTION)
        finally:  # an error or Ctrl-C ends the other chains after their block
            stopped.set()
    for chain in running:
        chain.result()
    return ChainDraws(kept)


def _compile(
    kernel: MCMCKernel, collect: Collect, state: Any, data: RotatedData, buffer: dict[str, jax.Array]
) -> Callable[..., Any]:
    """Compile, once for all chains, `count` draws that fill the first rows of the buffer."""

    @jax.jit
    def advance(state: Any, data: RotatedData, buffer: dict[str, jax.Array], count: jax.Array) -> Any:
        def step(i: int, carry: Any) -> Any:
            state, buffer = carry
            state = kernel.sample(state, (data,), {})
            drawn = collect(state, data)
            return state, {name: rows.at[i].set(drawn[name]) for name, rows in buffer.items()}

        return jax.lax.fori_loop(0, count, step, (state, buffer))

    return advance.lower(state, data, buffer, np.int32(1)).compile()


class _Reporter:
    """Adds up what the chains report from their threads."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        self._lock = threading.Lock()

    def __call__(self, count: int, warming: bool) -> None:
        with self._lock:
            self._done += count
            self._progress("sampling", self._done, self._total, "warm-up" if warming else "draws")
