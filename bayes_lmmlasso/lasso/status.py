"""How a Lasso path ends."""

from __future__ import annotations

from enum import Enum

__all__ = ["PathStatus"]


class PathStatus(Enum):
    """Outcome of a path; the value is the sentence that reports it, its evidence left open."""

    CERTIFIED = "certified: relative duality gap at most {gap:.1e}"
    ENDED_EARLY = "path ended with {most} active SNPs: no segment has {n_active}; choose a smaller n_active"
    NOT_CERTIFIED = (
        "not certified: relative duality gap {gap:.1e} above {tol:.1e}; "
        "SNPs that are nearly duplicates are the usual cause: remove them or raise tol"
    )

    @property
    def advice(self) -> str:
        """What to do; empty when there is nothing to."""
        return self.value.partition("; ")[2]

    def message(self, **evidence: float | None) -> str:
        """Report the outcome in one sentence."""
        return self.value.format(**evidence)
