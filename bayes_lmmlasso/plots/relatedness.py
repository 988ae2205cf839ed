"""Who is related to whom: the kinship as a heat map with its dendrogram, and as principal coordinates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from scipy.cluster.hierarchy import dendrogram, linkage
from scipy.spatial.distance import squareform

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.kinship import check_matrix
from bayes_lmmlasso.plots.style import axes_for, palette, short, styled, theme

__all__ = ["kinship", "principal_coordinates"]

_MARKERS = "osD^vP"


@styled
def kinship(K: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw a kinship as a heat map, samples in the order of the dendrogram above it.

    The dendrogram is average linkage (UPGMA) of the distance sqrt(K_ii + K_jj - 2 K_ij). Colours reach from the 1st
    to the 99th percentile of the kinships between samples.

    Parameters
    ----------
    K
        Kinship, shape ``(n, n)``.
    ax
        Axes to draw into, the dendrogram in the upper fifth of their place; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Those of the heat map.

    Raises
    ------
    InputError
        If it is no symmetric matrix of two samples or more.

    Examples
    --------
    >>> import bayes_lmmlasso as bl, numpy as np
    >>> ax = bl.plots.kinship(np.eye(4) + 0.5)
    >>> ax.images[0].get_array().shape
    (4, 4)
    """
    matrix = _checked(K)
    ax = axes_for(ax, 4.8, 5.2)
    squared = np.maximum(np.diag(matrix)[:, None] + np.diag(matrix) - 2 * matrix, 0)
    np.fill_diagonal(squared, 0)
    tree = linkage(squareform(np.sqrt((squared + squared.T) / 2), checks=False), "average")
    drawn = dendrogram(tree, no_plot=True)
    order = np.array(drawn["leaves"])
    lo, hi = np.quantile(matrix[~np.eye(len(matrix), dtype=bool)], [0.01, 0.99])
    hi = hi if hi > lo else lo + 1.0
    image = ax.imshow(matrix[np.ix_(order, order)], cmap="cividis", vmin=lo, vmax=hi, aspect="auto")
    ax.set_xlabel(f"samples ({len(matrix):,}), in the order of the dendrogram")
    ax.set_xticks([])
    ax.set_yticks([])
    above = ax.inset_axes((0, 1.01, 1, 0.22))
    for x, y in zip(drawn["icoord"], drawn["dcoord"], strict=True):
        above.plot(np.array(x) / 10 - 0.5, y, color=theme().text, linewidth=0.5)
    above.set_xlim(-0.5, len(matrix) - 0.5)
    above.set_ylim(bottom=0)
    above.set_xticks([])
    above.set_ylabel("distance")
    above.spines["bottom"].set_visible(False)
    bar = ax.inset_axes((1.02, 0, 0.04, 1))
    ax.figure.colorbar(image, cax=bar, extend="both", label="kinship")
    return ax


@styled
def principal_coordinates(
    K: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    components: tuple[int, int] = (1, 2),
    ax: Axes | None = None,
) -> Axes:
    """Draw samples by principal coordinates of their kinship, with the share of its variance that each has.

    The eigenvectors of P K P, P = I - 11'/n, each times the root of its eigenvalue (Gower 1966,
    doi:10.1093/biomet/53.3-4.325).

    Parameters
    ----------
    K
        Kinship, shape ``(n, n)``.
    groups
        A label, by which samples are coloured, or a number for each, which is coloured by its size; shape ``(n,)``.
    components
        Which coordinates, counted from 1.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If it is no symmetric matrix of two samples or more, or the groups are not as many.

    Examples
    --------
    >>> import bayes_lmmlasso as bl, numpy as np
    >>> bl.plots.principal_coordinates(np.diag([3.0, 2.0, 1.0])).get_xlabel()
    'principal coordinate 1 (64.4% of the variance)'
    """
    matrix = _checked(K)
    n = len(matrix)
    labels = None if groups is None else pd.Series(np.asarray(groups))
    if labels is not None and len(labels) != n:
        raise InputError(f"expected a group for each of {n} samples, got {len(labels)}: give one each")
    centred = matrix - matrix.mean(axis=0) - matrix.mean(axis=1)[:, None] + matrix.mean()
    values, vectors = np.linalg.eigh(centred)
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    if not all(1 <= k <= n for k in components):
        raise InputError(f"expected components from 1 to {n}, got {components}: choose others")
    ax = axes_for(ax, 3.8, 4.8)
    x, y = (vectors[:, k - 1] * np.sqrt(values[k - 1]) for k in components)
    if labels is None or pd.api.types.is_numeric_dtype(labels):
        colour = theme().posterior if labels is None else labels.to_numpy(float)
        shades = None if labels is None else "cividis"
        points = ax.scatter(x, y, s=16, c=colour, cmap=shades, linewidths=0, alpha=0.85)
        if labels is not None:
            ax.figure.colorbar(points, cax=ax.inset_axes((1.02, 0, 0.04, 1)))
    else:
        for k, (name, tint) in enumerate(palette(labels.astype(str)).items()):
            on = (labels.astype(str) == name).to_numpy()
            marker = _MARKERS[k // len(theme().classes) % len(_MARKERS)]
            ax.scatter(x[on], y[on], s=18, color=tint, marker=marker, linewidths=0, label=short(name))
        legend = ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
        for text in legend.get_texts():
            text.set_parse_math(False)
    share = values / (values.sum() or 1.0)
    ax.set_xlabel(f"principal coordinate {components[0]} ({share[components[0] - 1]:.1%} of the variance)")
    ax.set_ylabel(f"principal coordinate {components[1]} ({share[components[1] - 1]:.1%})")
    return ax


def _checked(K: ArrayLike) -> NDArray[np.float64]:
    """Return a kinship of at least two samples."""
    matrix = check_matrix(K, None)
    if len(matrix) < 2:
        raise InputError("expected the kinship of two samples or more, got one: give all")
    return matrix
