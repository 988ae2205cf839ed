"""Colour-blind readers tell classes apart, and text stands out from its page."""

from __future__ import annotations

from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE

from bayes_lmmlasso.plots.style import DARK, LIGHT

APART = 10.0  # difference in CAM02-UCS, where 1 is about the least that is seen
CONTRAST = 4.5  # WCAG 2.2, 1.4.3
SIGHTS = (None, "deuteranomaly", "protanomaly", "tritanomaly")  # of severity 100: Machado et al. 2009


def seen(colour: str, sight: str | None) -> np.ndarray:
    rgb = np.array(mpl.colors.to_rgb(colour))
    if sight is None:
        return rgb
    return np.clip(cspace_convert(rgb, {"name": "sRGB1+CVD", "cvd_type": sight, "severity": 100}, "sRGB1"), 0, 1)


def luminance(colour: str) -> float:
    rgb = np.array(mpl.colors.to_rgb(colour))
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_classes_that_stand_together_stay_apart(theme, sight):
    for together in (theme.classes, theme.chromosomes, theme.linkage, (theme.prior, theme.posterior)):
        for one, other in combinations(together, 2):
            assert deltaE(seen(one, sight), seen(other, sight), input_space="sRGB1") > APART, (one, other)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out_from_its_page(theme):
    for colour in (theme.text, theme.muted, theme.accent):
        assert contrast(colour, theme.background) >= CONTRAST
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)  # WCAG's own example


def test_colours_that_deuteranopes_confuse_would_not_pass():
    assert deltaE(seen("#CC79A7", "deuteranomaly"), seen("#9CA3AF", "deuteranomaly"), input_space="sRGB1") < APART
