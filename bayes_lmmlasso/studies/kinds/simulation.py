"""Studies with known truth: how well methods rank SNPs of semi-empirical traits, setting by setting.

Every replicate draws causal SNPs, effects and noise on real genotypes and a real or drawn background
(`semi_empirical_trait`); all methods see the same trait, and a replicate draws the same causal SNPs in every setting
that has as many, so that methods and settings compare in pairs. Each ranking is scored by causal loci (`causal_loci`).
Intervals are bootstrapped over replicates.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
from pydantic import model_validator

from bayes_lmmlasso.cohort import PRESETS, SWEEPS, EffectLaw, TraitDesign
from bayes_lmmlasso.compare.baselines import BASELINES
from bayes_lmmlasso.compare.bootstrap import answer, method_means, paired_differences
from bayes_lmmlasso.compare.calibration import calibration_curve, fdr_calibration
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.settings import Settings, knob
from bayes_lmmlasso.studies.cells.simulation import FALSE_RATES, LEAST_SHARE, RECALLS, SimulationCell
from bayes_lmmlasso.studies.study import Cell, Kind, Results, Study, derived_seed

__all__ = ["SIMULATION", "SimulationSettings"]

Background = Literal["trait", "polygenic", "drawn"]
_SHARES = "give shares of variance"

_QUESTIONS = [
    *(("lmm-lasso", other) for other in ("lasso", "lmm-p3d", "lmm-exact", "lm")),
    ("lmm-lasso-stability", "lasso-stability"),
    ("spike_slab-pip", "lmm-lasso-stability"),
]
METRICS = ("average_precision", "roc_area", "power_at_fdp_0.1")


class SimulationSettings(Settings):
    """What is simulated: designs by name, designs along axes, or all combinations of a grid."""

    replicates: int = knob(100, "Traits for each setting.", at_least=1, at_most=100_000, remedy="100 is usual")
    presets: tuple[str, ...] = knob((), "Designs by name.", choices=PRESETS)
    sweeps: tuple[str, ...] = knob((), "Axes along which a design varies.", choices=SWEEPS)
    signal: tuple[float, ...] = knob(
        (), "Of a grid: shares of the SNPs (`TraitDesign.of_ratios`).", at_least=0, at_most=1, remedy=_SHARES
    )
    structure: tuple[float, ...] = knob(
        (), "Of a grid: shares of structure in what is left.", at_least=0, at_most=1, remedy=_SHARES
    )
    n_causal: tuple[int, ...] = knob((5,), "Of a grid: numbers of causal SNPs.", at_least=1, at_most=1_000_000)
    effect_law: tuple[str, ...] = knob(("equal",), "Of a grid: laws of the effects.", choices=get_args(EffectLaw))
    background: Background = knob(
        "trait",
        "The study's trait itself, what its null model attributes to relatedness, or a draw from N(0, K).",
        choices=get_args(Background),
    )
    window_kb: float | None = knob(
        None, "Distance within which a SNP counts as finding a causal one.", at_least=0, at_most=1e7
    )
    r2: float | None = knob(None, "Linkage from which a SNP counts as finding a causal one.", at_least=0, at_most=1)

    @model_validator(mode="after")
    def _check_designs(self) -> Self:
        if bool(self.signal) != bool(self.structure) or not (self.presets or self.sweeps or self.signal):
            raise InputError(
                f"expected presets, sweeps, or a grid of signal and structure, got signal {list(self.signal)} and "
                f"structure {list(self.structure)}: give one of the three"
            )
        return self

    def designs(self) -> Iterator[tuple[str, TraitDesign]]:
        """Return every setting with its name."""
        for name in self.presets:
            yield name, PRESETS[name]
        for axis in self.sweeps:
            for value, design in SWEEPS[axis].items():
                yield f"{axis}={value:g}", design
        for signal, structure, n_causal, law in product(self.signal, self.structure, self.n_causal, self.effect_law):
            design = TraitDesign.of_ratios(signal, structure, n_causal=n_causal, effect_law=law)  # type: ignore[arg-type]
            yield f"signal={signal:g} structure={structure:g} n_causal={n_causal} {law}", design


def _cells(study: Study) -> list[Cell]:
    settings: SimulationSettings = study.settings
    return [
        SimulationCell(
            study.data,
            trait,
            name,
            design,
            replicate,
            derived_seed(study.seed, trait, replicate),
            settings.background,
            settings.window_kb,
            settings.r2,
            method,
        )
        for trait in study.traits
        for name, design in settings.designs()
        for replicate in range(settings.replicates)
        for method in study.methods
    ]


def _tables(study: Study, results: Results) -> dict[str, pd.DataFrame]:
    """Return areas of each ranking, answers, means, paired differences, mean curves, calibration, discovery rates."""
    areas = pd.DataFrame([labels | {name: result[name] for name in METRICS} for labels, result in results])
    means, differences, answers, curves, calibration, discoveries = [], [], [], [], [], []
    for (setting, trait), group in areas.groupby(["setting", "trait"], sort=False):
        for metric in METRICS:
            where = {"setting": setting, "trait": trait, "metric": metric}
            values = group.pivot_table(index="replicate", columns="method", values=metric, sort=False)
            values.columns.name = None
            means.append(_at(where, method_means(values, seed=study.seed)))
            differences.append(_at(where, paired_differences(values, seed=study.seed)))
            if metric == METRICS[0]:
                answers += [
                    _at(where, _answered(values, pair, study.seed)) for pair in _QUESTIONS if {*pair} <= {*values}
                ]
        for method, chosen in group.groupby("method", sort=False):
            where = {"setting": setting, "trait": trait, "method": method}
            found = [results[row][1] for row in chosen.index]
            curves.append(_at(where, _mean_curves(found)))
            if "share" in found[0]:
                claimed, truth = _claims(found)
                for target in ("causal", "tagging"):
                    kept = claimed["share"] >= LEAST_SHARE
                    if kept.any():
                        bins = calibration_curve(
                            claimed["share"][kept], truth[target][kept], claimed["replicate"][kept], seed=study.seed
                        ).bins
                        calibration.append(_at(where | {"truth": target}, bins))
                rates = fdr_calibration(claimed["share"], truth["causal"], claimed["replicate"], seed=study.seed)
                discoveries.append(_at(where, rates))
    parts = {"answers": answers, "summary": means, "differences": differences, "curves": curves}
    parts |= {"calibration": calibration, "fdr": discoveries}
    return {"areas": areas} | {name: pd.concat(found) for name, found in parts.items() if found}


def _answered(values: pd.DataFrame, pair: tuple[str, str], seed: int) -> pd.DataFrame:
    """Return the paired difference of a method to a reference, and what its interval tells."""
    found = paired_differences(values[list(pair)], pair[1], seed=seed)
    return found.assign(answer=[answer(lo, hi) for lo, hi in found[["lo", "hi"]].to_numpy()])


def _mean_curves(results: list[dict[str, Any]]) -> pd.DataFrame:
    """Return precision by recall, and true by false positive rate, averaged over replicates."""
    parts = [
        ("precision_by_recall", RECALLS, "precision"),
        ("true_by_false_positive_rate", FALSE_RATES, "true_positive_rate"),
    ]
    frames = [
        pd.DataFrame({"curve": curve, "x": x, "y": np.mean([result[name] for result in results], axis=0)})
        for curve, x, name in parts
    ]
    return pd.concat(frames)


def _claims(results: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return claimed shares with their replicates, and the two truths."""
    share = np.concatenate([result["share"] for result in results])
    replicate = np.repeat(np.arange(len(results)), [len(result["share"]) for result in results])
    truth = {name: np.concatenate([result[name] for result in results]) for name in ("causal", "tagging")}
    return {"share": share, "replicate": replicate}, truth


def _at(where: dict[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    """Put columns in front that say where the rows belong."""
    return pd.concat([pd.DataFrame([where] * len(table), index=table.index), table], axis=1)


SIMULATION = Kind(SimulationSettings, {name: each.settings for name, each in BASELINES.items()}, _cells, _tables)
