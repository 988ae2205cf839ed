"""What records of studies of calibration come to, as rows of tables in Markdown."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

import bayes_lmmlasso as bl

__all__ = ["markdown", "planted_tables", "sbc_row"]

BINS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
R_HAT = 1.05
FEW = 10  # replicates of a setting, items of a bin, or sets, below which they are not shown
Records = list[dict]


def markdown(rows: Records) -> str:
    """A table of rows with the same keys: numbers to the right, three digits."""
    head = list(rows[0])
    numbers = [all(isinstance(row[key], int | float) for row in rows) for key in head]
    body = [" | ".join(_cell(row[key]) for key in head) for row in rows]
    rule = " | ".join("---:" if number else "---" for number in numbers)
    return "\n".join(f"| {line} |" for line in (" | ".join(head), rule, *body)) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def sbc_row(name: str, lines: Records) -> dict:
    """Worst of the quantities of a setting, its p-value, and that times their number."""
    draws = lines[0]["draws"]
    ranks = {name: np.concatenate([line["ranks"][name] for line in lines]) for name in lines[0]["ranks"]}
    p = pd.Series({name: bl.compare.rank_uniformity(values, draws) for name, values in ranks.items()})
    lag = [max(np.mean([line["lag_one"][name] for line in lines]) for name in ranks)] if "lag_one" in lines[0] else []
    return {
        "setting": name,
        "replicates": len(ranks["h"]),
        "quantities": len(p),
        "worst quantity": p.idxmin(),
        "its mean rank": float(ranks[p.idxmin()].mean() / draws),
        "p": float(p.min()),
        "p x quantities": float(min(1, p.min() * len(p))),
        "largest autocorrelation of draws": "".join(f"{value:.2f}" for value in lag),
    }


def planted_tables(found: dict[str, Records]) -> dict[str, Records]:
    """Title -> rows."""
    found = {name: records for name, records in found.items() if len(records) >= FEW}
    own = {name: records for name, records in found.items() if name.endswith("/prior")}
    plain = own | {name: records for name, records in found.items() if name.endswith("/fixed")}
    return {
        "Coverage of 95% intervals, %, plus or minus its standard error": [_coverage(*item) for item in found.items()],
        f"The same, of replicates with R-hat below {R_HAT}": [_coverage(*item) for item in _converged(found).items()],
        "pip against realised inclusion": _by_bin(own, "pip", _snps_in),
        "window_pip against realised inclusion": _by_bin(own, "window_pip", lambda record: record["window_causal"]),
        "False discovery rates, claimed and realised": [row for item in plain.items() for row in _fdr(*item)],
        "Credible sets": [row for item in plain.items() for row in _sets(*item)],
        "Stability selection: false selections and their bounds": [_stability(*item) for item in plain.items()],
    }


def _coverage(name: str, records: Records) -> dict:
    """Share of intervals that hold the truth; replicates are independent, intervals of one are not."""
    row: dict = {"setting": name, "replicates": len(records)}
    for quantity in COVERED:
        counts = np.array([record["covered"].get(quantity, (0, 0)) for record in records], float)
        hits, total = counts.sum(axis=0)
        if total == 0:
            row[quantity] = ""
            continue
        error = np.sqrt(np.square(counts[:, 0] - hits / total * counts[:, 1]).sum()) / total
        row[quantity] = f"{100 * hits / total:.1f} ± {100 * error:.1f}"
    return row


def _converged(found: dict[str, Records]) -> dict[str, Records]:
    """The replicates whose chains agree: that depends on the data alone, so that these must be calibrated too."""
    agreed = {name: [record for record in records if record["r_hat"] < R_HAT] for name, records in found.items()}
    return {name: records for name, records in agreed.items() if records}


COVERED = (
    "effects of all SNPs",
    "effects, pip > 0.1",
    "effects, pip > 0.5",
    "effect of the top SNP",
    "pve",
    "share of SNP effects",
    "share of polygenic background",
    "h",
    "rho",
    "log_pi",
    "n_included",
    "predictions",
)


def _snps_in(record: dict) -> np.ndarray:
    truth = np.zeros(len(record["pip"]), bool)
    truth[record["causal"]] = True
    return truth


def _items(records: Records, key: str, truth) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, truths and replicates of all items."""
    probability = [record[key] for record in records]
    label = np.repeat(np.arange(len(records)), [len(values) for values in probability])
    return np.concatenate(probability), np.concatenate([truth(record) for record in records]), label


def _by_bin(found: dict[str, Records], key: str, truth) -> Records:
    rows = []
    for name, records in found.items():
        curve = bl.compare.calibration_curve(*_items(records, key, truth), edges=BINS)
        rows += [
            {
                "setting": name,
                key: f"{row.lower:g} to {row.upper:g}",
                "items": int(row.n),
                "claimed": round(row.mean_, 3),
                "realised": round(row.observed, 3),
                "95% band": f"{row.lo:.3f} to {row.hi:.3f}",
            }
            for row in curve.bins.rename(columns={"mean": "mean_"}).itertuples()
            if row.n >= FEW
        ]
    return rows


def _fdr(name: str, records: Records) -> Records:
    """Of SNPs and of windows."""
    rows = []
    for what, key, truth in (("SNPs", "pip", _snps_in), ("windows", "window_pip", lambda r: r["window_causal"])):
        table = bl.compare.fdr_calibration(*_items(records, key, truth), levels=(0.05, 0.1, 0.2))
        rows += [
            {
                "setting": name,
                "discoveries": what,
                "claimed": row.claimed,
                "expected": round(row.expected, 3),
                "realised": round(row.realised, 3),
                "95% interval": f"{row.lo:.3f} to {row.hi:.3f}",
                "a replicate": round(row.n_selected, 2),
            }
            for row in table.itertuples()
        ]
    return rows


def _sets(name: str, records: Records) -> Records:
    sets = [each for record in records for each in record["sets"]]
    if len(sets) < FEW:
        return []
    size, claimed, holds = np.array(sets, float).T
    counts = np.array([(sum(s[2] for s in record["sets"]), len(record["sets"])) for record in records], float)
    error = np.sqrt(np.square(counts[:, 0] - holds.mean() * counts[:, 1]).sum()) / len(sets)
    quantile = partial(np.quantile, size)
    return [
        {
            "setting": name,
            "sets": len(sets),
            "SNPs: median": float(quantile(0.5)),
            "90% have at most": float(quantile(0.9)),
            "claimed coverage": round(claimed.mean(), 3),
            "realised": f"{holds.mean():.3f} ± {error:.3f}",
        }
    ]


def _stability(name: str, records: Records) -> dict:
    table = pd.DataFrame([record["stability"] for record in records])
    mean, error = table.mean(), table.std() / np.sqrt(len(table))
    return {
        "setting": name,
        "selected": round(mean.selected, 2),
        "false": f"{mean.false:.2f} ± {error.false:.2f}",
        "false and far from causal SNPs": f"{mean.far:.2f} ± {error.far:.2f}",
        "bound of Meinshausen and Bühlmann": round(mean.meinshausen_buehlmann, 2),
        "unimodal": round(mean.unimodal, 2),
        "r-concave": round(mean.r_concave, 2),
    }
