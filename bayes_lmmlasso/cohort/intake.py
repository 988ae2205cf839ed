"""What was taken in and what was left out, and why: the same report in every command, study and record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bayes_lmmlasso.remarks import Remark, counted, examples

__all__ = ["Intake", "intake_lines"]


@dataclass(frozen=True)
class Intake:
    """What became of samples, SNPs and covariates on their way into an analysis.

    Attributes
    ----------
    trait
        Name of the trait.
    n_samples, n_snps
        How many are analysed.
    dropped_samples, dropped_snps
        How many are not, per cause.
    examples
        Ids of some of the samples left out, per cause.
    covariates
        How each covariate was taken.
    remarks
        What else is told about the data.
    """

    trait: str
    n_samples: int
    n_snps: int
    dropped_samples: dict[str, int]
    dropped_snps: dict[str, int]
    examples: dict[str, list[str]]
    covariates: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def with_remarks(self, *remarks: Remark) -> Intake:
        """Return the report with more to tell."""
        return replace(self, remarks=(*self.remarks, *remarks))

    def record(self) -> dict[str, Any]:
        """Return plain values, as ``run.json`` keeps them under ``data``."""
        return {
            "trait": self.trait,
            "samples": {"kept": self.n_samples, "dropped": self.dropped_samples, "examples": self.examples},
            "snps": {"kept": self.n_snps, "dropped": self.dropped_snps},
            "covariates_taken": list(self.covariates),
            "remarks": [asdict(remark) for remark in self.remarks],
        }

    def lines(self) -> list[str]:
        """Say it in a few lines."""
        return intake_lines(self.record())

    def __str__(self) -> str:
        head, *more = self.lines()
        cautions = sum(remark.caution for remark in self.remarks)
        return "\n".join([head + (f", {counted(cautions, 'caution')}" if cautions else ""), *more])


def intake_lines(data: Mapping[str, Any]) -> list[str]:
    """Say what was kept and what was left out, from what `Intake.record` returned."""
    samples, snps = data["samples"], data["snps"]
    lines = [
        f"{data['trait']}: {_kept(samples)} samples, {_kept(snps)} SNPs",
        *_left_out("samples", samples["dropped"], samples["examples"]),
        *_left_out("SNPs", snps["dropped"], {}),
    ]
    if data["covariates_taken"]:
        lines.append(f"covariates: {'; '.join(data['covariates_taken'])}")
    remarks = sorted(data["remarks"], key=lambda remark: remark["caution"])
    return [*lines, *(f"{'caution' if remark['caution'] else 'note'}: {remark['text']}" for remark in remarks)]


def _kept(part: Mapping[str, Any]) -> str:
    """Say how many of how many are analysed; rows of a table without genotypes are none of them."""
    lost = sum(count for cause, count in part["dropped"].items() if cause != "no genotype")
    return f"{part['kept']:,} of {part['kept'] + lost:,}" if lost else f"{part['kept']:,}"


def _left_out(what: str, dropped: Mapping[str, int], named: Mapping[str, list[str]]) -> list[str]:
    causes = []
    for cause, count in dropped.items():
        if count:
            ids = named.get(cause, [])
            causes.append(f"{count:,} {cause}" + (f" ({examples([*ids, *[''] * (count - len(ids))])})" if ids else ""))
    return [f"left out of the {what}: {', '.join(causes)}"] if causes else []
