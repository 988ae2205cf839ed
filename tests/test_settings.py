"""Settings: one description of a knob for the command line, files and Python; one sentence for what is wrong."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pytest
import typer
from pydantic.fields import FieldInfo
from typer.testing import CliRunner

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.options import Command, Commands, takes_groups
from bayes_lmmlasso.run.commands.simulate import SimulationSettings
from bayes_lmmlasso.run.settings import (
    DataSettings,
    LassoSettings,
    RunSettings,
    SamplingSettings,
    SeedSettings,
    WindowSettings,
)
from bayes_lmmlasso.settings import Settings, knob, shown
from bayes_lmmlasso.studies.file import KINDS


class Garden(Settings):
    """A group with every kind of field."""

    plot: Path = knob(..., "Plan of the beds.", metavar="FILE")
    rows: int = knob(3, "Rows of beds.", at_least=1, remedy="three is usual")
    shade: float = knob(0.5, "Share in the shade.", at_least=0, at_most=1)
    depth: float | None = knob(None, "Depth in m.", at_least=0, unset="as the soil needs")
    slope: float = knob(0.1, "Slope.", between=(0, 1))
    crop: Literal["bean", "pea"] = knob("bean", "What grows.", choices=("bean", "pea"))
    fence: bool = knob(False, "Build a fence.")


class Year(Garden):
    """Lists, as files have them."""

    months: tuple[int, ...] = knob((), "Months of harvest.", at_least=1, at_most=12)
    tools: tuple[str, ...] = knob((), "Tools.", choices=("rake", "spade"))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "expected plot, got none: add it"),
        ({"plot": 3}, "expected plot to be a path, got 3: correct it"),
        ({"rows": 0}, "expected rows of at least 1, got 0: three is usual"),
        ({"rows": "4"}, "expected rows to be a whole number, got '4': correct it"),
        ({"rows": True}, "expected rows to be a whole number, got True: correct it"),
        ({"rows": 2.5}, "expected rows to be a whole number, got 2.5: correct it"),
        ({"shade": 1.5}, "expected shade between 0 and 1, got 1.5: give a share"),
        ({"shade": float("nan")}, "expected shade between 0 and 1, got nan: give a share"),
        ({"depth": -1}, "expected depth of at least 0, got -1: give a larger number"),
        ({"slope": 1.0}, "expected slope between 0 and 1, got 1: give a number between these"),
        ({"crop": "rye"}, "expected crop to be one of bean, pea, got 'rye': choose one of these"),
        ({"months": 5}, "expected months to be a list, got 5: put it in brackets"),
        ({"months": [5, 13]}, "expected months of at most 12, got 13: give a smaller number"),
        ({"months": ["May"]}, "expected months to be"),
        ({"tools": ["rake", "axe"]}, "expected tools to be one of rake, spade, got 'axe': choose one of these"),
        ({"toolz": []}, "expected keys among plot, rows, shade, depth, slope, crop, fence, months, tools, got 'toolz'"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(values, sentence):
    given = values if values == {} else {"plot": "plan.txt"} | values
    with pytest.raises(InputError) as caught:
        Year.read(given)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_values_of_a_file_and_of_numpy_are_taken():
    group = Year.read(
        {"plot": "plan.txt", "rows": np.int64(4), "shade": np.float32(0.25), "depth": 2, "months": [5, 6]},
        folder=Path("/fields"),
    )
    assert group.plot == Path("/fields/plan.txt")
    assert type(group.rows) is int
    assert group.shade == 0.25
    assert group.depth == 2.0
    assert group.months == (5, 6)


def test_paths_of_a_file_may_name_variables(monkeypatch):
    monkeypatch.setenv("FIELDS", "/fields")
    assert Garden.read({"plot": "$FIELDS/a"}, folder=Path("/x")).plot == Path("/fields/a")
    with pytest.raises(InputError, match=r"environment variables that are set, got '.NO_SUCH_FIELD/a'"):
        Garden.read({"plot": "$NO_SUCH_FIELD/a"}, folder=Path("/x"))


def test_groups_are_frozen_hashable_and_cross_processes():
    group = Year(plot=Path("a"), tools=("rake",))
    with pytest.raises(Exception, match="frozen"):
        group.rows = 5
    assert hash(group) == hash(Year(plot=Path("a"), tools=("rake",)))
    assert pickle.loads(pickle.dumps(group)) == group


def test_a_command_has_an_option_for_each_field():
    app = typer.Typer(cls=Commands, rich_markup_mode=None)
    made = []

    @app.command(cls=Command)
    @takes_groups
    def dig(garden: Garden, quick: bool = False) -> None:
        """Dig."""
        made.append((garden, quick))

    @app.command(cls=Command)
    @takes_groups
    def rest() -> None:
        """Rest."""

    text = " ".join(CliRunner().invoke(app, ["dig", "--help"]).stdout.split())
    assert "--plot FILE Plan of the beds. [required]" in text
    assert "--depth <float> Depth in m. [default: (as the soil needs)]" in text
    assert "--crop bean|pea What grows. [default: bean]" in text
    assert "--fence Build a fence." in text
    done = CliRunner().invoke(app, ["dig", "--plot", "a", "--rows", "7", "--fence", "--crop", "pea"])
    assert done.exit_code == 0, done.output
    assert made == [(Garden(plot=Path("a"), rows=7, fence=True, crop="pea"), False)]
    refused = CliRunner().invoke(app, ["dig", "--plot", "a", "--rows", "0"])
    assert refused.exit_code == 2
    assert refused.stderr == "Error: expected --rows of at least 1, got 0: three is usual\n"
    twice = CliRunner().invoke(app, ["dig", "--plot", "a", "--rows", "1", "--rows=1"])
    assert twice.exit_code == 2
    assert twice.stderr == "Error: expected --rows once, got it 2 times: give it once\n"


def test_options_by_name_find_their_groups(tmp_path):
    files = {"bfile": tmp_path / "g", "pheno": tmp_path / "p.tsv", "trait": "height"}
    settings = RunSettings.of(**files, n_active=7, chains=2, seed=4, window="ld", maf=0.2)
    assert settings.data == DataSettings(**files, maf=0.2)
    assert settings.lasso == LassoSettings(n_active=7)
    assert settings.sampling == SamplingSettings(chains=2)
    assert (settings.windows.window, settings.random.seed) == ("ld", 4)
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in settings.options().items()}
    assert RunSettings.of(**plain) == settings  # as run.json has them
    assert settings.with_options(chains=3).sampling.chains == 3
    with pytest.raises(InputError, match=r"expected options among bfile, .*, got 'chain': remove or correct it"):
        RunSettings.of(**files, chain=3)


def test_no_option_belongs_to_two_groups():
    names = [name for field in RunSettings.model_fields.values() for name in field.annotation.model_fields]
    assert len(names) == len(set(names))


def _numbers(group: type[Settings]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the fields of a group, and of all made from it, that take numbers."""
    for name, field in group.model_fields.items():
        kinds = {field.annotation, *get_args(field.annotation)}
        if kinds & {int, float} and group.__module__.startswith("bayes_lmmlasso."):
            yield f"{group.__name__}.{name}", field
    for made in group.__subclasses__():
        yield from _numbers(made)


assert {"simulation", "dissection"} <= KINDS.keys()  # imported, so that their groups are known
NUMBERS = dict(_numbers(Settings))


def test_the_numbers_of_every_group_are_found():
    assert {
        "SeedSettings.seed",
        "SamplingSettings.draws",
        f"{SimulationSettings.__name__}.samples",
        "StudyHead.seed",
    } <= NUMBERS.keys()


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_limits(name):
    least, most = shown(NUMBERS[name], "between") or (shown(NUMBERS[name], "at_least"), shown(NUMBERS[name], "at_most"))
    assert least is not None
    assert least < most < np.inf


@pytest.mark.parametrize(
    ("group", "values", "sentence"),
    [
        (SeedSettings, {"seed": 2**63}, "expected seed of at most 9223372036854775807, got 9223372036854775808"),
        (SamplingSettings, {"draws": 10**9}, "expected draws of at most 10000000, got 1000000000: give a smaller"),
        (LassoSettings, {"subsample_fraction": float("nan")}, "expected subsample_fraction between 0 and 1, got nan"),
        (WindowSettings, {"window": "0snps"}, "expected a window such as '1Mb'"),
        (WindowSettings, {"window": "1e9Mb"}, "expected a window such as '1Mb'"),
        (WindowSettings, {"window": "99999999999Mb"}, "expected a window shorter than a genome"),
        (WindowSettings, {"window": "9999999999snps"}, "expected a window shorter than a genome"),
    ],
)
def test_absurd_values_are_refused(group, values, sentence):
    with pytest.raises(InputError) as caught:
        group.read(values)
    assert str(caught.value).startswith(sentence)


def test_the_largest_seed_is_taken():
    assert SeedSettings(seed=2**63 - 1).seed == 2**63 - 1
