"""Small studies of the small cohort, shared by the tests of studies."""

from __future__ import annotations

from pathlib import Path

from small_run import cohort_folder, contents

STUDIES = {
    "simulation": """
        traits = ["colour"]
        methods = ["lm", "lmm-p3d", "lasso", "lmm-lasso", "lmm-lasso-stability"]
        [simulation]
        replicates = 3
        presets = ["rakitsch2013"]
        signal = [0.5]
        structure = [0.2]
        window_kb = 10
        [method.lmm-lasso-stability]
        n_active = 5
        subsamples = 10
    """,
    "prediction": """
        traits = ["height", "colour"]
        methods = ["blup", "lasso", "lmm-lasso"]
        [prediction]
        folds = 3
        published_share = 0.75
    """,
    "selection": """
        traits = ["height", "colour"]
        methods = ["lasso-stability", "lmm-lasso-stability"]
        [selection]
        threshold = 0.3
        window_kb = 20
        pair_kb = 60
        genes = "genes.tsv"
        published = "published.tsv"
        published_columns = ["trait", "chrom", "pos", "gene"]
        published_counts = "counts.tsv"
        published_counts_columns = ["trait", "near", "all"]
        published_counts_methods = ["lmm-lasso-stability"]
        [method.lasso-stability]
        n_active = 5
        subsamples = 10
    """,
    "dissection": """
        traits = ["colour"]
        methods = ["lasso", "lmm-lasso", "spike_slab"]
        [dissection]
        folds = 3
        n_active = 6
        published = "shares.tsv"
        [method.spike_slab]
        chains = 1
        warmup = 5
        draws = 20
    """,
    "replication": """
        traits = ["colour"]
        methods = ["spike_slab-pip", "spike_slab-pip-no-polygenic"]
        [replication]
        splits = 2
        high = 0.5
        low = 0.4
    """,
}


def write_study(path: Path, kind: str, change=lambda text: text) -> Path:
    """Write the file of a small study, its text changed, and the tables it names beside it."""
    lines = [line.strip() for line in STUDIES[kind].strip().splitlines()]
    data = f'\n[data]\nbfile = "{cohort_folder() / "small"}"\npheno = "{cohort_folder() / "pheno.tsv"}"\n'
    path.write_text(change(f'kind = "{kind}"\n' + "\n".join(lines) + data), encoding="utf-8")
    path.with_name("genes.tsv").write_text("name\tchrom\tstart\tend\nG1\t1\t500000\t600000\nG2\t2\t100\t900\n")
    path.with_name("published.tsv").write_text("trait\tchrom\tpos\tgene\ncolour\t1\t550000\tG1\nheight\t9\t7\tG9\n")
    path.with_name("counts.tsv").write_text("trait\tnear\tall\ncolour\t2\t7\nweight\t1\t1\n")
    path.with_name("shares.tsv").write_text(
        "trait\tmethod\tn_active\tsnps\tstructure\texplained\ncolour\tlmm-lasso\t4\t0.1\t0.3\t0.4\n"
    )
    return path


def tables(folder: Path) -> dict[str, bytes]:
    """Bytes of every table, ``cells`` without its timings."""
    found = {name: data for name, data in contents(folder).items() if name.endswith(".tsv")}
    header, *rows = (line.split("\t") for line in found["cells.tsv"].decode().splitlines())
    place = header.index("seconds")
    found["cells.tsv"] = "\n".join("\t".join(row[:place] + row[place + 1 :]) for row in [header, *rows]).encode()
    return found
