"""Results fit one screen, whatever they hold; tables become frames."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_imports import ROOMS

import bayes_lmmlasso as bl
from bayes_lmmlasso.display import Display, Table, describe


def results() -> list[type]:
    """Public dataclasses of all rooms that hold arrays or frames."""
    found = {}
    for name in ROOMS:
        room = importlib.import_module(name)
        for thing in (getattr(room, n) for n in room.__all__):
            if isinstance(thing, type) and dataclasses.is_dataclass(thing):
                kinds = " ".join(str(field.type) for field in dataclasses.fields(thing))
                if any(kind in kinds for kind in ("NDArray", "DataFrame", "Array", "csr_array")):
                    found[thing.__name__] = thing
    return list(found.values())


def filled(result: type) -> object:
    """A result with as much as it could hold in every field."""
    many = np.arange(90_000.0).reshape(300, 300)
    thing = object.__new__(result)
    for field in dataclasses.fields(result):
        value = many
        if "DataFrame" in str(field.type):
            value = pd.DataFrame(many)
        elif "tuple" in str(field.type):
            value = (many,) * 400
        elif "dict" in str(field.type):
            value = {str(k): many for k in range(400)}
        object.__setattr__(thing, field.name, value)
    return thing


def one_screen(text: str, name: str) -> None:
    assert name in text
    assert len(text) <= 2500
    assert len(text.splitlines()) <= 25


def test_every_public_result_is_one():
    # models import nothing of the package: the rotated data have a text of their own
    assert {result.__name__ for result in results() if not issubclass(result, Display)} == {"RotatedData"}


@pytest.mark.parametrize("result", results(), ids=lambda result: result.__name__)
def test_every_result_fits_one_screen(result):
    if result.__name__ == "RotatedData":
        return
    thing = filled(result)
    one_screen(repr(thing), result.__name__)
    html = thing._repr_html_()
    assert html.startswith("<table>")
    assert html.count("<tr>") == len(dataclasses.fields(result))


def test_a_line_says_what_a_field_holds():
    assert describe(np.array([3.0, np.nan, -1.5])) == "(3,) float64, -1.5 to 3"
    assert describe(np.array([True, False])) == "(2,) bool, 1 true"
    assert describe(np.array(["a"])) == "(1,) <U1"
    assert describe(np.empty((0, 4))) == "(0, 4) float64"
    assert describe(np.full(2, np.nan)) == "(2,) float64"
    assert describe(pd.DataFrame({"snp": ["rs1"], "pos": [3]})) == "1 rows: snp pos"
    assert describe({"maf": 3, "constant": 0}) == "maf 3, constant 0"
    assert describe(("age", "sex")) == "age, sex"
    assert describe((np.zeros(2), np.zeros(3))) == "2 of ndarray"
    assert describe(np.float64(1 / 3)) == "0.333333"
    assert describe(Path("mice.bed")) == "mice.bed"
    assert len(describe("x" * 1000)) == 90


def test_tables_become_frames_with_labels(rng):
    scan = bl.scan.scan(rng.normal(size=(20, 3)), rng.normal(size=20), covariates=np.ones((20, 1)), method="lm")
    assert isinstance(scan, Table)
    table = scan.to_frame()
    assert list(table) == ["beta", "se", "p", "log10_p", "log_delta"]
    np.testing.assert_array_equal(table["p"], scan.p)
    labels = pd.DataFrame({"snp": ["a", "b", "c"]})
    assert list(scan.to_frame(labels)) == ["snp", *table]
    assert list(labels) == ["snp"]


def test_real_results_fit_one_screen():
    cohort = bl.simulate_cohort(n_samples=40, n_variants=60, seed=1)
    trait = bl.simulate_trait(cohort, n_causal=2, seed=1)
    analysis = bl.prepare(cohort.assign(height=("samples", trait.y)), "height")
    K = bl.gower_scale(bl.kinship(analysis.X))
    basis = bl.Eigenbasis.from_kinship(K)
    null = bl.fit_null_model(analysis.y, basis, analysis.covariates, "reml")
    path = bl.lasso_path(analysis.X, analysis.y, basis, null.delta, n_active=3, covariates=analysis.covariates)
    for result in (trait, analysis, basis, null, path, bl.rotate(analysis, basis)):
        one_screen(repr(result), type(result).__name__)
    assert "pve             " in repr(null)
    assert list(null.to_frame()) == ["grid", "profile"]
    assert list(path.to_frame()) == ["mu", "n_active", "duality_gap"]
