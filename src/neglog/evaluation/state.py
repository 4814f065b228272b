"""What every score is: a state that takes batches, merges, travels as bytes and yields a result."""

from __future__ import annotations

import importlib
import json
import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from neglog.errors import DataError, InputError

if TYPE_CHECKING:
    from neglog.evaluation.classification import ClassificationScore

_MAGIC = b"neglog.score"
_VERSION = 1
_HEADER = struct.Struct("<12sHQI")  # magic, version, length and CRC-32 of the body


class Score(ABC):
    """Predictions judged by their negative log-likelihood.

    A score is a state: :meth:`update` takes rows, :meth:`merge` takes another state, :meth:`to_bytes`
    carries it to another process or machine, and ``result()`` says what was found. Sums are exact, so any
    partition of the rows over batches, threads or machines, in any order, gives the same result to the last
    bit.

    Made by the constructors of each kind: :meth:`classification`.

    Examples
    --------
    >>> import neglog as nl
    >>> score = nl.Score.classification(input="probs", classes=["no", "yes"])
    >>> score = score.update(["yes", "no"], [[0.2, 0.8], [0.9, 0.1]])
    >>> print(round(score.result().nll, 6))
    0.164252
    """

    kind: ClassVar[str]
    _kinds: ClassVar[dict[str, type[Score]]] = {}

    def __init_subclass__(cls, kind: str) -> None:
        cls.kind = kind
        Score._kinds[kind] = cls

    @staticmethod
    def classification(
        *,
        input: Literal["probs", "logits", "logprobs"],
        classes: Iterable[Any] | int | None = None,
        on_bad: Literal["raise", "skip"] = "raise",
        bins: int = 15,
        worst: int = 10,
        row_sum: Literal["check", "normalise"] = "check",
        sum_tolerance: float | None = None,
    ) -> ClassificationScore:
        """A score for rows that belong to one of ``C`` classes.

        Parameters
        ----------
        input : {"probs", "logits", "logprobs"}
            What the columns of ``p`` hold. Declared, never guessed from the values.
        classes : sequence of labels, int, or None
            The label of each column, in the order of the columns: integers, strings, booleans or floats. A
            number ``C`` means ``0 ... C-1``; None means ``0 ... C-1`` with the number of columns of the
            first rows seen.
        on_bad : {"raise", "skip"}
            A row that cannot be scored (NaN, a label that is no class, a probability outside [0, 1], a row
            that does not sum to one, an unusable weight) makes ``update`` raise and count nothing of its
            batch, or is left out and reported.
        bins : int
            Number of equal-width bins of the reliability table, over the confidence in [0, 1].
        worst : int
            How many of the worst rows are kept.
        row_sum : {"check", "normalise"}
            What is done about a row of probabilities (or the exponentials of log-probabilities) whose sum is
            not 1. "check": up to ``sum_tolerance`` it is scored as it is. "normalise", for probabilities that
            were rounded: up to ``sum_tolerance`` it is divided by its sum, and the result counts the rows
            that were off by more than 1e-6 as ``renormalised``. Beyond the tolerance the row is bad.
        sum_tolerance : float, optional
            How far from 1 the sum of a row may be: 1e-3, with "normalise" 0.05.

        Returns
        -------
        ClassificationScore

        Examples
        --------
        >>> import neglog as nl
        >>> s = nl.Score.classification(input="probs", classes=["ham", "spam"])
        >>> s.update(["spam", "ham", "ham", "spam"], [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]])
        <ClassificationScore: 4 rows, 2 classes, input 'probs'>
        >>> r = s.result()
        >>> round(r.nll, 12), r.accuracy, r.nobs
        (0.216161874681, 1.0, 4)
        """
        from neglog.evaluation.classification import ClassificationScore, ClassificationSpec

        return ClassificationScore(ClassificationSpec.of(input, classes, on_bad, bins, worst, row_sum, sum_tolerance))

    @abstractmethod
    def merge(self, other: Any) -> Self:
        """Add what ``other``, a state of the same specification, has seen; returns ``self``."""

    @abstractmethod
    def result(self, level: float = 0.95) -> Any:
        """What the rows seen so far say; intervals cover with probability ``level``."""

    @abstractmethod
    def _to_payload(self) -> dict[str, Any]:
        """The state as JSON values; equal states give equal payloads."""

    @classmethod
    @abstractmethod
    def _from_payload(cls, payload: dict[str, Any]) -> Self:
        """The state that gave the payload.  Raises KeyError, TypeError or ValueError where it is none."""

    def to_bytes(self) -> bytes:
        """The state as bytes: versioned, checksummed and canonical (equal states give equal bytes).

        >>> import neglog as nl
        >>> s = nl.Score.classification(input="probs", classes=2).update([1], [[0.25, 0.75]])
        >>> nl.Score.from_bytes(s.to_bytes()) == s
        True
        """
        payload = {"kind": self.kind, **self._to_payload()}
        body = json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
        return _HEADER.pack(_MAGIC, _VERSION, len(body), zlib.crc32(body)) + body

    @staticmethod
    def from_bytes(data: bytes) -> Any:
        """The state that :meth:`to_bytes` wrote.

        Raises
        ------
        DataError
            The bytes are no score, of a newer version, truncated or changed.
        """
        importlib.import_module("neglog.evaluation.classification")  # registers its kind
        payload = _body(bytes(data))
        try:
            return Score._kinds[payload.pop("kind")]._from_payload(payload)
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise DataError(f"Score.from_bytes: the state is inconsistent: {error!r}") from error

    def __eq__(self, other: object) -> bool:
        return self.to_bytes() == other.to_bytes() if isinstance(other, Score) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # a state changes

    def __reduce__(self) -> tuple[Any, ...]:
        return Score.from_bytes, (self.to_bytes(),)


def _body(data: bytes) -> dict[str, Any]:
    if data[: len(_MAGIC)] != _MAGIC:
        raise DataError(f"Score.from_bytes: not a saved score: it starts with {data[:12]!r}, not {_MAGIC!r}")
    if len(data) < _HEADER.size:
        raise DataError(f"Score.from_bytes: truncated: {len(data)} bytes are less than a header")
    _, version, length, checksum = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise DataError(f"Score.from_bytes: version {version} of the format; this neglog reads version {_VERSION}")
    body = data[_HEADER.size :]
    if len(body) != length:
        state = "truncated" if len(body) < length else "followed by something else"
        raise DataError(f"Score.from_bytes: {state}: {len(body)} bytes where {length} were written")
    if zlib.crc32(body) != checksum:
        raise DataError("Score.from_bytes: damaged: the checksum does not match")
    return json.loads(body)
