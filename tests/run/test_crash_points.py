"""Killed before any one change of a run's folder, a command ends with the same bytes once it is repeated or resumed.

The analysis is a stand-in: a chain that writes its draws and states as the sampler's store does, and files made of
them; cells of a study that cost nothing; a table of predictions. What is tested is the folder.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from functools import partial

import pandas as pd
import pytest
from crash import count_changes, crash_at
from small_run import contents

from bayes_lmmlasso import InputError
from bayes_lmmlasso.report import tables as tables_module
from bayes_lmmlasso.report.tables import OutputFile, write_json, write_text
from bayes_lmmlasso.run import publish as publish_module
from bayes_lmmlasso.run.folder import CHECKPOINT, RECORD, resumed_directory, run_directory, settled
from bayes_lmmlasso.run.publish import PACKAGE
from bayes_lmmlasso.run.settings import CohortSettings
from bayes_lmmlasso.studies import Study, StudyResult
from bayes_lmmlasso.studies import folder as study_folder
from bayes_lmmlasso.studies.execution import CellResult

BOTH = "spike_slab,laplace"


def analyse(store, draws, model="spike_slab"):
    """Go on with a chain of each prior to so many draws, and write what follows from all of them."""
    for other in model.split(",")[1:]:
        (store / other).mkdir(exist_ok=True)
        analyse(store / other, draws, other)
    draws_folder = store / CHECKPOINT
    draws_folder.mkdir(exist_ok=True)
    state = draws_folder / "chain-0.npz"
    for k in range(int(state.read_text()) if state.exists() else 0, draws):
        write_text(f"draw {k}", draws_folder / f"{k}.draw")
        write_text(str(k + 1), state)
    text = " ".join((draws_folder / f"{k}.draw").read_text() for k in range(draws))
    for name in ("inclusion.tsv", "report.html"):
        write_text(text, store / name)
    shutil.rmtree(store / "posterior.zarr", ignore_errors=True)
    (store / "posterior.zarr").mkdir()
    (store / "posterior.zarr" / "chunk").write_text(text)
    write_json(record(draws, model) | {"status": "finished"}, store / RECORD)


def record(draws, model="spike_slab"):
    return {"package": PACKAGE, "status": "running", "command": "run", "arguments": {"model": model}, "draws": draws}


def run(folder, draws, *, model="spike_slab", overwrite=False):
    with run_directory(folder, record(draws, model), overwrite=overwrite) as store:
        analyse(store, draws, model)


def resume(folder, draws=None):
    with settled(folder) as (known, finished):
        if draws is None and finished:
            raise InputError("expected an unfinished run, got one that has finished")
        target = draws or known["draws"]
        model = known["arguments"]["model"]
        with resumed_directory(folder, record(target, model)) as store:
            analyse(store, target, model)


def stop(folder, draws):
    """Leave a run that was stopped after some draws."""
    with suppress(KeyboardInterrupt), run_directory(folder, record(draws + 1)) as store:
        analyse(store, draws)
        write_json(record(draws + 1), store / RECORD)
        raise KeyboardInterrupt


def compare(folder, cells=3):
    """A study of some cells, into whose cache each goes when it is known."""
    study = Study("toy", "prediction", 0, CohortSettings(), ("height",), (), {})

    def compute(study, cache, **_):
        new = [str(k) for k in range(cells) if cache.get(str(k)) is None]
        for key in new:
            cache.put(key, CellResult({"value": int(key)}, None, 1.0))
        table = pd.DataFrame({"cell": range(cells), "status": "done"})
        return StudyResult(study, table, {"scores": table}, len(new))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study_folder, "read_study", lambda *_: study)
        patch.setattr(study_folder, "compute_study", compute)
        patch.setattr(study_folder, "versions", dict)
        patch.setattr(study_folder, "read_intakes", lambda *_: {})
        patch.setattr(study_folder, "intake_table", lambda _: pd.DataFrame({"trait": ["height"]}))
        patch.setattr(study_folder, "STUDY_FIGURES", {"prediction": lambda _: {}})
        patch.setattr(study_folder, "study_conclusions", lambda *_: [])
        patch.setattr(study_folder, "study_html", lambda *_: f"{cells} cells")
        study_folder.run_study(folder, folder)


def predict(folder, mean=0.5):
    folder.mkdir(exist_ok=True)
    OutputFile(folder / "predictions.tsv").write(pd.DataFrame({"iid": ["s1"], "mean": mean}), [f"{mean}"])


COMMANDS = {
    "run": (lambda folder: None, partial(run, draws=2)),
    "resume": (partial(stop, draws=1), resume),
    "resume --draws": (partial(run, draws=1), partial(resume, draws=2)),
    "resume --draws of two priors": (partial(run, draws=1, model=BOTH), partial(resume, draws=2)),
    "run --overwrite": (partial(run, draws=2), partial(run, draws=1, overwrite=True)),
    "run --overwrite of two priors": (partial(run, draws=1, model=BOTH), partial(run, draws=1, overwrite=True)),
    "run --overwrite by two priors": (partial(run, draws=1), partial(run, draws=1, model=BOTH, overwrite=True)),
    "run --overwrite of an unfinished run": (partial(stop, draws=2), partial(run, draws=1, overwrite=True)),
    "compare, of a study that was extended": (partial(compare, cells=1), partial(compare, cells=2)),
    "predict, in place of earlier ones": (partial(predict, mean=0.1), predict),
}
REFUSALS = ("finished", "without a run.json")


@pytest.fixture(autouse=True)
def _nothing_waits_for_the_disk(monkeypatch):
    monkeypatch.setattr(publish_module, "sync", lambda path: None)
    monkeypatch.setattr(publish_module, "_keep_on_disk", lambda folder: None)
    monkeypatch.setattr(tables_module, "sync", lambda path: None)


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_before_any_change_a_command_ends_with_the_same_bytes(tmp_path, name, torn):
    before, command = COMMANDS[name]
    before(tmp_path / "whole")
    changes = count_changes(tmp_path, lambda: command(tmp_path / "whole"))
    assert changes > (4 if name.startswith("predict") else 20)
    for k in range(changes):
        folder = tmp_path / "killed"
        before(folder)
        assert crash_at(k, folder, partial(command, folder), torn=torn), k
        for step in (command, resume) if k % 2 else (resume, command):
            try:
                step(folder)
            except InputError as error:
                assert any(refusal in str(error) for refusal in REFUSALS), (k, error)  # noqa: PT017
        assert contents(folder) == contents(tmp_path / "whole"), k
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["resume --draws", "resume --draws of two priors", "run --overwrite"])
def test_what_was_finished_is_whole_until_another_has_taken_its_place(tmp_path, name):
    before, command = COMMANDS[name]
    before(tmp_path / "whole")
    old = results(tmp_path / "whole")
    changes = count_changes(tmp_path, lambda: command(tmp_path / "whole"))
    seen = []
    for k in range(changes):
        folder = tmp_path / str(k)
        before(folder)
        assert crash_at(k, folder, partial(command, folder))
        with settled(folder):
            seen.append(results(folder))
        assert seen[-1] in (old, results(tmp_path / "whole")), k
    assert seen[0] == old != seen[-1]


def results(folder):
    return {
        name: data for name, data in contents(folder).items() if not name.startswith(".") and CHECKPOINT not in name
    }


def test_what_a_killed_study_has_left_of_a_cell_goes(tmp_path):
    compare(tmp_path / "study")
    wanted = contents(tmp_path / "study")
    (tmp_path / "study" / "cells" / "0" / ".0.json.12345").write_text("{")  # of a process with another number
    compare(tmp_path / "study")
    assert contents(tmp_path / "study") == wanted
