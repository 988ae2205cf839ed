"""What prediction needs to know of the analysed samples, kept in the group ``training`` of a tree.

The statistics that standardised SNPs and covariates, the transform of the trait, the samples' ids, and how their
kinship was estimated and scaled. Structured values are JSON text in the group's attributes, since Zarr and netCDF hold
text.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.cohort import AnalysisSet, CovariateCoding, TraitTransform
from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.posterior.tree.effects import check_tree

__all__ = ["TrainingSet", "add_training", "read_training"]


@dataclass(frozen=True, eq=False, repr=False)
class TrainingSet(Display):
    """The analysed samples, as far as prediction needs them.

    Attributes
    ----------
    variants
        Frame ``snp effect_allele other_allele`` of the p SNPs.
    mean, sd
        Dosage statistics that standardised them, shape ``(p,)``.
    samples
        Frame ``fid iid`` of the n samples.
    covariates
        Coding of each covariate.
    trait_name, trait
        The trait and its transform.
    kinship
        ``rrm``, ``centred`` or ``ibs`` as estimated from the SNPs, or anything else for a kinship that was given.
    kinship_scale
        Factor by which that kinship was multiplied.
    """

    variants: pd.DataFrame
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    samples: pd.DataFrame
    covariates: tuple[CovariateCoding, ...]
    trait_name: str
    trait: TraitTransform
    kinship: str
    kinship_scale: float


def add_training(tree: xr.DataTree, analysis: AnalysisSet, kinship: str, kinship_scale: float) -> None:
    """Add the group training, which lets `predict_cohort` predict new samples.

    Parameters
    ----------
    tree
        Result of `sample_posterior`.
    analysis
        The analysis set that was sampled.
    kinship
        Its method, ``rrm``, ``centred`` or ``ibs``, if the kinship was estimated from the SNPs of ``analysis``; any
        other text if not.
    kinship_scale
        Factor by which that kinship was multiplied, such as `gower_scale`'s.
    """
    trait = analysis.trait
    variant = tree.children["constant_data"].dataset["variant"].values
    group = xr.Dataset(
        {
            "mean": ("variant", analysis.mean),
            "sd": ("variant", analysis.sd),
            "fid": ("sample", analysis.samples["fid"].to_numpy(str)),
            "iid": ("sample", analysis.samples["iid"].to_numpy(str)),
        },
        coords={"variant": variant},
        attrs={
            "trait_name": analysis.trait_name,
            "trait": json.dumps({name: getattr(trait, name) for name in ("name", "mean", "sd", "exponent")}),
            "covariates": json.dumps([asdict(code) for code in analysis.covariate_coding]),
            "kinship": kinship,
            "kinship_scale": float(kinship_scale),
        },
    )
    if trait.values.size:
        group = group.assign(trait_value=("rank", trait.values), trait_score=("rank", trait.scores))
    tree["training"] = xr.DataTree(group)


def read_training(tree: xr.DataTree) -> TrainingSet:
    """Read what `add_training` added.

    Raises
    ------
    InputError
        If the tree has no such group.
    """
    if "training" not in check_tree(tree).children:
        raise InputError(
            "expected a posterior that holds the group training, got one without: sample it again with `bayes-lmmlasso "
            "run` or call add_training"
        )
    group = tree.children["training"].dataset
    keys = ("snp", "effect_allele", "other_allele")
    labels = tree.children["constant_data"].dataset.coords
    fitted = json.loads(group.attrs["trait"])
    ranks = [group[name].values if name in group else np.empty(0) for name in ("trait_value", "trait_score")]
    coding = [
        CovariateCoding(code["covariate"], tuple(code["levels"]), tuple(code["mean"]), tuple(code["sd"]))
        for code in json.loads(group.attrs["covariates"])
    ]
    return TrainingSet(
        variants=pd.DataFrame({name: labels[f"variant_{name}"].values.astype(object) for name in keys}),
        mean=group["mean"].values,
        sd=group["sd"].values,
        samples=pd.DataFrame({name: group[name].values.astype(object) for name in ("fid", "iid")}),
        covariates=tuple(coding),
        trait_name=group.attrs["trait_name"],
        trait=TraitTransform(fitted["name"], fitted["mean"], fitted["sd"], fitted["exponent"], *ranks),
        kinship=group.attrs["kinship"],
        kinship_scale=group.attrs["kinship_scale"],
    )
