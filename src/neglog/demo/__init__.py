"""Three small real data sets with their source and licence, for examples, tests and ``neglog demo``."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog.errors import InputError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Columns by name, and where they come from."""

    name: str
    columns: Mapping[str, NDArray[Any]]
    source: str
    licence: str

    def __getitem__(self, column: str) -> NDArray[Any]:
        return self.columns[column]

    def matrix(self, pattern: str) -> NDArray[np.float64]:
        """The columns whose names match a glob, side by side, shape ``(rows, k)``."""
        names = [name for name in self.columns if fnmatchcase(name, pattern)]
        return np.column_stack([self.columns[name] for name in names]).astype(np.float64)

    def rows(self, chosen: NDArray[Any]) -> Dataset:
        """Some of the rows, by mask or index."""
        columns = {name: values[chosen] for name, values in self.columns.items()}
        return Dataset(self.name, columns, self.source, self.licence)

    def to_csv(self) -> str:
        """All columns as CSV."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*(values.tolist() for values in self.columns.values()), strict=True))
        return out.getvalue()


_DATASETS = {
    "digits": (
        "digits.csv.gz",
        "E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, test part, "
        "UCI Machine Learning Repository, https://doi.org/10.24432/C50P49",
        "CC BY 4.0",
    ),
    "life_test": (
        "life_test.csv",
        "NIST/SEMATECH e-Handbook of Statistical Methods, section 8.4.1.3, "
        "https://www.itl.nist.gov/div898/handbook/apr/section4/apr413.htm",
        "public domain (work of the US government)",
    ),
    "horse_kicks": (
        "horse_kicks.csv",
        "L. von Bortkiewicz (1898), Das Gesetz der kleinen Zahlen, Leipzig: Teubner",
        "public domain",
    ),
}


def names() -> list[str]:
    """Names of the data sets."""
    return list(_DATASETS)


def load(name: str) -> Dataset:
    """One of the data sets.

    ``digits``: ``digit`` and ``pixel_0_0 ... pixel_7_7`` (0 to 16), 1797 rows. ``life_test``: ``hours``,
    ``failed``, 20 rows. ``horse_kicks``: ``year``, ``corps``, ``deaths``, 280 rows.

    Raises
    ------
    InputError
        If there is no data set of that name.

    Examples
    --------
    >>> data = load("life_test")
    >>> data["hours"][:3], int(data["failed"].sum()), data.licence
    (array([ 54, 187, 216]), 10, 'public domain (work of the US government)')
    """
    if name not in _DATASETS:
        raise InputError(f"demo.load: no data set {name!r}; there are {', '.join(_DATASETS)}")
    file, source, licence = _DATASETS[name]
    content = files(__name__).joinpath("data", file).read_bytes()
    text = (gzip.decompress(content) if file.endswith(".gz") else content).decode("ascii")
    head, *rows = csv.reader(io.StringIO(text))
    columns = {column: _typed(values) for column, values in zip(head, zip(*rows, strict=True), strict=True)}
    return Dataset(name, columns, source, licence)


def _typed(values: tuple[str, ...]) -> NDArray[Any]:
    try:
        return np.array(values, dtype=np.int64)
    except ValueError:
        return np.array(values)
