"""Several Markov chains side by side on one machine.

A chain is a NumPyro kernel's state advanced by one compiled function, a block of draws at a time. On the CPU each chain
runs in a thread of its own and JAX releases the interpreter while it computes (60 draws of `spike_slab` for the mice, 4
chains on two cores: 40 s, and 48 s in two processes, which compile twice). An accelerator runs one program at a time,
and small ones leave it idle: there one program advances all chains together, and products with X read it once for all
of them. All chains share the one copy of the data. A chain depends on its own key alone (on an accelerator up to
rounding, which can change with the number of chains): neither the number of threads nor the block size, nor an
interruption after which it continues from its saved state, changes a draw.

JAX keeps what it has traced and compiled for a later call, which is fast then: equal kernels share one program. The
first states and the program need hundreds of megabytes of that. Where X is large and the draws go into a folder, long
runs, it is dropped after each; and in a process that samples data of many shapes, before there is no room for more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from numpyro.infer.mcmc import MCMCKernel

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.memory import count_maps, release_memory
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.numerics.threads import cores
from bayes_lmmlasso.posterior.sampler.devices import is_sharded, on_accelerator
from bayes_lmmlasso.posterior.sampler.draw_store import DrawStore, block_length
from bayes_lmmlasso.posterior.sampler.monitor import Monitor

__all__ = ["Collect", "Schedule", "run_chains"]

_LARGE = 16 * 2**20  # bytes of X from which memory can count for more than a second compilation
_MANY_MAPS = 8_192  # those of about ten compiled programs

Collect = Callable[[Any, Any, RotatedData], dict[str, jax.Array]]


@dataclass(frozen=True)
class Schedule:
    """How long chains run.

    Attributes
    ----------
    chains, warmup, draws : number of chains, and draws of each to discard and to keep at most.
    stop : asked, with the draws so far, at every multiple of ``every`` draws whether they are enough; None: never.
    """

    chains: int
    warmup: int
    draws: int
    stop: Callable[[int], bool] | None = None
    every: int = 50

    def rounds(self) -> Iterator[int]:
        """Numbers of draws at which all chains wait for each other."""
        if self.stop is not None:
            yield from range(self.every, self.draws, self.every)
        yield self.draws


@jax.default_matmul_precision("highest")  # type: ignore[untyped-decorator]  # else GPUs round factors to 10 bits
def run_chains(
    kernel: MCMCKernel,
    data: RotatedData,
    collect: Collect,
    store: DrawStore,
    schedule: Schedule,
    *,
    seed: int,
    monitor: Monitor,
) -> int:
    """Run the chains of a kernel and store what ``collect(kernel, state, data)`` gives of each draw after warm-up.

    Parameters
    ----------
    kernel
        NumPyro kernel over a model of one argument, the data.
    data
        That argument.
    collect
        Pure function from the kernel, its state and the data to named arrays.
    store
        Receives the draws, and tells where interrupted chains continue.
    schedule
        How long to run.
    seed
        Seed of all chains.
    monitor
        Told of every block of every chain.

    Returns
    -------
    int
        Draws of each chain.

    Raises
    ------
    InputError
        If the store holds more draws than are asked for.
    """
    chains, warmup = schedule.chains, schedule.warmup
    keys = jax.random.split(jax.random.key(seed), chains)
    states = [_strong(kernel.init(key, warmup, None, (data,), {})) for key in keys]
    shapes = jax.eval_shape(partial(collect, kernel), states[0], data)
    store.prepare(shapes, chains, schedule.draws)
    done = [0] * chains
    for chain in range(chains):
        saved = store.saved(chain)
        if saved.leaves is not None:
            done[chain], states[chain] = saved.done, _restore(states[chain], saved.leaves)
    if max(done) > warmup + schedule.draws:
        raise InputError(
            f"expected at least the {max(done) - warmup} draws that a chain has already, got {schedule.draws}: ask for "
            "more"
        )
    block = block_length(shapes)
    _forget_programs(data, store)
    team = chains if on_accelerator(data) else 1
    teams = [range(first, first + team) for first in range(0, chains, team)]
    advance = _program(kernel, collect, block).lower(states[:team], data, np.int32(1)).compile()
    _forget_programs(data, store)
    monitor.start(store, done)
    stopped = threading.Event()

    def run(members: range, target: int) -> None:
        while (least := min(done[chain] for chain in members)) < target and not stopped.is_set():
            warming = least < warmup
            first = least - warmup
            # blocks end at multiples of their length, where interruptions and further draws find them
            count = min((warmup if warming else target) - least, block if warming else block - first % block)
            advanced = advance([states[chain] for chain in members], data, np.int32(count))
            for chain, (state, drawn) in zip(members, advanced, strict=True):
                if done[chain] > least:  # an interruption came after this chain's block was stored, before another's
                    continue
                states[chain] = state
                values = {name: np.asarray(rows)[:count] for name, rows in drawn.items()}  # waits for the device
                done[chain] += count
                store.append(chain, first, {} if warming else values, done[chain], _leaves(state))
                monitor(chain, values, count, warming)

    # programs that exchange data between devices must not wait for each other
    at_once = 1 if is_sharded(data) else min(len(teams), cores())
    draws = 0
    for draws in schedule.rounds():
        _run_teams(partial(run, target=warmup + draws), teams, at_once, stopped)
        if schedule.stop is not None and schedule.stop(draws):
            break
    store.finish(draws)
    return draws


def _run_teams(work: Callable[[range], None], teams: Sequence[range], at_once: int, stopped: threading.Event) -> None:
    """Run all teams of chains, some of them at a time; an error or Ctrl-C ends the others after their block."""
    with ThreadPoolExecutor(at_once) as pool:
        try:
            running = [pool.submit(work, team) for team in teams]
            wait(running, return_when=FIRST_EXCEPTION)
        except BaseException:
            stopped.set()
            raise
        if any(team.done() and team.exception() for team in running):
            stopped.set()
    for team in running:
        team.result()


@lru_cache(maxsize=4)
def _program(kernel: MCMCKernel, collect: Collect, block: int) -> Any:
    """Return the function that makes `count` draws in each chain of a team, the first rows of a block.

    Equal kernels get the same one, so that JAX knows what it has compiled for it.
    """

    def advance(state: Any, data: RotatedData, count: jax.Array) -> Any:
        def step(i: int, carry: Any) -> Any:
            state, rows = carry
            state = kernel.sample(state, (data,), {})
            drawn = collect(kernel, state, data)
            return state, {name: rows[name].at[i].set(value) for name, value in drawn.items()}

        shapes = jax.eval_shape(partial(collect, kernel), state, data)
        rows = {name: jnp.zeros((block, *x.shape), x.dtype) for name, x in shapes.items()}
        return jax.lax.fori_loop(0, count, step, (state, rows))

    @jax.jit
    def advance_team(team: list[Any], *arguments: Any) -> list[Any]:
        if len(team) == 1:
            return [advance(team[0], *arguments)]
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *team)
        advanced = jax.vmap(advance, in_axes=(0, None, None))(stacked, *arguments)
        return [jax.tree.map(lambda leaf, k=k: leaf[k], advanced) for k in range(len(team))]

    return advance_team


def _forget_programs(data: RotatedData, store: DrawStore) -> None:
    """Free what JAX has traced and compiled, but for programs that are held, as the chains' own is."""
    if (store.lasting and data.XT.nbytes >= _LARGE) or count_maps() >= _MANY_MAPS:
        jax.clear_caches()  # type: ignore[no-untyped-call]  # JAX gives it no types
        release_memory()


def _strong(state: Any) -> Any:
    """Give every leaf a type of its own, as a state that comes back from its file has."""
    return jax.tree.map(lambda leaf: leaf if _is_key(leaf) else jnp.asarray(np.asarray(leaf)), state)


def _leaves(state: Any) -> list[NDArray[Any]]:
    """Return a state as plain arrays."""
    return [np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf) for leaf in jax.tree.leaves(state)]


def _restore(state: Any, leaves: Sequence[NDArray[Any]]) -> Any:
    """Return the state that `_leaves` gave, with the structure of another one."""
    like, structure = jax.tree.flatten(state)
    found = [
        jax.random.wrap_key_data(jnp.asarray(leaf)) if _is_key(old) else jnp.asarray(leaf)
        for old, leaf in zip(like, leaves, strict=True)
    ]
    return jax.tree.unflatten(structure, found)


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
