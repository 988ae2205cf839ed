"""Genes with their places, from GFF3, GTF or a table; any of them may be compressed.

GFF3 (https://github.com/The-Sequence-Ontology/Specifications) and GTF have nine columns separated by tabs: chromosome,
source, type, start, end, score, strand, phase, attributes. Of them the features of type gene are read.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pandas as pd

from bayes_lmmlasso.arguments import check_path
from bayes_lmmlasso.cohort.tables.compressed import open_text
from bayes_lmmlasso.errors import InputError

__all__ = ["read_genes"]

_GFF = (".gff", ".gff3", ".gtf")
_NAMES = ("Name", "gene_name", "gene", "gene_id", "ID")  # attributes that name a gene, the best first
_ATTRIBUTE = re.compile(r'\s*([^=\s;]+)\s*[=\s]\s*"?([^";]*)"?\s*(?:;|$)')


def read_genes(path: str | Path) -> pd.DataFrame:
    """Read genes from a GFF3 or GTF file, told by its name, or from a table separated by tabs.

    Parameters
    ----------
    path
        ``.gff``, ``.gff3`` or ``.gtf``, or a table with the columns gene, chrom, start, end and, if known, strand;
        each may end in .gz or .zst. Chromosomes must have the names that the genotypes give them; "chr" and "Chr"
        before a number are dropped.

    Returns
    -------
    pandas.DataFrame
        Columns gene, chrom (text), start, end (bp, from 1, both included), strand.

    Raises
    ------
    InputError
        If the file cannot be read, a column is absent, or no gene is in it.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.cohort.read_genes("TAIR10_genes.gff3.gz")  # doctest: +SKIP
    """
    source = check_path(path, "a file of genes")
    suffixes = [suffix for suffix in source.suffixes if suffix not in (".gz", ".bgz", ".zst")]
    try:
        with open_text(source) as file:
            is_gff = bool(suffixes) and suffixes[-1].lower() in _GFF
            genes = _gff(list(file), source) if is_gff else pd.read_csv(file, sep="\t", dtype={"chrom": str})
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"expected genes in {source}, got {error}: check the path and the format") from error
    if absent := [name for name in ("gene", "chrom", "start", "end") if name not in genes]:
        raise InputError(
            f"expected {source} with a column {absent[0]!r}, got {', '.join(map(str, genes))}: rename or add it, or "
            "give a GFF3 file with a name that ends in .gff3"
        )
    if genes.empty:
        raise InputError(f"expected genes in {source}, got none: features of type gene are read")
    genes["chrom"] = genes["chrom"].astype(str).str.replace(r"^[Cc]hr(?=[\dXYM])", "", regex=True)
    return genes.assign(strand=genes.get("strand", ""))[["gene", "chrom", "start", "end", "strand"]]


def _gff(lines: list[str], source: Path) -> pd.DataFrame:
    """Read the genes of a GFF3 or GTF file."""
    rows = []
    for number, line in enumerate(lines, 1):
        if line.startswith("##FASTA"):
            break
        fields = line.rstrip("\n").split("\t")
        if line.startswith("#") or not line.strip():
            continue
        if len(fields) != 9 or not (fields[3].isdigit() and fields[4].isdigit()):
            raise InputError(
                f"expected nine columns with start and end in line {number} of {source}, got {line.strip()!r}: mend it"
            )
        if fields[2] != "gene":
            continue
        known = dict(_ATTRIBUTE.findall(fields[8]))
        name = next((known[key] for key in _NAMES if known.get(key)), f"{fields[0]}:{fields[3]}")
        rows.append((unquote(name), fields[0], int(fields[3]), int(fields[4]), fields[6]))
    return pd.DataFrame(rows, columns=["gene", "chrom", "start", "end", "strand"])
