"""Several Markov chains side by side on one machine.

A chain is a sampler's state advanced by one compiled program, a block of draws at a time. On the CPU each chain runs in
a thread of its own and JAX releases the interpreter while it computes (60 draws of `spike_slab` for the mice, 4 chains
on two cores: 40 s, and 48 s in two processes, which compile twice). An accelerator runs one program at a time, and
small ones leave it idle: there one program advances all chains together, and products with X read it once for all of
them. All chains share the one copy of the data. A chain depends on its own key alone (on an accelerator up to rounding,
which can change with the number of chains): neither the number of threads nor the block size, nor an interruption after
which it continues from its saved state, changes a draw.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.numerics.threads import cores
from bayes_lmmlasso.posterior.sampler.devices import is_sharded, on_accelerator
from bayes_lmmlasso.posterior.sampler.draw_store import DrawStore, block_length
from bayes_lmmlasso.posterior.sampler.monitor import Monitor
from bayes_lmmlasso.posterior.sampler.plan import USUAL, Execution
from bayes_lmmlasso.posterior.sampler.programs import compile_program, forget_programs
from bayes_lmmlasso.posterior.sampler.registry import Sampler
from bayes_lmmlasso.posterior.sampler.states import as_arrays, as_state, strongly_typed
from bayes_lmmlasso.posterior.sampler.stopping import Stopped, StoppingRule

__all__ = ["Schedule", "run_chains"]

_NOT_OF_SNPS = ("a", "fitted")  # sites of covariates and of samples, of which there can be as many


@dataclass(frozen=True)
class Schedule:
    """How long chains run.

    Attributes
    ----------
    chains, warmup, draws : number of chains, and draws of each to discard and to keep at most.
    stop : asked, at every multiple of ``every`` draws, whether they are enough; None: never.
    """

    chains: int
    warmup: int
    draws: int
    stop: StoppingRule | None = None
    every: int = 50

    def rounds(self) -> Iterator[int]:
        """Numbers of draws at which all chains wait for each other."""
        if self.stop is not None:
            yield from range(self.every, self.draws, self.every)
        yield self.draws


@dataclass
class _Chain:
    """A chain under way: its number, its state, and the iterations it has done, those of warm-up among them."""

    number: int
    state: Any
    done: int = 0


@jax.default_matmul_precision("highest")  # type: ignore[untyped-decorator]  # else GPUs round factors to 10 bits
def run_chains(
    sampler: Sampler,
    data: RotatedData,
    store: DrawStore,
    schedule: Schedule,
    *,
    seed: int,
    monitor: Monitor,
    execution: Execution = USUAL,
    order: NDArray[np.intp] | None = None,
) -> Stopped | None:
    """Run the chains of a sampler and store what it records of each draw after warm-up.

    Parameters
    ----------
    sampler
        The Markov chain.
    data
        What it is given.
    store
        Receives the draws, and tells where interrupted chains continue.
    schedule
        How long to run.
    seed
        Seed of all chains.
    monitor
        Told of every block of every chain.
    execution
        How to compute.
    order
        The number that each SNP of ``data`` has in the draws that are stored; None: that which it has in ``data``.

    Returns
    -------
    Stopped or None
        Why the schedule's rule stopped the chains; None if it did not.

    Raises
    ------
    InputError
        If the store holds more draws than are asked for.
    """
    # every chain begins in a state of its own, or where its last block left it
    keys = jax.random.split(_key(seed), schedule.chains)
    chains = [_Chain(k, strongly_typed(sampler.init(key, data, schedule.warmup))) for k, key in enumerate(keys)]
    shapes = jax.eval_shape(sampler.record, chains[0].state, data)
    block = block_length(shapes, execution.block)
    store.prepare(shapes, schedule.chains, schedule.draws, block)
    _continue(chains, store, schedule)

    # one program advances a chain by itself or, on an accelerator, all of them
    together = on_accelerator(data) if execution.accelerator is None else execution.accelerator
    size = schedule.chains if together else 1
    forget_programs(data, store.lasting)
    program = compile_program(sampler, block, [chain.state for chain in chains[:size]], data)
    forget_programs(data, store.lasting)
    teams = [
        _Team(chains[first : first + size], program, data, block, schedule.warmup, store, monitor, order)
        for first in range(0, schedule.chains, size)
    ]

    # all chains go as far as the next look at the evidence, which may end them
    monitor.start(store, [chain.done for chain in chains])
    threads = cores() if execution.threads is None else execution.threads
    if is_sharded(data):
        threads = 1  # programs that exchange data between devices must not wait for each other
    draws, stopped = 0, None
    for draws in schedule.rounds():
        _run_teams(teams, schedule.warmup + draws, min(len(teams), threads))
        stopped = None if schedule.stop is None else schedule.stop(draws)
        if stopped is not None:
            break
    store.finish(draws)
    return stopped


def _key(seed: int) -> jax.Array:
    """Return the key of a seed of up to 64 bits, all of which count: ``jax.random.key`` drops the upper 32."""
    words = np.array([seed >> 32 & 0xFFFFFFFF, seed & 0xFFFFFFFF], dtype=np.uint32)
    return jax.random.wrap_key_data(jax.numpy.asarray(words), impl="threefry2x32")


def _continue(chains: Sequence[_Chain], store: DrawStore, schedule: Schedule) -> None:
    """Bring chains to where a store has them."""
    for chain in chains:
        saved = store.saved(chain.number)
        if saved.leaves is not None:
            chain.state, chain.done = as_state(saved.leaves, like=chain.state), saved.done
    draws = max(chain.done for chain in chains) - schedule.warmup
    if draws > schedule.draws:
        raise InputError(
            f"expected at least the {draws} draws that a chain has already, got {schedule.draws}: ask for more"
        )


@dataclass
class _Team:
    """Chains that one program advances together: one on a CPU, all of them on an accelerator."""

    chains: Sequence[_Chain]
    program: Any
    data: RotatedData
    block: int
    warmup: int
    store: DrawStore
    monitor: Monitor
    order: NDArray[np.intp] | None

    def run(self, target: int, stop: threading.Event) -> None:
        """Advance, block by block, until every chain has done so many iterations, or is told to stop."""
        while (done := min(chain.done for chain in self.chains)) < target and not stop.is_set():
            if done < self.warmup:
                count = min(self.warmup - done, self.block)
            else:  # blocks end at multiples of their length, where interruptions and further draws find them
                count = min(target - done, self.block - (done - self.warmup) % self.block)
            self._advance(done, count)

    def _advance(self, done: int, count: int) -> None:
        """Make ``count`` iterations after the first ``done``, and store those that are draws."""
        warming = done < self.warmup
        advanced = self.program([chain.state for chain in self.chains], self.data, np.int32(count))
        for chain, (state, records) in zip(self.chains, advanced, strict=True):
            if chain.done > done:  # an interruption came after this chain's block was stored, before another's
                continue
            values = {name: np.asarray(rows)[:count] for name, rows in records.items()}  # waits for the device
            chain.state, chain.done = state, done + count
            draws = {} if warming else {name: self._reorder(name, rows) for name, rows in values.items()}
            self.store.append(chain.number, done - self.warmup, draws, chain.done, as_arrays(state))
            self.monitor(chain.number, values, count, warming)

    def _reorder(self, name: str, rows: NDArray[Any]) -> NDArray[Any]:
        """Bring the draws of a site into the order of SNPs that is stored, if it has a value for each SNP."""
        if self.order is None or rows.shape[-1] != self.order.size or name in _NOT_OF_SNPS:
            return rows
        stored = np.empty_like(rows)
        stored[..., self.order] = rows
        return stored


def _run_teams(teams: Sequence[_Team], target: int, threads: int) -> None:
    """Run all teams, some of them at a time; an error or Ctrl-C ends the others after their block."""
    stop = threading.Event()
    with ThreadPoolExecutor(threads) as pool:
        try:
            running = [pool.submit(team.run, target, stop) for team in teams]
            wait(running, return_when=FIRST_EXCEPTION)
        except BaseException:
            stop.set()
            raise
        if any(team.done() and team.exception() for team in running):
            stop.set()
    for team in running:
        team.result()
