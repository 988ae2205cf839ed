"""The folder of a fetch: killed before any one change it goes on to the same files, one process writes at a time."""

from __future__ import annotations

import hashlib
import shutil

import numpy as np
import pytest
from crash import count_changes, crash_at
from launch import another_writes_in
from small_run import contents
from web_site import serving, write_registry

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import fetch, read_registry
from bayes_lmmlasso.cohort.public import datasets, download

FILES = {
    "toy.bed": np.random.default_rng(1).bytes(300_000),
    "toy.bim": b"1 s1 0 10 A C\n",
    "toy.fam": b"f1 i1 0 0 0 1.5 NA\nf2 i2 0 0 0 2 3\n",
}


def joined(sources, folder):
    """A recipe of the tests: both sources one after the other, and the other way round."""
    first, second = (source.read_bytes() for source in sources)
    (folder / "there.txt").write_bytes(first + second)
    (folder / "back.txt").write_bytes(second + first)


def write_recipe(folder, address):
    digests = {"there.txt": hashlib.sha256(b"onetwo").hexdigest(), "back.txt": hashlib.sha256(b"twoone").hexdigest()}
    (folder / "registry.toml").write_text(
        f'[toy]\nabout = "toy"\nrecipe = "joined"\nsources = ["{address}one", "{address}two"]\n[toy.files]\n'
        + "".join(f'"{name}" = "{digest}"\n' for name, digest in digests.items())
    )
    return folder / "registry.toml"


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setitem(datasets._RECIPES, "joined", joined)
    monkeypatch.setattr(download, "sync", lambda path: None)  # nothing waits for the disk
    monkeypatch.setattr(datasets, "sync", lambda path: None)
    with serving({f"/d/{name}": data for name, data in FILES.items()} | {"/d/one": b"one", "/d/two": b"two"}) as site:
        yield site


@pytest.fixture(params=["files", "recipe"])
def fetch_toy(request, site, tmp_path):
    """Fetch a data set of files, with traits, or of a recipe, to a folder."""
    if request.param == "files":
        registry = write_registry(tmp_path, site.address, FILES, 'traits = ["a", "b"]')
    else:
        registry = write_recipe(tmp_path, site.address)
    return lambda folder: fetch("toy", folder, registry=registry, pause=0.0, timeout=5.0)


@pytest.mark.parametrize("torn", [False, True])
def test_killed_before_any_change_a_fetch_goes_on_to_the_same_files(fetch_toy, tmp_path, torn):
    whole = tmp_path / "whole"
    changes = count_changes(tmp_path, lambda: fetch_toy(whole))
    wanted = contents(whole)
    assert changes > 10
    for k in range(changes):
        folder = tmp_path / "killed"
        assert crash_at(k, folder, lambda: fetch_toy(folder), torn=torn), k  # noqa: B023
        left = contents(folder) if folder.exists() else {}
        assert {name: left[name] for name in wanted if name in left}.items() <= wanted.items(), k
        fetch_toy(folder)
        assert contents(folder) == wanted, k
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def held(tmp_path):
    """A folder in which another process is writing."""
    with another_writes_in(tmp_path / "out"):
        yield tmp_path / "out"


def test_a_second_fetch_is_refused_and_changes_nothing(fetch_toy, held):
    before = contents(held)
    with pytest.raises(bl.InputError, match=r"expected a folder that nobody else is writing in, got .*: wait for it"):
        fetch_toy(held)
    assert contents(held) == before


def test_what_is_there_is_verified_without_a_change_as_in_a_folder_that_cannot_be_written_in(fetch_toy, site, tmp_path):
    paths, asked = fetch_toy(tmp_path / "out"), len(site.ranges)
    assert count_changes(tmp_path / "out", lambda: fetch_toy(tmp_path / "out")) == 0
    assert fetch_toy(tmp_path / "out") == paths
    assert len(site.ranges) == asked


def test_a_table_of_traits_that_is_another_s_is_left_alone(site, tmp_path):
    registry = write_registry(tmp_path, site.address, FILES, 'traits = ["a", "b"]')
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "phenotypes.tsv").write_text("mine")
    with pytest.raises(bl.InputError, match=r"expected no other table at .*phenotypes\.tsv"):
        fetch("toy", tmp_path / "out", registry=registry)
    assert (tmp_path / "out" / "phenotypes.tsv").read_text() == "mine"


@pytest.mark.parametrize("name", ["../toy", "/toy", "a/b", "..", ".lock", "", "a\\\\b", "C:toy"])
def test_names_of_data_sets_do_not_lead_out_of_the_folder(tmp_path, name):
    (tmp_path / "r.toml").write_text(f'["{name}"]\nabout = ""\nbase = "https://x/"\nfiles = {{}}\n')
    with pytest.raises(bl.InputError, match="expected a plain name of a data set, of letters, digits"):
        read_registry(tmp_path / "r.toml")


@pytest.mark.parametrize("name", ["../x", "a/b", ".lock", "phenotypes.tsv", "x.part", "a\\\\b", "C:x", "x\\n"])
def test_names_of_files_do_not_lead_out_of_the_folder(tmp_path, name):
    fam = f'"x.fam" = "{"0" * 64}"'
    text = f'[toy]\nabout = ""\nbase = "https://x/"\ntraits = ["a"]\n[toy.files]\n{fam}\n"{name}" = "{"0" * 64}"\n'
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(bl.InputError, match="expected plain file names with a SHA-256"):
        read_registry(tmp_path / "r.toml")
