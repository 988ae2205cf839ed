"""One cohort written in every format, by the plainest code that the format's description allows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from pgenlib import PgenWriter

from bayes_lmmlasso.cohort import Cohort, read_plink, sample_frame, variant_frame, write_plink

CALLS = {0.0: "0/0", 1.0: "0/1", 2.0: "1/1"}


def bio2zarr(program: str, *arguments: object) -> None:
    """Convert with a program of bio2zarr."""
    command = [Path(sys.executable).with_name(program), "convert", "--no-progress", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


def options_by_format(prefix: Path, folder: Path) -> dict[str, tuple[str, Path]]:
    """Write the cohort of a PLINK prefix in every format, and return the option that names each."""
    cohort = read_plink(prefix)
    bio2zarr("plink2zarr", prefix, folder / "g.vcz")
    return {
        "bfile": ("--bfile", prefix),
        "pgen": ("--pgen", write_pgen(cohort, folder)),
        "vcf": ("--vcf", write_vcf(cohort, folder)),
        "vcf_zarr": ("--vcf-zarr", folder / "g.vcz"),
        "bimbam": ("--bimbam", write_bimbam(cohort, folder)),
        "matrix": ("--matrix", write_matrix(cohort, folder)),
    }


def dosage_text(value: float) -> str:
    return "NA" if np.isnan(value) else np.format_float_positional(value, trim="-")


def write_bimbam(cohort, folder):
    variants = variant_frame(cohort).assign(cm=cohort["variant_cm"].values)
    with (folder / "g.geno.txt").open("w") as file:
        for row, calls in zip(variants.itertuples(), cohort["call_dosage"].values, strict=True):
            print(row.snp, row.effect_allele, row.other_allele, *map(dosage_text, calls), sep=", ", file=file)
    reverse = variants[["snp", "pos", "chrom", "cm"]].iloc[::-1]
    reverse.to_csv(folder / "g.anno.txt", sep="\t", header=False, index=False)
    sample_frame(cohort).to_csv(folder / "g.samples.txt", sep="\t", index=False)
    return folder / "g.geno.txt"


def write_matrix(cohort, folder):
    values = pd.DataFrame(cohort["call_dosage"].values, columns=cohort["sample_id"].values).map(dosage_text)
    variants = variant_frame(cohort).assign(cm=cohort["variant_cm"].values)
    pd.concat([variants, values], axis=1).to_csv(folder / "g.csv.gz", index=False)
    return folder / "g.csv.gz"


def write_vcf(cohort, folder):
    lines = ["##fileformat=VCFv4.3", *(f"##contig=<ID={name}>" for name in cohort["contig_id"].values)]
    lines += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    lines += ['##FORMAT=<ID=DS,Number=A,Type=Float,Description="Dosage">']
    lines += ["\t".join(["#CHROM", *"POS ID REF ALT QUAL FILTER INFO FORMAT".split(), *cohort["sample_id"].values])]
    for row, calls in zip(variant_frame(cohort).itertuples(), cohort["call_dosage"].values, strict=True):
        site = [row.chrom, str(row.pos), row.snp, row.other_allele, row.effect_allele, ".", ".", ".", "GT:DS"]
        lines.append("\t".join([*site, *(vcf_field(value) for value in calls)]))
    (folder / "g.vcf").write_text("\n".join(lines) + "\n")
    return folder / "g.vcf"


def vcf_field(value: float) -> str:
    """Whole dosages as calls without DS; others as DS, beside a call that a reader must not take."""
    if np.isnan(value):
        return "./.:."
    return f"{CALLS[value]}:." if value in CALLS else f"0/0:{dosage_text(value)}"


def write_pgen(cohort, folder):
    calls = cohort["call_dosage"].values
    with PgenWriter(
        bytes(folder / "g.pgen"), calls.shape[1], variant_ct=len(calls), nonref_flags=False, dosage_present=True
    ) as file:
        for row in calls:
            file.append_dosages(np.nan_to_num(row, nan=-9).astype(np.float32))
    variants = variant_frame(cohort)
    columns = {"#CHROM": "chrom", "POS": "pos", "ID": "snp", "REF": "other_allele", "ALT": "effect_allele"}
    pvar = pd.DataFrame({ours: variants[theirs] for ours, theirs in columns.items()})
    pvar.assign(CM=cohort["variant_cm"].values).to_csv(folder / "g.pvar", sep="\t", index=False)
    samples = sample_frame(cohort).rename(columns={"fid": "#FID", "iid": "IID"})
    samples.to_csv(folder / "g.psam", sep="\t", index=False)
    return folder / "g"


def write_bfile(cohort, folder):
    write_plink(cohort, folder / "g")
    return folder / "g"


def write_vcf_zarr(cohort, folder):
    bio2zarr("vcf2zarr", write_vcf(cohort, folder), folder / "g.vcz")
    return folder / "g.vcz"


WRITERS = {
    "bfile": write_bfile,
    "pgen": write_pgen,
    "vcf": write_vcf,
    "vcf_zarr": write_vcf_zarr,
    "bimbam": write_bimbam,
    "matrix": write_matrix,
}
WITHOUT_FRACTIONS = ("bfile",)


def write_formats(cohort: Cohort, folder: Path) -> dict[str, Path]:
    """Write the genotypes as every format that can hold them, and return the paths by name of the format.

    The cohort needs one chromosome with ascending positions: bio2zarr wants an index of a VCF with several.
    """
    whole = not (cohort["call_dosage"].values % 1 > 0).any()
    return {name: write(cohort, folder) for name, write in WRITERS.items() if whole or name not in WITHOUT_FRACTIONS}
