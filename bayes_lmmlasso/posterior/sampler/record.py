"""What is said of draws besides the draws. Knows nothing of JAX, so that a tree can be made without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.posterior.sampler.draw_store import DrawStore
from bayes_lmmlasso.posterior.sampler.stopping import Stopped

__all__ = ["PosteriorDraws", "SamplingRecord"]


@dataclass(frozen=True, eq=False)
class SamplingRecord:
    """How draws were made, and from what.

    Attributes
    ----------
    data
        What was analysed as NumPy arrays, without the values of the SNPs: XT has shape ``(p, 0)``.
    log_prior
        Log prior densities of the hyper-parameters, shape ``(chains, draws)``.
    attrs
        Model and settings, as the tree has them.
    stopped
        Why there are no more draws.
    """

    data: RotatedData
    log_prior: dict[str, NDArray[Any]]
    attrs: dict[str, Any]
    stopped: Stopped = Stopped.ALL_DRAWS


@dataclass(frozen=True, eq=False)
class PosteriorDraws:
    """Draws from a posterior: where they are, and how they were made."""

    store: DrawStore
    record: SamplingRecord
