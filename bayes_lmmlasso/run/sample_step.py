"""The posterior of a run, sampled in this process or in one of its own.

This module imports little, since both name it: JAX and all that samples comes in where it is called.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.run.settings import RunSettings

if TYPE_CHECKING:
    from bayes_lmmlasso.posterior.sampler.record import SamplingRecord
    from bayes_lmmlasso.posterior.sampler.registry import SamplerName

__all__ = ["sample", "sample_mapped"]


def sample(
    settings: RunSettings, data: RotatedData, order: NDArray[np.intp] | None, store: Path, clock: StageClock
) -> SamplingRecord:
    """Draw from the posterior, or go on with the draws in a store.

    Parameters
    ----------
    settings
        What to do.
    data
        Rotated data, as NumPy arrays.
    order
        Their SNPs in the order of the genome; None if they are.
    store
        Folder for draws and states of the chains.
    clock
        Told of the stage.
    """
    import jax

    from bayes_lmmlasso.posterior.sampler.devices import shard
    from bayes_lmmlasso.posterior.sampler.draw import draw_posterior
    from bayes_lmmlasso.posterior.sampler.plan import SamplingPlan
    from bayes_lmmlasso.posterior.sampler.stopping import Until

    given = settings.sampling
    with clock("sampling") as remark, jax.enable_x64(given.precision == "float64"):
        plan = SamplingPlan(
            chains=given.chains,
            warmup=given.warmup,
            draws=given.draws,
            until=None if given.until is None else Until.parse(given.until),
            sweeps=given.sweeps,
            seed=settings.random.seed,
            sampler=cast("SamplerName", given.sampler),  # checked with the settings
        )
        spread = data if given.devices == 1 else shard(data, given.devices)
        posterior = draw_posterior(spread, given.model, plan, store=store, order=order, progress=clock.progress)
        chains, draws, *_ = posterior.store.read("sigma2_e").shape
        remark(f"{chains} x {draws} draws" + ("" if plan.until is None else f", {posterior.record.stopped.value}"))
    return posterior.record


def sample_mapped(
    settings: RunSettings,
    data: RotatedData,
    file: Path,
    order: NDArray[np.intp] | None,
    store: Path,
    clock: StageClock,
) -> SamplingRecord:
    """Do the same with the SNPs of the data mapped from a file of NumPy's, where they lie as JAX takes them."""
    return sample(settings, replace(data, XT=np.load(file, mmap_mode="r")), order, store, clock)
