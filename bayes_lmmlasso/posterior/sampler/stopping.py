"""When to stop sampling: once the evidence is good enough, or time is up.

    rhat=1.01      worst R-hat of the hyper-parameters, and of SNPs with pip above 0.05, at most 1.01
    mcse=0.02      largest Monte Carlo error of a SNP's inclusion probability at most 0.02
    minutes=15     at most so long, whatever has been reached

Several are given separated by commas; the first two must hold together. The evidence is looked at after every 50 draws
of each chain, from 100 on, so that the same seed stops at the same draw; only a limit in minutes depends on the clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from time import monotonic
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.posterior.sampler.monitor import worst_r_hat
from bayes_lmmlasso.posterior.summaries.diagnostics import snp_agreement

__all__ = ["Stopped", "StoppingRule", "Until"]

_LEAST = 100  # draws of each chain before which R-hat is no evidence


class Stopped(Enum):
    """Why sampling stopped, and what to do then."""

    ALL_DRAWS = "all draws are made: add some where R-hat is above 1.01"
    TARGETS_REACHED = "the targets are reached: nothing is left to do"
    TARGETS_MISSED = "all draws are made and the targets are not reached: allow more draws, or more sweeps in each"
    TIME_OVER = "the time is over: look at R-hat, and allow more minutes where it is above 1.01"


StoppingRule = Callable[[int], Stopped | None]
"""Says why the draws of each chain are enough, if they are."""


@dataclass(frozen=True)
class Until:
    """Targets of sampling; None where there is none.

    Attributes
    ----------
    rhat : worst R-hat of the hyper-parameters, and of SNPs with notable pip.
    mcse : largest Monte Carlo error of an inclusion probability.
    minutes : time limit, from the start of the sampler (or of its continuation).

    Raises
    ------
    InputError
        If no target is given or one is out of range.
    """

    rhat: float | None = None
    mcse: float | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        least = {"rhat": 1.0, "mcse": 0.0, "minutes": 0.0}
        for name, value in given.items():
            if value is not None and not (math.isfinite(value) and value > least[name]):
                raise InputError(
                    f"expected {name} above {least[name]:g} as a target of sampling, got {value}: give a larger number"
                )
        if all(value is None for value in given.values()):
            raise InputError("expected a target of sampling, rhat, mcse or minutes, got none: give at least one")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``rhat=1.01,mcse=0.02,minutes=15``.

        Raises
        ------
        InputError
            If it is not of that form.
        """
        targets: dict[str, float] = {}
        for part in text.split(","):
            name, _, value = part.strip().partition("=")
            try:
                targets[name] = float(value)
            except ValueError:
                targets[""] = 0.0
        if not targets.keys() <= {field.name for field in fields(cls)}:
            raise InputError(
                f"expected targets of sampling such as rhat=1.01,mcse=0.02,minutes=15, got {text!r}: give one or more "
                "of the three"
            )
        return cls(**targets)

    def rule(
        self,
        watched: Sequence[str],
        read: Callable[[str], NDArray[Any]],
        inclusion: Callable[[int], Mapping[str, NDArray[np.float64]]],
    ) -> StoppingRule:
        """Return the rule that stops sampling at these targets; the time begins now.

        Parameters
        ----------
        watched
            Names of the scalars whose R-hat is meant.
        read
            Draws so far of a site of given name, shape ``(chains, draws, ...)``.
        inclusion
            pip, pip_mcse and r_hat of every SNP in so many draws.
        """
        started = monotonic()

        def rule(draws: int) -> Stopped | None:
            if self.minutes is not None and monotonic() - started >= 60 * self.minutes:
                return Stopped.TIME_OVER
            if draws < _LEAST or not self.has_evidence:
                return None
            if self.rhat is not None and watched:
                series = np.stack([read(name)[:, :draws] for name in watched], axis=-1)
                if not worst_r_hat(series, watched)[1] <= self.rhat:
                    return None
            snps = inclusion(draws)
            agree = self.rhat is None or snp_agreement(snps["pip"], snps["r_hat"]).r_hat <= self.rhat
            exact = self.mcse is None or bool(snps["pip_mcse"].max() <= self.mcse)
            return Stopped.TARGETS_REACHED if agree and exact else None

        return rule

    @property
    def has_evidence(self) -> bool:
        """Whether there is a target besides the time."""
        return self.rhat is not None or self.mcse is not None
