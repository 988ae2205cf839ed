"""Claim: posteriors are calibrated, of every model and sampler, on made and on real genotypes.

    python3 -m uv run python benchmarks/calibration.py sbc --work DIR [--replicates 1000] [--only laplace/nuts]
    BAYES_LMMLASSO_DATA=... python3 -m uv run python benchmarks/calibration.py posterior --work DIR [--replicates 500]
    BAYES_LMMLASSO_DATA=... python3 -m uv run python benchmarks/calibration.py planted --work DIR [--replicates 200]
    python3 -m uv run python benchmarks/calibration.py table --work DIR

Each study appends what it finds, replicate by replicate, to files in DIR and passes over what is there: stop it and
start it again at will, or split it by ``--only``, the name of a setting or the beginning of several. ``table`` writes
``benchmarks/calibration.md`` and the end of ``docs/calibration.md``, the same from the same files.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from calibration_planted import PLANTED, replicate_planted
from calibration_sbc import CASES, POSTERIOR_CASES, posterior_ranks, prior_ranks
from calibration_tables import markdown, planted_tables, sbc_row

PAGE, HEAD = Path(__file__).parents[1] / "docs" / "calibration.md", "## Tables\n"
Study = Callable[[str, int, set[int]], Iterator[dict]]
STUDIES: dict[str, tuple[tuple[str, ...], Study, int]] = {
    "sbc": (tuple(CASES), prior_ranks, 1000),
    "posterior": (tuple(POSTERIOR_CASES), posterior_ranks, 500),
    "planted": (tuple(PLANTED), replicate_planted, 200),
}


def lines(work: Path, study: str, name: str) -> list[dict]:
    """What is there of a setting, in order; a line that a stop has cut off is left out."""
    path = work / study / f"{name.replace('/', '_')}.jsonl"
    found: dict[int, dict] = {}
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        found.setdefault(line["chunk"], line)
    return [found[chunk] for chunk in sorted(found)]


def study(work: Path, kind: str, replicates: int | None, only: str) -> None:
    names, replicate, usual = STUDIES[kind]
    (work / kind).mkdir(parents=True, exist_ok=True)
    for name in [only] if only in names else [name for name in names if name.startswith(only)]:
        done = {line["chunk"] for line in lines(work, kind, name)}
        start = time.perf_counter()
        with (work / kind / f"{name.replace('/', '_')}.jsonl").open("a", encoding="utf-8") as file:
            for line in replicate(name, replicates or usual, done):
                file.write(("" if file.tell() == 0 else "\n") + json.dumps(line))
                file.flush()
                print(f"{name} {line['chunk']} {time.perf_counter() - start:.0f} s", flush=True)


def table(work: Path) -> None:
    parts = []
    for title, kind in (("Simulation-based calibration", "sbc"), ("Posterior calibration on real traits", "posterior")):
        rows = [sbc_row(name, found) for name in STUDIES[kind][0] if (found := lines(work, kind, name))]
        if rows:
            parts.append(f"## {title}\n\n{markdown(rows)}")
    found = {name: kept for name in PLANTED if (kept := lines(work, "planted", name))}
    parts += [f"## {title}\n\n{markdown(rows)}" for title, rows in planted_tables(found).items() if rows]
    Path(__file__).with_suffix(".md").write_text("\n".join(["# Calibration\n", *parts]), encoding="utf-8")
    before = PAGE.read_text(encoding="utf-8").split(HEAD)[0]
    page = [f"{before}{HEAD}", *(part.replace("## ", "### ", 1) for part in parts)]
    PAGE.write_text("\n".join(page), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=[*STUDIES, "table"])
    parser.add_argument("--work", type=Path, required=True, help="folder of what has been found")
    parser.add_argument("--replicates", type=int, help="of each setting, in all")
    parser.add_argument("--only", default="", help="setting of this name, or those that begin so")
    given = parser.parse_args()
    if given.step == "table":
        table(given.work)
    else:
        study(given.work, given.step, given.replicates, given.only)


if __name__ == "__main__":
    main()
