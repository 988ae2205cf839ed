"""What is asked of a sampler, and how it is computed. Knows nothing of JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

from bayes_lmmlasso.arguments import check_count, check_type
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.models import ModelSpec
from bayes_lmmlasso.posterior.sampler.registry import ChainLengths, SamplerName, default_lengths, samplers_of, suited
from bayes_lmmlasso.posterior.sampler.stopping import Until

__all__ = ["USUAL", "Execution", "SamplingOptions", "SamplingPlan"]

_LONGEST = 20  # times the usual number of draws: where sampling ends that never meets its targets


class SamplingOptions(TypedDict, total=False):
    """The fields of `SamplingPlan` as keywords."""

    chains: int
    warmup: int | None
    draws: int | None
    until: Until | None
    sweeps: int | None
    seed: int
    sampler: SamplerName


@dataclass(frozen=True, kw_only=True)
class SamplingPlan:
    """What is asked of a sampler; None where it is left to the sampler's defaults.

    Attributes
    ----------
    chains : number of Markov chains.
    warmup, draws : draws of each chain to discard, and to keep (at most, with ``until``, and then by default 20 times
        as many).
    until : targets at which sampling stops.
    sweeps : of the composite sampler in each draw: more of them make better draws where chains mix slowly, and take no
        more room.
    seed : of everything random: same seed, data and machine, same draws.
    sampler : a name in `SAMPLERS`.

    Raises
    ------
    InputError
        If a count is no whole number or negative, or ``until`` is something else.
    """

    chains: int = 4
    warmup: int | None = None
    draws: int | None = None
    until: Until | None = None
    sweeps: int | None = None
    seed: int = 0
    sampler: SamplerName = "auto"

    def __post_init__(self) -> None:
        for name in ("chains", "warmup", "draws", "sweeps", "seed"):
            count = getattr(self, name)
            if count is not None:
                check_count(count, name, 0)
        if self.until is not None:
            check_type(self.until, Until, "targets", "pass bl.posterior.Until, or Until.parse of their text")

    def choose_sampler(self, spec: ModelSpec, accelerator: bool) -> Literal["nuts", "composite"]:
        """Return the sampler that was asked for, or the one that suits the model.

        Raises
        ------
        InputError
            If it cannot sample the model.
        """
        if self.sampler == "auto":
            return suited(spec, accelerator)
        known = samplers_of(spec)
        if self.sampler not in known:
            raise InputError(
                f"expected sampler {' or '.join(known)} for the model {spec.name}, got {self.sampler!r}: choose one of "
                "these"
            )
        return self.sampler

    def lengths(self, spec: ModelSpec, sampler: str) -> ChainLengths:
        """Return how long the chains of a sampler run.

        Raises
        ------
        InputError
            If a count is too small, or the sampler makes no sweeps.
        """
        usual = default_lengths(spec, sampler)
        if self.sweeps is not None and usual.sweeps is None:
            raise InputError(
                f"expected sweeps with the composite sampler alone, got {self.sweeps} with {sampler!r}: leave them out"
            )
        most = usual.draws * (1 if self.until is None else _LONGEST)
        warmup, draws = (
            (usual.warmup if self.warmup is None else self.warmup),
            (most if self.draws is None else self.draws),
        )
        sweeps = usual.sweeps if self.sweeps is None else self.sweeps
        for name, value, least in (
            ("chains", self.chains, 1),
            ("warmup", warmup, 1),
            ("draws", draws, 4),
            ("sweeps", sweeps, 1),
        ):
            if value is not None and value < least:
                raise InputError(f"expected {name} >= {least}, got {value}: ask for more")
        return ChainLengths(int(warmup), int(draws), None if sweeps is None else int(sweeps))


@dataclass(frozen=True)
class Execution:
    """How chains are computed. It changes no draw, but for rounding where chains run in one program.

    Attributes
    ----------
    accelerator : whether to compute as on a GPU or TPU: all chains in one program, not in a thread each, with the
        sampler and the blocks of SNPs that suit it. None: where the data are on one.
    threads : chains that run at a time, None: as many as there are cores.
    block : draws between two saved states, at most.
    """

    accelerator: bool | None = None
    threads: int | None = None
    block: int = 25


USUAL = Execution()
