"""Rows in, a file out: Parquet with types, CSV whose cells no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.archive.cells import safe_cell
from pipeline.archive.export_row import Kind, Row

__all__ = ["write_csv", "write_parquet"]

_ROW_GROUP = 1000
"""Rows held in memory at once; a row of some 150 columns is about 2 kB."""


def write_parquet(path: Path, columns: Mapping[str, Kind], rows: Iterable[Row]) -> None:
    """A Parquet file with a column a kind: string, double, int64, bool; null where a row has no value."""
    import pyarrow
    from pyarrow import parquet

    types = {"text": pyarrow.string(), "number": pyarrow.float64(), "count": pyarrow.int64(), "yes_no": pyarrow.bool_()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    with parquet.ParquetWriter(path, schema) as writer:
        waiting = iter(rows)
        while group := list(islice(waiting, _ROW_GROUP)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))


def write_csv(path: Path, columns: Mapping[str, Kind], rows: Iterable[Row]) -> None:
    """A CSV file in UTF-8: text safe for spreadsheets, numbers as they are, `true` and `false`, empty for no value."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([safe_cell(name) for name in columns])
        for row in rows:
            writer.writerow([_cell(row.get(name)) for name in columns])


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return safe_cell(value) if isinstance(value, str) else value
