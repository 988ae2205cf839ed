"""The fetcher against a web server of this machine that breaks off, corrupts, stalls, refuses and resumes."""

from __future__ import annotations

import base64
import hashlib

import numpy as np
import pandas as pd
import pytest
import rdata
from small_run import cohort_folder
from typer.testing import CliRunner
from web_site import serving, write_registry

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.cohort import fetch, read_registry
from bayes_lmmlasso.cohort.public.naturalgwas import write_naturalgwas

CHUNK = 65_536  # bytes that are written at a time: what a broken connection leaves is a multiple
CONTENT = np.random.default_rng(3).bytes(4 * CHUNK)
HALF = len(CONTENT) // 2


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving({"/d/data.bin": CONTENT}) as site:
        yield site


@pytest.fixture
def fetch_toy(site, tmp_path):
    registry = write_registry(tmp_path, site.address, {"data.bin": CONTENT})
    return lambda **options: fetch(
        "toy", tmp_path / "out", registry=registry, **({"pause": 0.0, "timeout": 5.0} | options)
    )


def file_names(tmp_path):
    return sorted(path.name for path in (tmp_path / "out").glob("*"))


@pytest.mark.parametrize(
    ("plan", "ranges"),
    [
        ([], [None]),
        (["truncate"], [None, f"bytes={HALF}-"]),
        (["truncate", "truncate", "503"], [None, f"bytes={HALF}-", f"bytes={HALF + HALF // 2}-"]),
        (["truncate", "no ranges"], [None, f"bytes={HALF}-"]),
        (["corrupt"], [None, None]),
        (["truncate", "corrupt"], [None, f"bytes={HALF}-", None]),
        (["503", "503"], [None, None, None]),
    ],
)
def test_a_broken_download_goes_on(site, fetch_toy, tmp_path, plan, ranges):
    site.plan = list(plan)
    assert fetch_toy() == [tmp_path / "out" / "data.bin"]
    assert (tmp_path / "out" / "data.bin").read_bytes() == CONTENT
    assert file_names(tmp_path) == ["data.bin"]
    assert site.ranges[: len(ranges)] == ranges


def test_a_stalled_download_is_given_up_and_resumed(site, fetch_toy, tmp_path):
    site.plan = ["stall"]
    fetch_toy(timeout=0.5)
    assert (tmp_path / "out" / "data.bin").read_bytes() == CONTENT
    assert site.ranges == [None, f"bytes={HALF}-"]


def test_a_later_call_goes_on_where_an_earlier_one_failed(site, fetch_toy, tmp_path):
    site.plan = ["truncate", "503", "stall", "503"]
    with pytest.raises(
        bl.InputError, match=r"broke off; 503 .*; no answer in time; 503 .* 4 attempts: .* from 196,608"
    ):
        fetch_toy(timeout=0.5)
    assert file_names(tmp_path) == ["data.bin.part"]  # nothing under the final name
    site.ranges.clear()
    fetch_toy()
    assert site.ranges == ["bytes=196608-"]
    assert (tmp_path / "out" / "data.bin").read_bytes() == CONTENT
    fetch_toy()
    assert site.ranges == ["bytes=196608-"]  # verified, not asked for again


@pytest.mark.parametrize(("left", "requests"), [(CONTENT, 1), (CONTENT + b"more", 2), (b"x" * HALF, 2)])
def test_bytes_that_were_left_are_verified(site, fetch_toy, tmp_path, left, requests):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "data.bin.part").write_bytes(left)
    fetch_toy()
    assert (tmp_path / "out" / "data.bin").read_bytes() == CONTENT
    assert len(site.ranges) == requests


def test_wrong_bytes_are_never_kept(site, fetch_toy, tmp_path):
    site.plan = ["corrupt"] * 9
    with pytest.raises(bl.InputError, match=r"got bytes whose SHA-256 is not .* in 2 attempts"):
        fetch_toy()
    assert file_names(tmp_path) == []
    assert len(site.ranges) == 2


def test_refusals_and_absent_servers_are_told(site, fetch_toy, tmp_path):
    site.plan = ["404"]
    with pytest.raises(bl.InputError, match=r"expected a file at .*/d/data\.bin, got 404 Not Found: check the address"):
        fetch_toy()
    assert len(site.ranges) == 1
    registry = write_registry(tmp_path, "http://127.0.0.1:9/", {"data.bin": CONTENT})
    with pytest.raises(bl.InputError, match=r"got no connection \(ConnectionError\).* in 4 attempts"):
        fetch("toy", tmp_path / "out", registry=registry, pause=0.0)
    assert file_names(tmp_path) == []


def test_another_file_of_that_name_is_left_alone(fetch_toy, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "data.bin").write_text("mine")
    with pytest.raises(bl.InputError, match="expected no other file at"):
        fetch_toy()
    assert (tmp_path / "out" / "data.bin").read_text() == "mine"
    (tmp_path / "file").write_text("")
    with pytest.raises(bl.InputError, match="expected a folder"):
        fetch("mouse_hs1940", tmp_path / "file")
    (tmp_path / "out" / "arabidopsis_chr5.sources").write_text("")
    with pytest.raises(bl.InputError, match="expected a folder"):
        fetch("arabidopsis_chr5", tmp_path / "out")


def test_a_fetched_file_set_is_ready_to_be_analysed(site, tmp_path):
    files = {f"small.{end}": (cohort_folder() / f"small.{end}").read_bytes() for end in ("bed", "bim", "fam")}
    lines = files["small.fam"].decode().splitlines()
    files["small.fam"] = "".join(f"{line.rsplit(maxsplit=1)[0]} {i}.5 NA\n" for i, line in enumerate(lines)).encode()
    site.files = {f"/d/{name}": body for name, body in files.items()}
    write_registry(tmp_path, site.address, files, 'traits = ["a", "b"]')
    site.files["/d/registry.toml"] = (tmp_path / "registry.toml").read_bytes()
    arguments = ["fetch", "toy", "--registry", f"{site.address}registry.toml", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert file_names(tmp_path) == ["phenotypes.tsv", "small.bed", "small.bim", "small.fam"]
    cohort = bl.read_plink(tmp_path / "out" / "small", tmp_path / "out" / "phenotypes.tsv", "a")
    np.testing.assert_array_equal(cohort["a"], np.arange(60) + 0.5)
    assert np.isnan(cohort["b"]).all()


# What R 4.2.2 saves of a list like naturalgwas's: genotype, an integer matrix; chrpos, a matrix with names of columns;
# ecotype.id, a matrix of text, of which "Löv-1" is in latin1.
FROM_R = base64.b64decode(
    "H4sIAAAAAAAAAwtyiTDmiuBiYGBgZmBhYmJgZgUyGVhDQ9x0LRiAIkAOIwMLAyeQ5nLUK8lIzMlMzEtkYGASBoqwAGleIM3DAAGM"
    "UMyAxkcXY0AzmTklMxdIgYxiArsEbDTDPyCXD0izMZAMQMYz/UczkwnJTA4HEYhKnPQkBwg99wSEXnIOQq/gwmUHC4RG8RoH0Gt5"
    "ibmpxUC2MMINDAJgNtT7yRlFMGZBfjHUlQJgn0OEWcwsDSzhbAMTYxjb1MLYHMpmdc7P0TUAOhDM8flWpmsIk3HKLwJy8AYKiqNZ"
    "YS4WAPsK6pP01Lz8ksqCVJii5Pz8ohQohw3oBZDToSklNRmsUi8zBerdfwARtV/LaAIAAA=="
)
TRAITS = [
    "1_LD 2_LDV 3_SD 4_SDV 5_FT10 6_FT16 7_FT22".split(),
    "39_0W 40_2W 41_4W 42_8W 43_FLC 44_FRI".split(),
    ["45_8W GH FT", "46_8W GH LN", "47_0W GH FT", "48_0W GH LN", "57_FT Field", "58_FT Diameter Field", "59_FT GH"],
    "80_LN10 81_LN16 82_LN22".split(),
]


def published_traits(iid, values):
    """The table of AtPolyDB, as bytes: columns by number and name, and some of other traits."""
    columns = [name for group in TRAITS for name in group]
    table = pd.DataFrame(np.asarray(values), columns=columns)
    table.insert(0, "ecotype id", iid)
    table.insert(1, "nativename", "Löv-1")
    table.insert(9, "33_<i>avrRpm1</i>", "NA")
    return table.to_csv(sep="\t", index=False).encode()


def arabidopsis_fetcher(site, tmp_path, rda, traits):
    """Fetch arabidopsis_chr5 from the site: the sources are these, the files expected those of the package."""
    site.files |= {"/d/A.thaliana.rda": rda, "/d/traits.tsv": traits}
    entry = read_registry()["arabidopsis_chr5"]
    digests = "".join(f'"{name}" = "{sha256}"\n' for name, sha256 in entry.files.items())
    (tmp_path / "registry.toml").write_text(
        f'[toy]\nabout = "toy"\nrecipe = "{entry.recipe}"\nsources = ["{site.address}A.thaliana.rda", '
        f'"{site.address}traits.tsv"]\n[toy.files]\n{digests}'
    )
    return lambda: fetch("toy", tmp_path / "out", registry=tmp_path / "registry.toml", pause=0.0, timeout=5.0)


def test_arabidopsis_is_made_of_its_public_sources(site, tmp_path, data_dir):
    """Sources in the form of the public ones give the files at hand, byte for byte; then nothing is asked for."""
    folder = data_dir / "arabidopsis_chr5"
    cohort = bl.read_plink(folder / "arabidopsis_chr5_162", dtype="int8")
    table = pd.read_csv(folder / "phenotypes_199.tsv", sep="\t", dtype=str, keep_default_na=False)
    ids = pd.DataFrame({"ecotype_id": cohort["sample_id"].values.astype(float), "site": 0.0})
    content = {
        "genotype": cohort["call_dosage"].values.T.astype(np.int32) // 2,
        "chrpos": np.column_stack([np.full(cohort.sizes["variants"], 5.0), cohort["variant_position"].values]),
        "ecotype.id": ids,
    }
    rdata.write_rda(tmp_path / "source.rda", {"A.thaliana": content}, compression=None)
    traits = published_traits(table["iid"], table.iloc[:, 2:])
    fetch_toy = arabidopsis_fetcher(site, tmp_path, (tmp_path / "source.rda").read_bytes(), traits)
    site.plan = ["truncate"] + ["503"] * 3
    with pytest.raises(bl.InputError, match=r"expected A\.thaliana\.rda from .* try again to go on from"):
        fetch_toy()
    assert file_names(tmp_path) == ["toy.sources"]
    paths = fetch_toy()
    assert file_names(tmp_path) == sorted(path.name for path in paths)
    for path in paths:
        assert path.read_bytes() == (folder / path.name).read_bytes()
    assert len(site.ranges) == 6
    assert site.ranges[4] is not None  # resumed
    assert fetch_toy() == paths
    assert len(site.ranges) == 6
    paths[-1].write_text("mine")
    with pytest.raises(bl.InputError, match=r"no other file at .*phenotypes_162\.tsv"):
        fetch_toy()


def test_sources_that_give_other_files_are_thrown_away(site, tmp_path):
    """What R wrote is read, but is not the data set expected; broken bytes are no reason to break down."""
    values = np.arange(92).reshape(4, 23).astype(float)
    traits = published_traits([5837, 6008, 6043, 6909], values)
    with pytest.raises(bl.InputError, match=r"expected the files of toy to come of .*rda and .*, got another arabido"):
        arabidopsis_fetcher(site, tmp_path, FROM_R, traits)()
    assert file_names(tmp_path) == []
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "A.thaliana.rda").write_text("mine")
    for rda, table in ((FROM_R[:200], traits), (b"no archive", traits), (FROM_R, b"ecotype id\n"), (b"", b"")):
        with pytest.raises(bl.InputError, match=r"Error: .*: try again; if it stays so"):
            arabidopsis_fetcher(site, tmp_path, rda, table)()
        assert file_names(tmp_path) == ["A.thaliana.rda"]  # not ours


def test_a_file_of_r_is_read(tmp_path):
    (tmp_path / "A.thaliana.rda").write_bytes(FROM_R)
    values = np.arange(92).reshape(4, 23).astype(float)
    (tmp_path / "traits.tsv").write_bytes(published_traits([5837, 6008, 6043, 6909], values))
    write_naturalgwas([tmp_path / "A.thaliana.rda", tmp_path / "traits.tsv"], tmp_path)
    cohort = bl.read_plink(tmp_path / "arabidopsis_chr5_162", tmp_path / "phenotypes_162.tsv")
    assert cohort["sample_id"].values.tolist() == ["6909", "6043", "5837"]
    assert cohort["variant_position"].values.tolist() == [1168, 1906, 2663, 3077]
    np.testing.assert_array_equal(cohort["call_dosage"].values.T, [[0, 0, 2, 0], [2, 0, 2, 2], [2, 2, 0, 0]])
    np.testing.assert_array_equal(cohort["LD"], values[[3, 2, 0], 0])
    np.testing.assert_array_equal(cohort["LN22"], values[[3, 2, 0], 22])
    assert (tmp_path / "arabidopsis_chr5_162.fam").read_text().splitlines()[0] == "6909 6909 0 0 0 74"


def test_the_registry_of_the_package_is_in_order(data_dir):
    """Its hashes are those of the files at hand."""
    known = read_registry()
    mouse = known["mouse_hs1940"]
    for name in ("mouse_hs1940.bed", "mouse_hs1940.bim"):
        content = (data_dir / "mouse_hs1940" / name).read_bytes()
        assert mouse.files[name] == hashlib.sha256(content).hexdigest()
    content = (data_dir / "lmmlasso_reference" / "poppheno.csv").read_bytes()
    assert known["lmmlasso_example"].files["poppheno.csv"] == hashlib.sha256(content).hexdigest()


def test_data_sets_are_listed_and_unknown_ones_refused():
    listed = CliRunner().invoke(app, ["fetch"])
    assert listed.exit_code == 0
    assert listed.stdout.startswith("mouse_hs1940: 1,940 heterogeneous-stock mice")
    result = CliRunner().invoke(app, ["fetch", "mice"])
    assert result.exit_code == 2
    assert "(mouse_hs1940, lmmlasso_example, arabidopsis_chr5), got 'mice'" in result.stderr


DIGEST = "0" * 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[toy", "expected a registry of data sets"),
        ("toy = 1", "expected about, base and files of toy"),
        ('[toy]\nabout = ""\nbase = "ftp://x/"\nfiles = {}', "got 'ftp://x/'"),
        (f'[toy]\nabout = ""\nbase = "https://x/"\nfiles = {{"../x" = "{DIGEST}"}}', r"got '\.\./x'"),
        ('[toy]\nabout = ""\nbase = "https://x/"\nfiles = {"x" = "12"}', "got 'x' = '12'"),
        (
            f'[toy]\nabout = ""\nbase = "https://x/"\ntraits = ["a"]\nfiles = {{"x" = "{DIGEST}"}}',
            r"expected one \.fam",
        ),
        ('[toy]\nabout = ""\nrecipe = "naturalgwas"\nfiles = {}', "expected about, sources and files of toy"),
        ('[toy]\nabout = ""\nrecipe = "stew"\nsources = []\nfiles = {}', "expected a recipe .* got 'stew'"),
        (
            '[toy]\nabout = ""\nrecipe = "naturalgwas"\nsources = ["https://x/../"]\nfiles = {}',
            r"FILE as sources of toy, got 'https://x/\.\./'",
        ),
    ],
)
def test_bad_registries_are_refused(tmp_path, text, message):
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(bl.InputError, match=message):
        fetch("toy", tmp_path, registry=tmp_path / "r.toml")


def test_registries_that_cannot_be_read(site, tmp_path):
    for where in (tmp_path / "absent.toml", f"{site.address}absent.toml", "http://127.0.0.1:9/r.toml"):
        with pytest.raises(bl.InputError, match="expected a registry of data sets"):
            read_registry(where)
