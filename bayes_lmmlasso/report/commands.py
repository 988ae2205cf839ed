"""Commands to paste, made from what a run was asked to do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from bayes_lmmlasso.cohort import FORMATS

__all__ = ["command"]

_OF_GENOTYPES = (*FORMATS, "ploidy", "missing_code", "covar", "covar_names", "categorical", "kinship", "maf", "missing")


def command(record: Mapping[str, Any], name: str = "run", **changes: Any) -> str:
    """Return the command that makes a run once more, with other options.

    Parameters
    ----------
    record
        What ``run.json`` says; ``given`` holds the options that are not as by default.
    name
        The command; another than ``run`` takes over the options of genotypes, covariates and kinship.
    **changes
        Options in place of the run's.
    """
    given = {option: value for option, value in record["given"].items() if name == "run" or option in _OF_GENOTYPES}
    words = ["bayes-lmmlasso", name]
    for option, value in (given | changes).items():
        text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        words += [f"--{option.replace('_', '-')}", text]
    return shlex.join(words)
