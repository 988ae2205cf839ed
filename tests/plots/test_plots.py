"""The figures draw what the tables say, for awkward tables too."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from small_run import inclusion_frame

from bayes_lmmlasso.plots import effects_figure, manhattan_figure, trace_figure, variance_figure
from bayes_lmmlasso.plots.style import png
from bayes_lmmlasso.posterior.summaries.shares import share_draws, share_table


def posterior_tree(chains=3, draws=30, **fixed):
    rng = np.random.default_rng(11)
    sites = {name: rng.random((chains, draws)) for name in ("log_v", "h", "rho", "pve", "pge")}
    sites |= {name: np.full((chains, draws), value) for name, value in fixed.items()}
    group = xr.Dataset({name: (("chain", "draw"), x) for name, x in sites.items()})
    group = group.assign_coords(chain=range(chains), draw=range(draws))
    tree = xr.DataTree.from_dict({"posterior": group})
    tree.attrs["hyper"] = ["log_v", "h", "rho"]
    return tree


def drawn(figure) -> bytes:
    return png(figure, dpi=40)


def test_manhattan_shows_a_scan_down_to_p_of_0():
    table = inclusion_frame().assign(p_lmm=np.geomspace(1.0, 1e-30, 40))
    table.loc[3, "p_lmm"], table.loc[5, "p_lmm"] = 0.0, np.nan
    figure = manhattan_figure(table, 0.6)
    points = np.concatenate([part.get_offsets() for part in figure.axes[2].collections])
    p = table["p_lmm"].dropna()
    expected = np.where(p == 0.0, 300.0, -np.log10(p.where(p > 0.0)))
    np.testing.assert_allclose(np.sort(points[:, 1]), np.sort(expected))
    assert drawn(figure)


def test_manhattan_has_both_panels_along_one_genome():
    table = inclusion_frame()
    figure = manhattan_figure(table, 0.6)
    upper, lower = figure.axes
    for axes, column in ((upper, "stability"), (lower, "pip")):
        points = np.concatenate([part.get_offsets() for part in axes.collections])
        np.testing.assert_allclose(np.sort(points[:, 1]), np.sort(table[column]))
        assert len(np.unique(points[:, 0])) == len(table)
    assert [text.get_text() for text in lower.get_xticklabels()] == ["1", "2", "X"]
    assert upper.get_ylabel().startswith("stability frequency")
    assert upper.lines[0].get_ydata()[0] == 0.6


def test_windows_stand_first_by_their_bayes_factor_at_their_top_snp():
    table = inclusion_frame()
    windows = pd.DataFrame({"top_snp": ["rs3", "rs21", "rs30"], "bayes_factor": [1e3, 0.1, 1.0]})
    figure = manhattan_figure(table, 0.6, windows)
    first, stability, _ = figure.axes
    points = np.concatenate([part.get_offsets() for part in first.collections])
    points = points[~np.isnan(points[:, 1])]
    where = np.concatenate([part.get_offsets() for part in stability.collections])
    np.testing.assert_allclose(sorted(points[:, 1]), [-1, 0, 3], atol=1e-12)
    assert points[points[:, 1] == 3, 0] == where[where[:, 1] == table["stability"][3], 0]
    assert first.get_ylim()[0] < -1
    assert first.lines[0].get_ydata()[0] == 0
    assert stability.lines[0].get_ydata()[0] == 0.6
    assert drawn(figure)
    assert len(manhattan_figure(table, 0.6, windows.assign(bayes_factor=np.nan)).axes) == 2


@pytest.mark.parametrize("change", ["no positions", "one SNP", "mathtext", "many chromosomes", "all zero"])
def test_awkward_tables_are_drawn(change):
    table = inclusion_frame()
    if change == "no positions":
        table["pos"] = 0
    elif change == "one SNP":
        table = table.iloc[:1]
    elif change == "mathtext":
        table["snp"] = table["chrom"] = "$x_{"
    elif change == "many chromosomes":
        table["chrom"] = [f"scaffold_{j}" for j in range(len(table))]
    else:
        table[["stability", "pip", "beta_map"]] = 0.0
    assert drawn(manhattan_figure(table, 0.6))
    assert drawn(effects_figure(table))


def test_snp_order_takes_the_place_of_unknown_positions():
    table = inclusion_frame().assign(pos=0)
    x = np.concatenate([part.get_offsets()[:, 0] for part in manhattan_figure(table, 0.6).axes[0].collections])
    assert len(np.unique(x)) == len(table)


def test_effects_show_the_largest_of_both_estimates():
    table = inclusion_frame()
    shown = {text.get_text().split()[0] for text in effects_figure(table, n_top=3).axes[0].get_yticklabels()}
    for column in ("beta_map", "beta_mean"):
        assert set(table.loc[table[column].abs().nlargest(3).index, "snp"]) <= shown


def test_one_line_for_each_chain_and_parameter():
    figure = trace_figure(posterior_tree(chains=7))
    assert [len(axes.lines) for axes in figure.axes] == [7] * 10
    assert drawn(trace_figure(posterior_tree(chains=1, h=0.5)))


def test_shares_of_variance_add_up():
    tree = posterior_tree()
    assert np.allclose(sum(share_draws(tree).values()), 1)
    table = share_table(tree)
    assert (table["lo"] <= table["median"]).all()
    assert (table["median"] <= table["hi"]).all()
    labels = [text.get_text() for text in variance_figure(tree).axes[0].get_yticklabels()]
    assert labels == ["noise", "polygenic background", "SNP effects"]
    assert drawn(variance_figure(posterior_tree(pve=0.5, pge=1.0)))


def test_equal_tables_give_equal_bytes_whatever_the_users_style():
    first = drawn(manhattan_figure(inclusion_frame(), 0.6))
    with mpl.rc_context({"font.size": 20, "axes.spines.top": True}):
        assert drawn(manhattan_figure(inclusion_frame(), 0.6)) == first
