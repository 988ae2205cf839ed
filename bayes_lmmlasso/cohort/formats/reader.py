"""What a format module offers: a reader that joins genotypes with tables, and a description for the command line."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Protocol, cast

from bayes_lmmlasso.arguments import check_path
from bayes_lmmlasso.cohort.dataset import Cohort
from bayes_lmmlasso.cohort.formats.genotype_file import DosageType, GenotypeFile
from bayes_lmmlasso.cohort.tables import TableLike

__all__ = ["CohortReader", "GenotypeFormat", "PathLike", "reads_cohort"]

PathLike = str | os.PathLike[str]
"""A path as text or as a `Path`."""


class CohortReader[**P](Protocol):
    """Reads genotypes and joins them with tables by sample id.

    Its options are those of `GenotypeFile.join`, and ``P`` of the format.
    """

    open: Callable[Concatenate[PathLike, P], GenotypeFile]

    def __call__(
        self,
        path: PathLike,
        phenotypes: TableLike | None = None,
        trait: str | None = None,
        covariates: TableLike | None = None,
        dtype: DosageType = "float32",
        *args: Any,
        **options: Any,
    ) -> Cohort:
        """Read and join, see `bayes_lmmlasso.read_plink`."""


@dataclass(frozen=True)
class GenotypeFormat:
    """A format of genotypes.

    Attributes
    ----------
    read
        Its reader.
    files
        Takes the path and returns the files that hold the genotypes, so that their content can be compared.
    help, metavar
        Text and placeholder of its option on the command line.
    """

    read: CohortReader[...]
    files: Callable[[PathLike], tuple[Path, ...]]
    help: str
    metavar: str


def reads_cohort[**P](open_file: Callable[Concatenate[PathLike, P], GenotypeFile]) -> CohortReader[P]:
    """Turn a function that opens a file of genotypes into one that joins them with tables.

    The result takes the path, then what `GenotypeFile.join` takes, then the options of the function, which is kept as
    its attribute ``open``.
    """
    own = inspect.signature(open_file)
    path, *options = own.parameters.values()
    tables = list(inspect.signature(GenotypeFile.join).parameters.values())[1:]
    signature = own.replace(parameters=[path, *tables, *options], return_annotation="Cohort")
    opened: Callable[..., GenotypeFile] = open_file

    @wraps(open_file)
    def read(*args: Any, **kwargs: Any) -> Cohort:
        given = signature.bind(*args, **kwargs).arguments
        check_path(given[path.name], "genotypes")
        join = {parameter.name: given.pop(parameter.name) for parameter in tables if parameter.name in given}
        return opened(**given).join(**join)

    vars(read).update(open=open_file, __signature__=signature)
    return cast(CohortReader[P], read)
