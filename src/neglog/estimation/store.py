"""A fit as JSON and back, without loss.

Floats are written so that they read back as the same number; what is not finite is written as a string,
because JSON has no NaN. A file appears whole or not at all.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from neglog import __version__
from neglog.compose import family as named_family
from neglog.errors import DataError, InputError
from neglog.estimation.result import Fit
from neglog.estimation.terms import Constant, Formula, Matrix, Term
from neglog.families import Family, spelled

SCHEMA_VERSION = 1

_TERMS: dict[str, type[Constant | Matrix | Formula]] = {
    "constant": Constant,
    "matrix": Matrix,
    "formula": Formula,
}
_ARRAYS = ("values", "coefficients", "slopes", "errors")
_NUMBERS = ("loglik", "objective", "nobs", "df", "l2")
_PLAIN = ("rows", "dropped", "status", "message", "information", "weight_kind", "iterations", "response")


def to_json(fit: Fit, path: str | Path | None) -> str:
    """See :meth:`neglog.estimation.result.Fit.to_json`."""
    document = {
        "kind": "neglog fit",
        "schema_version": SCHEMA_VERSION,
        "neglog": __version__,
        "family": spelled(fit.family),
        "written": getattr(fit.family, "source", "") or fit.family.written,
        "names": list(fit.names),
        "fixed": list(fit.fixed),
        **{name: _plain(getattr(fit, name).tolist()) for name in _ARRAYS},
        "cov": None if np.isnan(fit.cov).all() else [_plain(row[: i + 1].tolist()) for i, row in enumerate(fit.cov)],
        **{name: _plain(float(getattr(fit, name))) for name in _NUMBERS},
        **{name: getattr(fit, name) for name in _PLAIN},
        "terms": [_term(term) for term in fit.terms],
        "classes": None if fit.classes is None else [_label(label) for label in fit.classes],
    }
    text = "{\n" + ",\n".join(f" {json.dumps(key)}: {_lines(key, value)}" for key, value in document.items()) + "\n}"
    if path is not None:
        _write(Path(path), text + "\n")
    return text


def load(path: str | Path, *, family: Any = None) -> Fit:
    """Read a fit that :meth:`Fit.to_json` wrote.

    Estimates, covariance and status are exactly those that were saved. The rows of the fit are not saved:
    predictions need data, residuals are not available.

    Parameters
    ----------
    path : str or Path
    family : Family, optional
        The likelihood of the fit, where it was written by the user: a file does not hold it.

    Raises
    ------
    DataError
        If the file cannot be read, is no saved fit, or comes from a later version.
    InputError
        If the likelihood is the user's own and ``family`` is missing or another one.

    Examples
    --------
    >>> import neglog as nl, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "fit.json"
    >>> r = nl.fit("normal", [1.0, 2.0, 4.0])
    >>> text = r.to_json(path)
    >>> nl.load(path).params == r.params
    True
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"load: {path}: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"load: {path} is not a saved fit: {error}") from None
    if not isinstance(document, dict) or document.get("kind") != "neglog fit":
        raise DataError(f"load: {path} is not a saved fit: it has no kind 'neglog fit'")
    if document.get("schema_version") != SCHEMA_VERSION:
        raise DataError(
            f"load: {path} has schema version {document.get('schema_version')}, written by neglog "
            f"{document.get('neglog')}; this version reads {SCHEMA_VERSION}"
        )
    try:
        return Fit(
            family=_likelihood(document, family),
            names=tuple(document["names"]),
            fixed=tuple(document["fixed"]),
            terms=tuple(_read_term(term) for term in document["terms"]),
            classes=None if document["classes"] is None else tuple(document["classes"]),
            **{name: _array(document[name]) for name in _ARRAYS},
            cov=_covariance(document["cov"], len(document["names"])),
            **{name: float(document[name]) for name in _NUMBERS},
            **{name: document[name] for name in _PLAIN},
        )
    except InputError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"load: {path} is damaged: {type(error).__name__} {error}") from None


def _likelihood(document: Any, given: Any) -> Family:
    """The family of a saved fit; one that the user wrote must be given, and be the same as far as one can see."""
    name, written = document["family"], document.get("written", False)
    if not written:
        try:
            found = named_family(name)
        except InputError as error:
            raise ValueError(error) from None
        if given is not None and named_family(given) != found:
            raise InputError(f"load: the fit is one of {name}, not of {named_family(given).name}")
        return found
    where = f" ({written})" if isinstance(written, str) else ""
    if given is None:
        raise InputError(f"load: the likelihood {name!r} is the user's own{where}, which is not saved: pass family=")
    found = named_family(given)
    if spelled(found) != name or len(found.parameters) != len(document["terms"]):
        raise InputError(f"load: the fit is one of {name}{where}, not of {spelled(found)}")
    return found


def _lines(key: str, value: Any) -> str:
    """JSON on one line; the covariance has a line for each row of its lower triangle."""
    if key != "cov" or value is None:
        return json.dumps(value, allow_nan=False)
    return "[\n  " + ",\n  ".join(json.dumps(row, allow_nan=False) for row in value) + "\n ]"


def _plain(value: Any) -> Any:
    """Lists and floats; NaN and the infinities as ``"nan"``, ``"inf"``, ``"-inf"``, which ``float`` reads."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if np.isfinite(value) else str(float(value))


def _array(value: Any) -> Any:
    return np.array([float(item) for item in value], dtype=np.float64)


def _covariance(value: Any, count: int) -> Any:
    """From its lower triangle. A missing one takes no room, neither in the file nor in memory."""
    if value is None:
        return np.broadcast_to(np.nan, (count, count))
    if [len(row) for row in value] != list(range(1, count + 1)):
        raise TypeError(f"cov is no lower triangle of {count} rows")
    cov = np.zeros((count, count))
    for i, row in enumerate(value):
        cov[i, : i + 1] = cov[: i + 1, i] = _array(row)
    return cov


def _label(label: Any) -> Any:
    if isinstance(label, (str, int, float, bool)):
        return label
    raise DataError(f"to_json: a class label of kind {type(label).__name__} cannot be saved; use strings or numbers")


def _term(term: Term) -> dict[str, Any]:
    kind = next(name for name, cls in _TERMS.items() if type(term) is cls)
    return {"kind": kind, **{field.name: getattr(term, field.name) for field in dataclasses.fields(term)}}


def _read_term(document: dict[str, Any]) -> Term:
    fields: dict[str, Any] = {**document, "columns": tuple(document["columns"])}
    return _TERMS[fields.pop("kind")](**fields)


def _write(path: Path, text: str) -> None:
    """Write beside, then rename: a reader never sees half a file."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
