"""Tables of traits and covariates, and what all text files of a cohort share."""

from __future__ import annotations

from bayes_lmmlasso.cohort.tables.missing import NA_TOKENS
from bayes_lmmlasso.cohort.tables.read import (
    TableCoding,
    TableLike,
    id_columns,
    read_table,
    reject_duplicates,
    use_columns,
    value_columns,
    write_table,
)
from bayes_lmmlasso.cohort.tables.text import fields_frame, numbered_lines, parse_base_pairs, parse_centimorgans

__all__ = [
    "NA_TOKENS",
    "TableCoding",
    "TableLike",
    "fields_frame",
    "id_columns",
    "numbered_lines",
    "parse_base_pairs",
    "parse_centimorgans",
    "read_table",
    "reject_duplicates",
    "use_columns",
    "value_columns",
    "write_table",
]
