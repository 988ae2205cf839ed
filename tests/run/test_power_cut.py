"""Results are on the disk before they have their names, so that a power cut leaves them or what was there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from web_site import serving, write_registry

from bayes_lmmlasso.cohort import fetch
from bayes_lmmlasso.cohort.public import datasets, download
from bayes_lmmlasso.report import tables
from bayes_lmmlasso.report.tables import RECORD, OutputFile, write_text
from bayes_lmmlasso.run import publish
from bayes_lmmlasso.run.folder import run_directory
from bayes_lmmlasso.run.publish import PACKAGE, STORE, write_own


@pytest.fixture
def named(monkeypatch):
    """Paths that were given a name that is no temporary one, and whether all below was on the disk."""
    synced, names, rename = set(), {}, Path.replace

    def replace(path, target):
        files = [file for file in (path, *path.rglob("*")) if file.is_file()]
        if not target.name.startswith(".") and STORE not in target.parent.parts:
            names[target] = all(file.stat().st_ino in synced for file in files)
        return rename(path, target)

    for module in (publish, tables, datasets, download):
        monkeypatch.setattr(module, "sync", lambda path: synced.add(path.stat().st_ino))
    monkeypatch.setattr(Path, "replace", replace)
    return names


def test_a_run(tmp_path, named):
    record = {"package": PACKAGE, "command": "run", "arguments": {}}
    with run_directory(tmp_path / "run", record) as store:
        write_text("table", store / "inclusion.tsv")
        (store / "posterior.zarr" / "b").mkdir(parents=True)
        (store / "posterior.zarr" / "b" / "0.0").write_text("chunk")
        write_own(record | {"status": "finished"}, store / RECORD)
        assert named == {tmp_path / "run" / RECORD: False}  # of a run that is under way, which a power cut may end
    assert named == {tmp_path / "run" / name: True for name in ("inclusion.tsv", "posterior.zarr", RECORD)}


def test_a_table(tmp_path, named):
    OutputFile(tmp_path / "scan.tsv").write(pd.DataFrame({"p": [0.5]}), ["said"])
    assert named == {tmp_path / "scan.tsv": True, tmp_path / "scan.tsv.log": True}


def test_fetched_files(tmp_path, named, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    files = {"a.bed": b"bed", "a.fam": b"f i 0 0 0 1.5\n"}
    with serving({f"/d/{name}": data for name, data in files.items()}) as site:
        registry = write_registry(tmp_path, site.address, files, 'traits = ["a"]')
        fetch("toy", tmp_path / "out", registry=registry)
    assert named == {tmp_path / "out" / name: True for name in (*files, "phenotypes.tsv")}
