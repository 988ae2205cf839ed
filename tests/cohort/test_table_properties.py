"""Properties of tables: equal information in any dialect is the same frame, unequal information never is.

A table is drawn as columns of values; it is written by the plainest code for each dialect that is drawn beside it.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

import pandas as pd
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_lmmlasso.cohort import read_table
from bayes_lmmlasso.cohort.tables import use_columns
from bayes_lmmlasso.errors import InputError

MARKS = ["NA", "n/a", "", "#N/A", "<NA>", "null", "nan", ".", "-", "?", "unknown", "None"]
LIMITED = settings(max_examples=60, deadline=None, derandomize=True)

letters = st.text("abcXYZéß'\",;_#-", min_size=1, max_size=4)
names = st.tuples(letters, letters).map(lambda pair: " ".join(pair))  # two words are no mark and no number
numbers = st.one_of(st.integers(-8, 10**7).map(float), st.floats(-8, allow_nan=False, allow_infinity=False))
VALUES = {"number": numbers, "name": names}


@dataclass(frozen=True)
class Dialect:
    separator: str
    quote_all: bool
    line_end: str
    encoding: str
    pack: str
    marks: tuple[str, ...]
    id_head: str
    n_empty_columns: int
    n_empty_rows: int
    order: int  # of rows and columns

    def write(self, columns, path):
        """Write columns of values, each row and column where the order puts it."""
        heads = list(columns)[self.order % len(columns) :] + list(columns)[: self.order % len(columns)]
        n = len(columns["iid"])
        rows = [[self.id_head if head == "iid" else head for head in heads]]
        rows += [[self.text(columns[head][(i + self.order) % n], i) for head in heads] for i in range(n)]
        for row in rows:
            row += [""] * (self.n_empty_columns if self.separator != " " else 0)
        rows += [[""] * len(rows[0]) if self.separator != " " else []] * self.n_empty_rows
        lines = [self.separator.join(map(self.field, row)) for row in rows]
        data = (self.line_end.join(lines) + self.line_end).encode(self.encoding)
        path.write_bytes({"plain": bytes, "gz": gzip.compress, "zst": zstandard.compress}[self.pack](data))
        return path

    def text(self, value, row):
        if value is None:
            return self.marks[row % len(self.marks)]
        return value if isinstance(value, str) else repr(value)

    def field(self, text):
        special = any(letter in text for letter in (self.separator, '"')) or (self.separator == " " and not text)
        return '"' + text.replace('"', '""') + '"' if self.quote_all or special else text


dialects = st.builds(
    Dialect,
    separator=st.sampled_from("\t,; "),
    quote_all=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    pack=st.sampled_from(["plain", "gz", "zst"]),
    marks=st.lists(st.sampled_from(MARKS), min_size=1, max_size=3).map(tuple),
    id_head=st.sampled_from(["iid", "IID", "#IID", "ID", "Taxa", "sample_id"]),
    n_empty_columns=st.integers(0, 2),
    n_empty_rows=st.integers(0, 2),
    order=st.integers(0, 5),
)


@st.composite
def tables(draw):
    """Columns of values by name; the name says what they are."""
    n = draw(st.integers(2, 6))
    columns = {"iid": draw(st.lists(names, min_size=n, max_size=n, unique=True))}
    for i, kind in enumerate(draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=3))):
        columns[f"{kind} {i}"] = draw(st.lists(st.none() | VALUES[kind], min_size=n, max_size=n))
    return columns


def tidy(source):
    """Read a table, use all of it, and put it in order."""
    table = read_table(source)
    use_columns(table, table.columns)
    return table[sorted(table.columns)].sort_values("iid", ignore_index=True)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "table"


@LIMITED
@given(columns=tables(), one=dialects, other=dialects)
def test_equal_information_is_the_same_frame_in_any_dialect(path, columns, one, other):
    first, second = tidy(one.write(columns, path)), tidy(other.write(columns, path))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert first.columns.tolist() == sorted(columns)


FRAMES = {
    "as it is": lambda columns: pd.DataFrame(columns),
    "objects": lambda columns: pd.DataFrame(columns, dtype=object),
    "nullable": lambda columns: pd.DataFrame(columns, dtype=object).convert_dtypes(),
    "text": lambda columns: pd.DataFrame({head: [to_text(value) for value in columns[head]] for head in columns}),
    "ids as index": lambda columns: pd.DataFrame(columns).set_index("iid"),
    "names as categories": lambda columns: pd.DataFrame(
        {head: pd.Categorical(values) if head.startswith("name") else values for head, values in columns.items()}
    ),
}


def to_text(value):
    return value if value is None or isinstance(value, str) else repr(value)


@pytest.mark.parametrize("kind", FRAMES)
@LIMITED
@given(columns=tables(), dialect=dialects)
def test_a_data_frame_is_read_as_the_file(path, kind, columns, dialect):
    columns = {head: values for head, values in columns.items() if any(value is not None for value in values)}
    if len(columns) > 1:
        pd.testing.assert_frame_equal(tidy(FRAMES[kind](columns)), tidy(dialect.write(columns, path)), check_exact=True)


@LIMITED
@given(columns=tables(), dialect=dialects, data=st.data())
def test_a_changed_cell_is_another_frame_or_refused(path, columns, dialect, data):
    before = tidy(dialect.write(columns, path))
    head = data.draw(st.sampled_from(list(columns)))
    row = data.draw(st.integers(0, len(columns["iid"]) - 1))
    values = names if head == "iid" else st.none() | VALUES[head.split()[0]]
    changed = data.draw(values.filter(lambda value: value != columns[head][row]))
    columns[head] = [changed if i == row else value for i, value in enumerate(columns[head])]
    try:
        after = tidy(dialect.write(columns, path))
    except InputError:
        return
    assert not after.equals(before)


@LIMITED
@given(columns=tables(), dialect=dialects, data=st.data())
def test_text_in_a_column_of_numbers_is_refused(path, columns, dialect, data):
    values = data.draw(st.lists(numbers, min_size=len(columns["iid"]) + 1, max_size=len(columns["iid"]) + 1))
    odd = data.draw(names)
    columns["iid"].append("the last")
    columns = {head: columns[head] + [None] * (head != "iid") for head in columns}
    columns["number"] = [odd, *values[1:]]
    with pytest.raises(InputError, match="expected numbers in column 'number'"):
        tidy(dialect.write(columns, path))
