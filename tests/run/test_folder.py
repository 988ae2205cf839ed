"""The folder of a run: everything or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_run import contents, listing

from bayes_lmmlasso import InputError
from bayes_lmmlasso.lock import LOCK
from bayes_lmmlasso.report.tables import write_json
from bayes_lmmlasso.run.folder import RECORD, read_record, resumed_directory, run_directory, settled
from bayes_lmmlasso.run.publish import PACKAGE

ANNOUNCED = {"package": PACKAGE, "status": "running", "command": "run", "arguments": {}}
FOUND = {"versions": {}, "data": {}, "null_model": {}, "evidence": {}}
FINISHED = ANNOUNCED | {"status": "finished", "seed": 0} | FOUND


def make_run(folder, text, names=("inclusion.tsv", "report.html"), *, overwrite=False):
    with run_directory(folder, ANNOUNCED, overwrite=overwrite) as store:
        for name in names:
            (store / name).write_text(text)
        (store / "posterior.zarr").mkdir()
        (store / "posterior.zarr" / "chunk").write_text(text)
        write_json(FINISHED, store / RECORD)


def test_results_appear_together_at_the_end(tmp_path):
    folder = tmp_path / "new" / "deep"
    with run_directory(folder, ANNOUNCED) as store:
        (store / "inclusion.tsv").write_text("half")
        assert json.loads((folder / RECORD).read_text())["status"] == "running"
        assert sorted(path.name for path in folder.iterdir()) == [LOCK, store.name, RECORD]
        assert store.name.startswith(".")
        write_json(FINISHED, store / RECORD)
    assert sorted(path.name for path in folder.iterdir()) == ["inclusion.tsv", RECORD]
    assert read_record(folder)["status"] == "finished"


def fail(folder, error, *, overwrite=False):
    """Fail in the middle; until then every file of an earlier run is in its place."""
    before = contents(folder) if overwrite else {}
    with run_directory(folder, ANNOUNCED, overwrite=overwrite) as store:
        (store / "inclusion.tsv").write_text("half")
        assert contents(folder).items() >= before.items()
        raise error


@pytest.mark.parametrize("error", [InputError, KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("exists", [False, True])
def test_nothing_is_left_after_an_error(tmp_path, error, exists):
    folder = tmp_path / "a" / "b"
    if exists:
        folder.mkdir(parents=True)
    before = listing(tmp_path)
    with pytest.raises(error):
        fail(folder, error)
    assert listing(tmp_path) == before


def test_an_existing_run_needs_overwrite(tmp_path):
    make_run(tmp_path, "old")
    before = contents(tmp_path)
    with pytest.raises(InputError, match="which holds a finished run: choose another folder or pass --overwrite"):
        make_run(tmp_path, "new")
    assert contents(tmp_path) == before


def test_overwrite_replaces_an_earlier_run_and_nothing_else(tmp_path):
    make_run(tmp_path, "old", ("inclusion.tsv", "windows.tsv", "report.html"))
    (tmp_path / "notes.txt").write_text("mine")
    make_run(tmp_path, "new", ("inclusion.tsv",), overwrite=True)
    files = contents(tmp_path)
    assert sorted(files) == ["inclusion.tsv", "notes.txt", "posterior.zarr/chunk", RECORD]
    assert files["inclusion.tsv"] == files["posterior.zarr/chunk"] == b"new"
    assert files["notes.txt"] == b"mine"


def make_priors(folder, model, *, overwrite=False):
    """A run of several priors, which has a folder of its own for each but the first."""
    record = {"arguments": {"model": model}}
    with run_directory(folder, ANNOUNCED | record, overwrite=overwrite) as store:
        for other in model.split(",")[1:]:
            (store / other).mkdir()
            write_json(FINISHED, store / other / RECORD)
        write_json(FINISHED | record, store / RECORD)


def test_a_folder_with_the_name_of_a_prior_is_the_users_unless_the_run_made_it(tmp_path):
    make_priors(tmp_path, "spike_slab")
    make_priors(tmp_path / "laplace", "laplace")  # a run of its own that lies there
    (tmp_path / "laplace" / "checkpoint").mkdir()
    before = contents(tmp_path / "laplace")
    make_priors(tmp_path, "spike_slab", overwrite=True)
    (tmp_path / "checkpoint").mkdir()
    with settled(tmp_path), resumed_directory(tmp_path, ANNOUNCED | {"arguments": {"model": "spike_slab"}}) as store:
        assert not (store / "laplace").exists()
        write_json(FINISHED | {"arguments": {"model": "spike_slab"}}, store / RECORD)
    assert contents(tmp_path / "laplace") == before
    assert (tmp_path / "laplace" / "checkpoint").is_dir()
    with settled(tmp_path / "laplace"):  # and goes on by itself
        pass
    with pytest.raises(InputError, match="results of laplace, got one that the run has not made: move it away"):
        make_priors(tmp_path, "spike_slab,laplace", overwrite=True)
    assert contents(tmp_path / "laplace") == before


def test_the_part_of_one_prior_goes_with_its_run(tmp_path, monkeypatch):
    make_priors(tmp_path, "spike_slab,laplace")
    monkeypatch.chdir(tmp_path / "laplace")
    before = contents(tmp_path)
    for part in (tmp_path / "laplace", Path()):
        with pytest.raises(InputError, match="one prior of the run in"), settled(part):
            pass
        with pytest.raises(InputError, match="one prior of the run in"):
            make_priors(part, "laplace", overwrite=True)
    assert contents(tmp_path) == before
    make_priors(tmp_path, "spike_slab,horseshoe", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["horseshoe", RECORD]


def test_the_earlier_run_survives_a_failed_overwrite(tmp_path):
    make_run(tmp_path, "old")
    before = contents(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fail(tmp_path, KeyboardInterrupt, overwrite=True)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("moves", range(12))
def test_publishing_goes_on_after_an_interruption(tmp_path, monkeypatch, moves):
    names = ("inclusion.tsv", "windows.tsv", "report.html")
    make_run(tmp_path / "whole", "new", names[:2])
    folder, replace, left = tmp_path / "run", Path.replace, iter(range(moves))
    make_run(folder, "old", names)

    def interrupted(path, target):
        if folder in path.parents and path.name not in (f".{RECORD}.partial",) and next(left, None) is None:
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    try:
        make_run(folder, "new", names[:2], overwrite=True)
    except KeyboardInterrupt:
        monkeypatch.undo()
        with settled(folder):
            pass
    assert contents(folder) == contents(tmp_path / "whole")


def test_an_unfinished_run_is_refused_and_can_be_overwritten(tmp_path):
    write_json(ANNOUNCED, tmp_path / RECORD)
    (tmp_path / ".unfinished").mkdir()
    with pytest.raises(InputError, match="unfinished run"):
        make_run(tmp_path, "new")
    make_run(tmp_path, "new", overwrite=True)
    assert read_record(tmp_path)["status"] == "finished"


@pytest.mark.parametrize(("name", "text"), [("notes.txt", "mine"), (RECORD, '{"package": "other"}'), (RECORD, "no")])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_with_other_files_is_refused(tmp_path, name, text, overwrite):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=f"which holds {name}"):
        make_run(tmp_path, "new", overwrite=overwrite)
    assert contents(tmp_path) == {name: text.encode()}


def test_a_file_and_a_folder_inside_a_file_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="got the file"):
        make_run(tmp_path / "file", "new")
    with pytest.raises(InputError, match="can be created"):
        make_run(tmp_path / "file" / "run", "new")


def test_reading_a_record_needs_a_finished_run(tmp_path):
    with pytest.raises(InputError, match=r"without a run\.json"):
        read_record(tmp_path)
    write_json(ANNOUNCED, tmp_path / RECORD)
    with pytest.raises(InputError, match="status 'running'"):
        read_record(tmp_path)
