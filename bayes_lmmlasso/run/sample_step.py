"""The posterior of a run: a step that imports the sampler and what it needs, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import jax

from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.posterior.sampler.devices import shard
from bayes_lmmlasso.posterior.sampler.draw import Sampler, draw_posterior
from bayes_lmmlasso.posterior.sampler.draw_store import Drawn
from bayes_lmmlasso.posterior.sampler.stopping import Until
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.run.settings import RunSettings

__all__ = ["sample"]


def sample(settings: RunSettings, data: RotatedData, store: Path, clock: StageClock) -> Drawn:
    """Draw from the posterior, or go on with the draws in a store.

    Parameters
    ----------
    settings
        What to do.
    data
        Rotated data.
    store
        Folder for draws and states of the chains.
    clock
        Told of the stage.
    """
    given = settings.sampling
    with clock("sampling") as remark, jax.enable_x64(given.precision == "float64"):
        drawn, draws = draw_posterior(
            data if given.devices == 1 else shard(data, given.devices),
            given.model,
            until=None if given.until is None else Until.parse(given.until),
            store=store,
            progress=clock.progress,
            chains=given.chains,
            warmup=given.warmup,
            draws=given.draws,
            sampler=cast(Sampler, given.sampler),
            sweeps=given.sweeps,
            seed=settings.random.seed,
        )
        chains, draws, *_ = draws.read("sigma2_e").shape
        remark(f"{chains} x {draws} draws")
    return drawn
