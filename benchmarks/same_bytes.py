"""Whether two versions of the package give the same bytes for the same seeds.

    python benchmarks/same_bytes.py make FOLDER               with each version's own Python
    python benchmarks/same_bytes.py compare FOLDER FOLDER     what differs; exit status 1 if anything does

``make`` runs the installed command: the demonstration, then runs, a scan, null models, a path, stability selection,
predictions, simulated traits and a small study of each kind, all on the demonstration's files. Compared are all files
but records of arguments, versions and times (``*.json`` outside of posteriors, pages of studies), logs and the cache of
cells; of ``cells.tsv`` the column of seconds is left out. Each version reads what it wrote itself.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

DATA = "--bfile demo/demo --pheno demo/demo_phenotypes.tsv --trait simulated"
SHORT = f"{DATA} --n-active 5 --subsamples 10 --chains 2 --seed 3 --warmup 20 --draws 40"
COMMANDS = {
    "demo": "demo --out demo --seed 1",
    "laplace": f"run {SHORT} --model laplace --out laplace",
    "spike_slab": f"run {SHORT} --model spike_slab --window 200kb --kinship centred --transform rank-normal "
    "--out spike_slab",
    "normal": f"sample {DATA} --chains 2 --seed 3 --model normal --warmup 40 --draws 40 --out normal",
    "scan": f"scan {DATA} --method lmm-exact --out scan.tsv",
    "loco": f"scan {DATA} --loco --kinship ibs --out loco.tsv",
    "null": f"null {DATA} --kinship ibs --out null.tsv",
    "path": f"path {DATA} --n-active 12 --out path.tsv",
    "stability": f"stability {DATA} --subsamples 20 --seed 4 --out stability.tsv",
    "predict": "predict spike_slab --bfile demo/demo --out predict.tsv",
    "simulate": f"simulate {DATA} --background blup --replicates 2 --seed 5 --out simulate",
}
STUDIES = {
    "simulation": """
        methods = ["lm", "lmm-p3d", "lasso", "lmm-lasso", "lmm-lasso-stability"]
        [simulation]
        replicates = 2
        presets = ["rakitsch2013"]
        signal = [0.5]
        structure = [0.2]
        window_kb = 10
        [method.lmm-lasso-stability]
        n_active = 5
        subsamples = 10
    """,
    "prediction": """
        methods = ["blup", "lasso", "lmm-lasso"]
        [prediction]
        folds = 3
    """,
    "selection": """
        methods = ["lasso-stability", "lmm-lasso-stability"]
        [selection]
        threshold = 0.3
        window_kb = 20
        genes = "genes.tsv"
        [method.lasso-stability]
        n_active = 5
        subsamples = 10
    """,
    "dissection": """
        methods = ["lasso", "lmm-lasso", "spike_slab"]
        [dissection]
        folds = 2
        n_active = 6
        [method.spike_slab]
        chains = 1
        warmup = 5
        draws = 20
    """,
}
HEAD = 'kind = "{kind}"\ntraits = ["simulated"]\n'
FILES = '[data]\nbfile = "demo/demo"\npheno = "demo/demo_phenotypes.tsv"\n'


def make(folder: Path) -> None:
    """Run every command in a folder."""
    folder.mkdir(parents=True)
    command = Path(sys.executable).with_name("bayes-lmmlasso")
    (folder / "genes.tsv").write_text("name\tchrom\tstart\tend\nG1\t1\t500000\t600000\nG2\t2\t100\t90000\n")
    commands = dict(COMMANDS)
    for kind, text in STUDIES.items():
        body = "\n".join(line.strip() for line in text.strip().splitlines())
        (folder / f"{kind}.toml").write_text(HEAD.format(kind=kind) + body + "\n" + FILES)
        commands[f"study {kind}"] = f"compare {kind}.toml --out study_{kind}"
    for name, arguments in commands.items():
        print(name, flush=True)
        with (folder / f"{name}.log").open("w") as log:
            subprocess.run([command, *arguments.split()], cwd=folder, stdout=log, stderr=log, check=True)


def compare(first: Path, second: Path) -> list[str]:
    """Return the files that only one folder has or that differ."""
    left, right = _contents(first), _contents(second)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def _contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    named = {str(path.relative_to(folder)): path for path in files}
    return {name: _bytes(path) for name, path in named.items() if _is_compared(path.relative_to(folder))}


def _is_compared(path: Path) -> bool:
    if path.suffix == ".log" or {"cells", "checkpoint"} & {*path.parts}:
        return False
    if path.name == "report.html" and path.parts[0].startswith("study_"):
        return False
    return path.suffix != ".json" or "posterior.zarr" in path.parts


def _bytes(path: Path) -> bytes:
    if path.name != "cells.tsv":
        return path.read_bytes()
    header, *rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    place = header.index("seconds")
    return "\n".join("\t".join(row[:place] + row[place + 1 :]) for row in [header, *rows]).encode()


def main() -> int:
    """Make or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("act", choices=("make", "compare"))
    parser.add_argument("folders", nargs="+", type=Path)
    given = parser.parse_args()
    if given.act == "make":
        make(given.folders[0])
        return 0
    different = compare(*given.folders)
    print("\n".join(different) or f"{len(_contents(given.folders[0]))} files, all equal")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
