"""Claim: our exact scan gives GEMMA's p-values in a tenth of its time on the same cores.

In the same run, on the mouse cross (CD8) and the Arabidopsis genome (FT10), each written once as a PLINK file set of
the analysed samples and SNPs:

- whole process: `bayes-lmmlasso scan` (centred kinship) by both mixed-model methods, GEMMA `-gk 1` and then `-lmm 1`,
  and fastlmm's `single_snp` with one kinship, each from the PLINK files to the table, start of the program included;
- analysis: the same without the start of Python and its imports;
- scan alone: rotation and tests, without reading, kinship and decomposition. GEMMA's processor time is that of the two
  parts in its log, its wall-clock time the same share of the whole run's.

Medians of interleaved runs. The last column is the largest difference of -log10 p from GEMMA's over max(1, -log10 p);
SNPs for which GEMMA reports no number are left out and counted. Run it with

    python3 -m uv run python benchmarks/scan.py [--cohort mouse genome] [--runs 3] [--fastlmm venv/bin/python]

where ``--fastlmm`` names the Python of an environment of its own, which leaves the package's free of it (fastlmm 0.6.13
with NumPy 2.5 on Python 3.13; it does not say that it needs six):

    python3 -m uv venv --python 3.13 venv && python3 -m uv pip install --python venv/bin/python fastlmm six

It writes ``benchmarks/scan.md``. Programs that are not installed are named as such.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from cohorts import COHORTS

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import cohort_from_arrays
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.report.tables import write_tsv
from bayes_lmmlasso.run.commands.scan import ScanSettings, run_scan, scan_table
from bayes_lmmlasso.run.settings import DataSettings

METHODS = ("lmm-p3d", "lmm-exact")
FASTLMM = """
import sys, time, logging
logging.disable(logging.CRITICAL)
from fastlmm.association import single_snp
prefix, out = sys.argv[1:]
wall, processor = time.perf_counter(), time.process_time()
table = single_snp(prefix, prefix + ".pheno", leave_out_one_chrom=False, count_A1=True)
table[["SNP", "PValue"]].to_csv(out, sep="\\t", index=False)
print(time.perf_counter() - wall, time.process_time() - processor)
"""


@dataclass(frozen=True, eq=False)
class Files:
    """A cohort of analysed samples and SNPs as PLINK files, and the same in memory."""

    name: str
    prefix: Path
    X: np.ndarray
    y: np.ndarray
    basis: bl.Eigenbasis
    times: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=dict)
    p: dict[str, pd.Series] = field(default_factory=dict)

    def record(self, part: str, program: str, wall: float, processor: float) -> None:
        self.times.setdefault((part, program), []).append((wall, processor))


def write_files(name: str, folder: Path) -> Files:
    bed, table, trait = COHORTS[name]
    data = Path(os.environ["BAYES_LMMLASSO_DATA"])
    analysis = bl.prepare(bl.read_plink(data / bed, phenotypes=data / table, trait=trait), trait)
    dosages = analysis.dosages()
    prefix = folder / name
    ids = analysis.samples.astype(str)
    cohort = cohort_from_arrays(
        dosages, sample_id=list(ids["iid"]), family_id=list(ids["fid"]), variants=analysis.variants.drop(columns="eaf")
    )
    bl.cohort.write_plink(cohort, prefix)
    bl.cohort.write_table(ids.assign(trait=analysis.y), folder / f"{name}.tsv")
    ids.assign(trait=analysis.y).to_csv(f"{prefix}.pheno", sep=" ", header=False, index=False)
    np.savetxt(f"{prefix}.y", analysis.y, fmt="%.12g")
    basis = bl.Eigenbasis.from_kinship(bl.kinship(dosages, "centred"))
    return Files(name, prefix, analysis.X, analysis.y, basis)


def timed(work: Callable[[], object], who: int = resource.RUSAGE_SELF) -> tuple[float, float]:
    """Wall-clock time, and processor time of this process or of its children."""
    before, wall = resource.getrusage(who), time.perf_counter()
    work()
    wall, after = time.perf_counter() - wall, resource.getrusage(who)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(files: Files, method: str) -> None:
    out = files.prefix.with_suffix(f".{method}")
    options = ["--bfile", files.prefix, "--pheno", files.prefix.with_suffix(".tsv"), "--trait", "trait"]
    options += ["--kinship", "centred", "--maf", "0", "--method", method, "--out", out]
    command = [Path(sys.executable).with_name("bayes-lmmlasso"), "scan", *options]
    run = partial(subprocess.run, command, check=True, capture_output=True)
    files.record("whole process", f"ours, {method}", *timed(run, resource.RUSAGE_CHILDREN))

    pheno = files.prefix.with_suffix(".tsv")
    settings = DataSettings(bfile=files.prefix, pheno=pheno, trait="trait", kinship="centred", maf=0.0)
    analyse = partial(run_scan, settings, ScanSettings(method=method), StageClock())
    files.record("analysis", f"ours, {method}", *timed(lambda: write_tsv(scan_table(*analyse()), out)))

    def scan() -> None:
        result = bl.scan.scan(files.X, files.y, files.basis, covariates=np.ones((files.y.size, 1)), method=method)
        files.p[f"ours, {method}"] = pd.Series(-result.log10_p)

    files.record("scan alone", f"ours, {method}", *timed(scan))


def gemma(files: Files) -> None:
    folder = files.prefix.parent
    common = ["gemma", "-bfile", files.prefix, "-p", f"{files.prefix}.y", "-outdir", folder, "-o", files.name]
    common += ["-maf", "0", "-miss", "1", "-notsnp"]

    first, second = ["-gk", "1"], ["-k", folder / f"{files.name}.cXX.txt", "-lmm", "1"]
    times = [
        timed(partial(subprocess.run, [*common, *more], check=True, capture_output=True), resource.RUSAGE_CHILDREN)
        for more in (first, second)
    ]
    files.record("whole process", "GEMMA -lmm 1", *np.sum(times, axis=0))
    log = (folder / f"{files.name}.log.txt").read_text()
    minutes = dict(re.findall(r"time on (.*) = *([\d.e+-]+) min", log))
    processor = 60 * sum(float(minutes[part]) for part in ("calculating UtX", "optimization"))
    files.record("scan alone", "GEMMA -lmm 1", times[1][0] * processor / times[1][1], processor)
    table = pd.read_csv(folder / f"{files.name}.assoc.txt", sep="\t", dtype={"chr": str})
    files.p["GEMMA -lmm 1"] = -np.log10(table["p_wald"])


def fastlmm(files: Files, python: str) -> None:
    out = files.prefix.with_suffix(".fastlmm")
    printed: list[str] = []

    def run() -> None:
        command = [python, "-c", FASTLMM, files.prefix, out]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        printed.append(done.stdout.split("\n")[-2])

    files.record("whole process", "fastlmm", *timed(run, resource.RUSAGE_CHILDREN))
    files.record("analysis", "fastlmm", *map(float, printed[0].split()))
    table = pd.read_csv(out, sep="\t", dtype={"SNP": str}).set_index("SNP")["PValue"]
    names = pd.read_csv(files.prefix.with_suffix(".bim"), sep="\t", header=None, dtype=str)[1]
    files.p["fastlmm"] = -np.log10(table.reindex(names).reset_index(drop=True))


def rows_of(files: Files) -> list[str]:
    reference = files.p.get("GEMMA -lmm 1")
    rows = []
    for (part, program), values in sorted(files.times.items(), key=lambda item: -len(item[0][0])):
        wall, processor = (median(value[k] for value in values) for k in (0, 1))
        peer = files.times.get((part, "GEMMA -lmm 1")) or files.times.get(("whole process", "GEMMA -lmm 1"))
        ratio = f"{median(value[0] for value in peer) / wall:.1f}" if peer else ""
        difference = ""
        if reference is not None and part == "scan alone" and not program.startswith("GEMMA"):
            known = np.isfinite(reference)
            gap = (files.p[program] - reference).abs() / np.maximum(1.0, reference)
            difference = f"{gap[known].max():.1e} ({int((~known).sum()):,} SNPs without a number)"
        shape = f"{files.name} {files.X.shape[0]:,} x {files.X.shape[1]:,}"
        rows.append(f"| {shape} | {part} | {program} | {wall:.2f} | {processor:.2f} | {ratio} | {difference} |")
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", nargs="+", default=["mouse", "genome"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--fastlmm", metavar="PYTHON", help="of an environment that has fastlmm")
    options = parser.parse_args()
    programs: dict[str, Callable[[Files], None]] = {method: partial(ours, method=method) for method in METHODS}
    absent = []
    for name, program, present in (
        ("GEMMA", gemma, shutil.which("gemma")),
        ("fastlmm", partial(fastlmm, python=options.fastlmm), options.fastlmm),
    ):
        programs |= {name: program} if present else {}
        absent += [] if present else [name]
    rows: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.cohort:
            files = write_files(name, Path(folder))
            for _ in range(options.runs):
                for program in programs.values():
                    program(files)
            rows += rows_of(files)
    text = (
        f"Medians of {options.runs} interleaved runs on {os.cpu_count()} cores, load average at the end "
        f"{os.getloadavg()[0]:.1f}. Not installed: {', '.join(absent) or 'none'}. GEMMA's whole process stands for its "
        "analysis as well.\n\n"
        "| cohort | part | program | wall s | processor s | GEMMA's wall / this | largest difference of -log10 p |\n"
        "| --- | --- | --- | ---: | ---: | ---: | --- |\n" + "\n".join(rows) + "\n"
    )
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
