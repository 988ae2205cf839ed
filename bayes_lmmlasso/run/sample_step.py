"""The posterior of a run: a step that imports the sampler and what it needs, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax

from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.posterior.sampler.devices import shard
from bayes_lmmlasso.posterior.sampler.draw import draw_posterior
from bayes_lmmlasso.posterior.sampler.draw_store import Drawn
from bayes_lmmlasso.posterior.sampler.stopping import Until
from bayes_lmmlasso.progress import StageClock

__all__ = ["sample"]


def sample(arguments: Mapping[str, Any], data: RotatedData, store: Path, clock: StageClock) -> Drawn:
    """Draw from the posterior, or go on with the draws in a store.

    Parameters
    ----------
    arguments
        Those of a run, `RunSettings` as a mapping.
    data
        Rotated data.
    store
        Folder for draws and states of the chains.
    clock
        Told of the stage.
    """
    with clock("sampling") as remark, jax.enable_x64(arguments["precision"] == "float64"):
        drawn, draws = draw_posterior(
            data if arguments["devices"] == 1 else shard(data, arguments["devices"]),
            arguments["model"],
            until=None if arguments["until"] is None else Until.parse(arguments["until"]),
            store=store,
            progress=clock.progress,
            **{name: arguments[name] for name in ("chains", "warmup", "draws", "sampler", "sweeps", "seed")},
        )
        chains, draws, *_ = draws.read("sigma2_e").shape
        remark(f"{chains} x {draws} draws")
    return drawn
