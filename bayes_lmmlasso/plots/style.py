"""One visual language for all figures: colours that colour-blind readers tell apart, on a light or a dark page.

Classes have the colours of Okabe and Ito (2008, https://jfly.uni-koeln.de/color/) and a brown; a test simulates the
three kinds of colour blindness and asserts that classes that stand together stay apart. Text reaches the contrast of
4.5 that WCAG 2.2 asks for (https://www.w3.org/TR/WCAG22/#contrast-minimum). Figures are built without pyplot, so no
window system and no global figure list is involved.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import check_type

__all__ = [
    "DARK",
    "LIGHT",
    "Theme",
    "axes_for",
    "dark",
    "figure_of",
    "note",
    "palette",
    "png",
    "short",
    "styled",
    "theme",
    "thinned",
]

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BROWN = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#8B5E3C",
)
WIDTH = 9.5  # of a figure of a report, in inches
_ALL = 20_000  # points that are all drawn
_CELLS = 1600, 600  # cells of a panel, of which one point each is drawn


@dataclass(frozen=True)
class Theme:
    """Colours of a page.

    Attributes
    ----------
    background, text, muted, accent
        The page; text; text and lines of less weight; text and lines that point something out.
    grid
        Lines that may be overlooked.
    classes
        Colours of methods, chains and groups, in the order in which they take them.
    chromosomes
        Colours that chromosomes take in turn.
    prior, posterior
        What was expected, and what was found.
    linkage
        From r2 = 0 to 1, in fifths.
    """

    background: str
    text: str
    muted: str
    accent: str
    grid: str
    classes: tuple[str, ...]
    chromosomes: tuple[str, str] = (BLUE, SKY)
    prior: str = "#8A919E"
    posterior: str = BLUE
    linkage: tuple[str, ...] = ("#B8BEC8", SKY, GREEN, ORANGE, RED)

    @property
    def settings(self) -> Any:
        """Matplotlib's settings."""
        return {
            "font.family": "DejaVu Sans",
            "font.size": 9.0,
            "axes.titlesize": 10.0,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": self.muted,
            "axes.facecolor": self.background,
            "axes.labelcolor": self.text,
            "axes.titlecolor": self.text,
            "axes.prop_cycle": cycler(color=self.classes),
            "figure.facecolor": self.background,
            "legend.frameon": False,
            "legend.labelcolor": self.text,
            "text.color": self.text,
            "xtick.color": self.muted,
            "xtick.labelcolor": self.text,
            "ytick.color": self.muted,
            "ytick.labelcolor": self.text,
        }


LIGHT = Theme(
    background="#FFFFFF",
    text="#1F2937",
    muted="#5F6672",
    accent="#A84300",
    grid="#E5E7EB",
    classes=(BLUE, ORANGE, GREEN, RED, PURPLE, SKY, "#000000", BROWN),
)
DARK = Theme(
    background="#15181E",
    text="#E6E8EB",
    muted="#A7AFBC",
    accent="#FF9A52",
    grid="#323843",
    classes=(BLUE, ORANGE, GREEN, RED, PURPLE, SKY, "#F3F4F6", BROWN),
    linkage=("#5B6472", SKY, GREEN, ORANGE, RED),
)
_THEME: ContextVar[Theme] = ContextVar("theme", default=LIGHT)


def theme() -> Theme:
    """Return the colours that figures take at present."""
    return _THEME.get()


@contextmanager
def dark() -> Iterator[None]:
    """Draw figures for a dark page.

    Returns
    -------
    contextlib.AbstractContextManager
        Within it figures are drawn, and written, for a dark page.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> with bl.plots.dark():
    ...     ax = bl.plots.qq([0.2, 0.01, 0.7])
    ...     data = bl.plots.png(ax.figure)
    """
    token = _THEME.set(DARK)
    try:
        yield
    finally:
        _THEME.reset(token)


def styled[**P, T](draw: Callable[P, T]) -> Callable[P, T]:
    """Draw in the house style, whatever the user's own Matplotlib settings."""

    @wraps(draw)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        with mpl.rc_context(theme().settings):
            return draw(*args, **kwargs)

    return wrapped


def axes_for(ax: Axes | None, height: float = 3.2, width: float = 6.4) -> Axes:
    """Return the axes given, or those of a new figure of a size in inches."""
    if ax is not None:
        given = check_type(ax, Axes, "Matplotlib axes", "pass ax=, or nothing for a figure of its own")
        given.spines[["top", "right"]].set_visible(False)
        return given
    axes: Axes = Figure(figsize=(width, height), layout="constrained").subplots()
    return axes


def figure_of(ax: Axes) -> Figure:
    """Return the whole figure that axes stand in."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def palette(names: Any) -> dict[str, str]:
    """Return a colour for every name, in order of appearance."""
    colours = theme().classes
    return {str(name): colours[place % len(colours)] for place, name in enumerate(dict.fromkeys(names))}


def png(figure: Any, dpi: int = 130) -> bytes:
    """Return a figure as PNG, in the house style (ticks are made late) and without varying metadata.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Any figure, such as ``ax.figure``.
    dpi
        Dots an inch.

    Returns
    -------
    bytes
        The file.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.plots.png(bl.plots.qq([0.2, 0.01, 0.7]).figure)[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    with mpl.rc_context(theme().settings):
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def short(name: Any, most: int = 28) -> str:
    """Return a name that fits a figure: the middle of a long one is left out."""
    text = str(name)
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2 - 1) :]}"


def note(ax: Axes, text: str, place: tuple[float, float], **options: Any) -> None:
    """Write plain text, in which no character has a meaning of its own, at a place in the units of the data."""
    ax.annotate(text, place, **{"textcoords": "offset points", "fontsize": 7.5, "parse_math": False, **options})


def thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return which points to draw, shape ``(m,)``: of many within a fraction of a pixel the highest, NaN never."""
    shown = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if shown.size <= _ALL:
        return shown
    cell = np.zeros(shown.size, dtype=np.int64)
    for values, size in ((x[shown], _CELLS[0]), (y[shown], _CELLS[1])):
        spread = np.ptp(values) or 1.0
        cell = cell * size + ((values - values.min()) / spread * (size - 1)).astype(np.int64)
    order = np.lexsort((-y[shown], cell))
    first = np.ones(order.size, dtype=bool)
    first[1:] = np.diff(cell[order]) > 0
    return np.sort(shown[order[first]])
