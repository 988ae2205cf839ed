"""The script behind README's picture."""

from __future__ import annotations

import runpy
from pathlib import Path

import pandas as pd

SCRIPT = Path(__file__).parents[2] / "docs" / "demo_figure.py"


def test_the_picture_is_made_of_the_tables_of_a_demonstration(tmp_path):
    place = {"chrom": ["1", "1", "2", "2"], "pos": [100, 900, 50, 250_000], "snp": list("abcd")}
    inclusion = pd.DataFrame(place).assign(p_lmm=[0.5, 1e-8, 0.2, 0.9], stability=[0.0, 0.9, 0.1, 0.0])
    windows = pd.DataFrame({"chrom": ["1", "2", "2"], "start": [1, 1, 200_001], "end": [200_000, 200_000, 400_000]})
    (tmp_path / "run").mkdir()
    inclusion.to_csv(tmp_path / "run" / "inclusion.tsv", sep="\t", index=False)
    windows.assign(window_pip=[0.8, 0.1, 0.2]).to_csv(tmp_path / "run" / "windows.tsv", sep="\t", index=False)
    inclusion[["chrom", "pos", "snp"]].iloc[[1]].to_csv(tmp_path / "demo_truth.tsv", sep="\t", index=False)
    runpy.run_path(str(SCRIPT))["main"](tmp_path, tmp_path / "demo.png")
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
