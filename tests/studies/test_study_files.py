"""The study files of the repository: each states what it can compute, and does, one cell of every fast method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bayes_lmmlasso.studies import read_study
from bayes_lmmlasso.studies.execution import perform
from bayes_lmmlasso.studies.file import KINDS

FOLDER = Path(__file__).parents[2] / "notebooks" / "studies"
FILES = sorted(path.stem for path in FOLDER.glob("*.toml"))
FAST = {"lm", "lmm-p3d", "lasso", "lmm-lasso", "lasso-stability", "blup"}


def test_every_figure_of_the_paper_has_a_study():
    figure3 = "figure3_arabidopsis figure3_mouse figure3_mouse_blood figure3_rank_normal"
    assert f"figure1 figure2 {figure3} figure4 table1".split() == FILES


@pytest.mark.parametrize("name", FILES)
def test_a_study_file_states_its_cells(name, monkeypatch):
    monkeypatch.setenv("BAYES_LMMLASSO_DATA", "elsewhere")
    study = read_study(FOLDER / f"{name}.toml")
    cells = KINDS[study.kind].cells(study)
    assert {cell.method for cell in cells} == set(study.methods)
    labels = [tuple(cell.labels().values()) for cell in cells]
    assert len(set(labels)) == len(labels)
    if study.kind == "simulation":
        assert study.settings.replicates >= 100
    if name in ("figure3_arabidopsis", "figure3_rank_normal", "table1"):
        assert len(study.traits) == 20  # those of the paper


@pytest.mark.parametrize("name", FILES)
def test_a_cell_of_every_fast_method_succeeds(name, data_dir, monkeypatch):
    monkeypatch.setenv("BAYES_LMMLASSO_DATA", str(data_dir))
    study = read_study(FOLDER / f"{name}.toml")
    fast = {"blup"} if name.startswith(("figure3_mouse", "figure3_rank")) else FAST
    chosen = tuple(method for method in study.methods if method.name in fast)
    assert chosen
    small = replace(study, traits=study.traits[:1], methods=chosen)
    kind = KINDS[study.kind]
    cells = kind.cells(small)[: len(chosen)]
    assert [cell.method for cell in cells] == list(chosen)
    results = [perform(cell) for cell in cells]
    assert [result.error for result in results] == [None] * len(chosen)
    tables = kind.tables(small, [(cell.labels(), result.result) for cell, result in zip(cells, results, strict=True)])
    may_be_empty = {"pairs"} if len(chosen) > 1 else {"pairs", "differences"}
    assert {name for name, table in tables.items() if table.empty} <= may_be_empty
    if name == "table1":  # of LD, by the Lasso: Table 1 and two rows of Table S1
        assert tables["hits"][["published_hits", "published_selected"]].to_numpy().tolist() == [[4, 69]]
        assert tables["published"][["pos", "psel_lasso"]].to_numpy().tolist() == [[3169764, 0.0], [3188328, 0.96]]
    if name == "figure4":
        assert len(tables["shares"]) == 2 * 2 * 126  # methods, samples, sizes
        assert tables["reference"]["explained_published"].tolist() == [0.4517, 0.4887, 0.4653]
