"""Axes hold what the data say, in a place that they are given, and names are text."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from small_run import inclusion_frame
from test_plots import posterior_tree

from bayes_lmmlasso import Eigenbasis, InputError, fit_null_model, lasso_path, plots
from bayes_lmmlasso.cohort import read_genes
from bayes_lmmlasso.plots.style import thinned

HOSTILE = ["$x_1$", "<b>", "long" * 40]


def points(ax) -> np.ndarray:
    return np.concatenate([part.get_offsets() for part in ax.collections])


def written(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def drawn(ax) -> bytes:
    return plots.png(ax.figure, dpi=40)


def test_thinning_keeps_the_highest_and_every_point_that_is_alone():
    rng = np.random.default_rng(1)
    x, y = rng.random(100_000), rng.random(100_000) ** 8
    x[7], y[7], y[9] = 0.5, 5.0, np.nan
    kept = thinned(x, y)
    assert 7 in kept
    assert 9 not in kept
    assert len(kept) < 100_000
    assert set(np.argsort(-np.nan_to_num(y))[:50]) <= set(kept)
    np.testing.assert_array_equal(thinned(x[:8], y[:8]), np.arange(8))


def test_qq_has_every_p_against_its_expectation():
    ax = plots.qq([0.5, 0.001, np.nan, 1.0])
    np.testing.assert_allclose(points(ax)[-3:, 1], [3, np.log10(2), 0], atol=1e-12)
    np.testing.assert_allclose(points(ax)[-3:, 0], -np.log10([1 / 6, 0.5, 5 / 6]))
    with pytest.raises(InputError, match="from 0 to 1"):
        plots.qq([0.5, 2.0])


def test_snps_found_by_one_method_alone_are_named():
    table = pd.DataFrame({"snp": ["both", "none", *HOSTILE]})
    table = table.assign(stability=[0.9, 0.0, 0.9, 0.1, 0.8], pip=[0.9, 0.0, 0.0, 1.0, 0.1])
    ax = plots.stability_against_pip(table)
    assert len(written(ax)) == 3
    assert {"$x_1$", "<b>"} < set(written(ax))
    assert all(len(name) <= 20 and not text.get_parse_math() for name, text in zip(written(ax), ax.texts, strict=True))
    assert drawn(ax)


def test_region_has_its_snps_linkage_sets_and_genes(tmp_path):
    (tmp_path / "some.gff3").write_text(
        "##gff-version 3\nChr1\tx\tgene\t1500\t3500\t.\t+\t.\tID=g1;Name=FLC%20x\n"
        "Chr1\tx\tmRNA\t1500\t3500\t.\t+\t.\tID=m1\n"
        "Chr2\tx\tgene\t1500\t3500\t.\t-\t.\tID=g2\n"
    )
    genes = read_genes(tmp_path / "some.gff3")
    assert genes.to_dict("records")[0] == {"gene": "FLC x", "chrom": "1", "start": 1500, "end": 3500, "strand": "+"}
    table = inclusion_frame().assign(chrom="1")
    table.loc[:2, "snp"] = HOSTILE
    sets = pd.DataFrame({"snps": ["<b>,rs4"], "coverage": [0.97]})
    figure = Figure()
    ax = plots.region(table, "1:1,000-5,000", genes=genes, sets=sets, ax=figure.subplots(2, 2)[1, 1])
    first = points(ax)[:5]
    np.testing.assert_allclose(first, table[["pos", "pip"]].to_numpy()[:5] / [1e6, 1])
    assert ax.get_xlim() == (0.001, 0.005)
    assert ax.get_legend_handles_labels()[1] == ["set 1: 2 SNPs, 97%"]
    (track,) = ax.child_axes
    assert written(track) == ["FLC x →"]
    assert track.get_xlabel() == "position on chromosome 1 (Mb)"
    assert drawn(ax)
    for wrong, message in (("1-5", "chrom:start-end"), ("9:1-5", "got none")):
        with pytest.raises(InputError, match=message):
            plots.region(table, wrong)


def test_kinship_shows_every_pair_in_the_order_of_the_dendrogram():
    rng = np.random.default_rng(0)
    blocks = np.kron(np.eye(2), np.ones((3, 3)))[np.ix_([0, 3, 1, 4, 2, 5], [0, 3, 1, 4, 2, 5])]
    K = blocks + 0.1 * np.eye(6) + 1e-3 * np.cov(rng.normal(size=(6, 50)))
    image = plots.kinship(K).images[0].get_array()
    np.testing.assert_allclose(np.sort(image, axis=None), np.sort(K, axis=None))
    assert (image[:3, :3] > 0.9).all()
    assert (image[:3, 3:] < 0.1).all()
    ax = plots.principal_coordinates(K, ["$a$", "b"] * 3)
    assert np.ptp(points(ax)[:3, 0]) < 0.2 < abs(points(ax)[0, 0] - points(ax)[3, 0])
    assert drawn(ax)


def test_path_and_null_model_are_those_of_the_results():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(50, 6))
    y, basis = X[:, 2] + rng.normal(size=50), Eigenbasis.from_kinship(X @ X.T)
    path = lasso_path(X, y, basis, 1.0, n_active=3)
    ax = plots.lasso_path(path, [f"$s_{j}$" for j in range(6)])
    ends = {line.get_ydata()[-1] for line in ax.lines[:-1]}
    assert ends == set(path.coef_sparse.toarray()[-1][np.unique(path.coef_sparse.indices)])
    assert "$s_2$" in written(ax)
    null = fit_null_model(y, basis)
    curve = plots.null_likelihood(null).lines[0]
    np.testing.assert_allclose(
        curve.get_ydata() - curve.get_ydata().max(), null.profile - null.profile.max(), atol=1e-9
    )


def test_predictions_outside_their_intervals_are_counted():
    table = pd.DataFrame({"mean": [1.0, 2.0, 3.0, 9.0], "lo": 0.0, "hi": 2.5})
    ax = plots.predicted(table, [1.0, 2.0, 3.0, np.nan], unit="$cm$")
    assert ax.get_title(loc="left") == "r = 1.00, 67% of 3 samples in their intervals"
    assert ax.get_xlabel() == "observed ($cm$)"
    assert drawn(ax)


def test_curves_have_their_bands():
    line = {
        "method": "a",
        "curve": "precision_by_recall",
        "x": [0.1, 0.9],
        "y": [0.9, 0.5],
        "lo": [0.8, 0.4],
        "hi": 1.0,
    }
    ax = plots.precision_recall(pd.DataFrame(line))
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [0.9, 0.5])
    band = ax.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (0.4, 1.0)


def test_chains_are_drawn_into_the_axes_given():
    tree = posterior_tree(chains=3)
    grid = Figure().subplots(2, 2)
    for draw, ax in ((plots.trace, grid[0, 0]), (plots.ranks, grid[0, 1]), (plots.ecdf, grid[1, 0])):
        assert draw(tree, "h", ax=ax) is ax
        assert len(ax.lines) >= 3
        assert len({line.get_color() for line in ax.lines}) >= 3
    plots.variance_shares(tree, ax=grid[1, 1])
    with pytest.raises(InputError, match="among log_v, h, rho"):
        plots.trace(tree, "nothing")


def test_dark_figures_are_dark_and_leave_no_trace():
    before = dict(mpl.rcParams)
    with plots.dark():
        dark = plots.qq([0.2, 0.3]).figure.get_facecolor()
    assert sum(dark[:3]) < 0.5
    assert plots.qq([0.2, 0.3]).figure.get_facecolor() == (1, 1, 1, 1)
    assert dict(mpl.rcParams) == before
