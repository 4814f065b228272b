"""The score of class predictions: from batches of rows to :class:`ClassificationResult`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, SupportsFloat, get_args

import numpy as np
from numpy.typing import NDArray

from neglog import _native
from neglog.core.accumulate import Smallest
from neglog.errors import DataError, InputError, ShapeError
from neglog.evaluation.finish import finish
from neglog.evaluation.inputs import (
    ROUNDING,
    LabelPositions,
    Predictions,
    class_labels,
    kind_that_fits,
    names,
    normalised,
    vector,
)
from neglog.evaluation.result import BAD_REASONS, ClassificationResult
from neglog.evaluation.state import Score
from neglog.evaluation.sums import ClassificationSums, Rows

Input = Literal["probs", "logits", "logprobs"]
OnBad = Literal["raise", "skip"]
RowSum = Literal["check", "normalise"]

_BLOCK = 1 << 15  # rows at a time: bounds every temporary to 256 KiB a column
_COPIED = 1 << 22  # numbers at a time where they have to be copied: 32 MiB
_KEPT_BAD = 10  # bad rows that are named
_SMALLEST_WEIGHT, _LARGEST_WEIGHT = 2.0**-200, 2.0**200  # squares stay far inside the range of float64
_KINDS: tuple[Input, ...] = get_args(Input)  # in the order of the native Kind
_SUM_TOLERANCE: dict[str, float] = {"check": 1e-3, "normalise": 0.05}
_IGNORED = 1
_STATUS = {"weight": 2, "label": 3, "nan": 4, "outside": 5, "sum": 6, "undefined": 7}  # of native/scores.hpp
_REASON = {status: reason for reason, status in _STATUS.items()}


@dataclass(frozen=True)
class ClassificationSpec:
    """What a score was asked to do. Scores merge where these are equal."""

    input: Input
    classes: tuple[Any, ...] | None  # None until the first rows say how many columns there are
    on_bad: OnBad
    bins: int
    worst: int
    row_sum: RowSum
    sum_tolerance: float

    @staticmethod
    def of(
        input: Any,
        classes: Iterable[Any] | int | None,
        on_bad: Any,
        bins: int,
        worst: int,
        row_sum: Any = "check",
        sum_tolerance: float | None = None,
    ) -> ClassificationSpec:
        """The specification, checked.

        Raises
        ------
        InputError
            An argument is not among what is allowed.
        """
        for name, value, allowed in (
            ("input", input, _KINDS),
            ("on_bad", on_bad, get_args(OnBad)),
            ("row_sum", row_sum, get_args(RowSum)),
        ):
            if value not in allowed:
                raise InputError(f"Score.classification: {name} = {value!r}; one of {', '.join(allowed)} is needed")
        for name, count, least in (("bins", bins, 1), ("worst", worst, 0)):
            if not isinstance(count, int | np.integer) or count < least:  # pyright: ignore
                raise InputError(f"Score.classification: {name} = {count!r}; an integer of at least {least} is needed")
        if row_sum == "normalise" and input == "logits":
            raise InputError("Score.classification: row_sum = 'normalise' is for probabilities; a softmax sums to one")
        if sum_tolerance is None:
            sum_tolerance = _SUM_TOLERANCE[row_sum]
        if not isinstance(sum_tolerance, SupportsFloat) or not 0 <= sum_tolerance < math.inf:  # pyright: ignore
            raise InputError(f"Score.classification: sum_tolerance = {sum_tolerance!r}; a number >= 0 is needed")
        labels = None if classes is None else class_labels(classes)
        return ClassificationSpec(input, labels, on_bad, int(bins), int(worst), row_sum, float(sum_tolerance))

    def difference(self, other: ClassificationSpec) -> str:
        """The first field in which two specifications differ, in words; empty where they are equal."""
        for name, mine in asdict(self).items():
            theirs = getattr(other, name)
            if [mine, str(mine)] != [theirs, str(theirs)] and not (name == "classes" and None in (mine, theirs)):
                return f"{name} is {_short(mine)} here and {_short(theirs)} there"
        return ""


class ClassificationScore(Score, kind="classification"):
    """A score of class predictions; made by :meth:`neglog.Score.classification`."""

    def __init__(self, spec: ClassificationSpec) -> None:
        self._spec = spec
        self._sums: ClassificationSums | None = None
        self._positions: LabelPositions | None = None
        if spec.classes is not None:
            self._set_classes(spec.classes)
        self._rows = 0
        self._ignored = 0
        self._renormalised = 0
        self._bad: dict[str, int] = {}
        self._bad_rows = Smallest(_KEPT_BAD)  # (key or number in the order of arrival, reason)
        self._named: dict[str, str] = {}  # "key" and "cluster": "none", "int" or "str", once rows have come

    def _set_classes(self, classes: tuple[Any, ...]) -> None:
        self._spec = replace(self._spec, classes=classes)
        self._sums = ClassificationSums(len(classes), self._spec.bins, self._spec.worst)
        self._positions = LabelPositions(classes)

    def __repr__(self) -> str:
        classes = "?" if self._spec.classes is None else len(self._spec.classes)
        return f"<ClassificationScore: {self._rows} rows, {classes} classes, input {self._spec.input!r}>"

    def update(
        self,
        y: Any,  # (N,) labels
        p: Any,  # (N, C)
        sample_weight: Any = None,  # (N,)
        cluster: Any = None,  # (N,)
        key: Any = None,  # (N,)
    ) -> Self:
        """Score rows.

        Parameters
        ----------
        y : array of labels, shape (N,)
            Each among the classes, whatever their type.
        p : array, shape (N, C), float16, float32 or float64
            One column per class in the order of ``classes``: probabilities, logits or log-probabilities as
            declared. Any strides; read once; not copied as a whole. Of equal largest values the first is the
            class predicted.
        sample_weight : array, shape (N,), optional
            Weights, 0 or from 2**-200 to 2**200 (6e-61 to 2e60). Rows of weight 0 are counted as ignored and
            never read.
        cluster : array of int or str, shape (N,), optional
            Rows of one cluster may depend on one another; the standard error becomes robust to it. All rows
            of a score or none have one. The state grows with the number of clusters.
        key : array of int or str, shape (N,), optional
            Names of the rows in the lists of worst and bad rows. Without it worst rows carry no name, and
            bad rows are numbered from 0 in the order of arrival, rows of a merged state after those already
            there.

        Returns
        -------
        ClassificationScore
            ``self``.

        Raises
        ------
        ShapeError
            Shapes that do not match.
        InputError
            A dtype that holds no numbers, or no names; a table whose columns are named after the classes but
            stand in another order.
        DataError
            With ``on_bad="raise"``: some rows cannot be scored. Then nothing of the batch has been counted.

        Examples
        --------
        >>> import numpy as np, neglog as nl
        >>> s = nl.Score.classification(input="logits", classes=3)
        >>> s.update([0, 2], np.array([[4.0, 1.0, 0.0], [0.0, np.nan, 1.0]]))
        Traceback (most recent call last):
        ...
        neglog.errors.DataError: Score.update: 1 of 2 rows cannot be scored. NaN among the predictions:
        1 row (1), where p[1] = [0.0, nan, 1.0]. Nothing of this batch was counted; on_bad="skip" leaves ...
        """
        p = Predictions(p)
        work = self._copy()
        if work._sums is None:
            work._set_classes(tuple(range(p.classes)))
        classes = work._spec.classes
        assert classes is not None
        if p.classes != len(classes):
            raise ShapeError(
                f"Score.update: p has {p.classes} columns; one for each of {len(classes)} classes is needed"
            )
        p.check_order(classes)
        y = vector("y", y, p.rows)
        weight = None if sample_weight is None else vector("sample_weight", sample_weight, p.rows)
        if weight is not None and weight.dtype.kind not in "biuf":
            raise InputError(f"Score.update: sample_weight has dtype {weight.dtype}; numbers are needed")
        cluster, cluster_type = names("cluster", cluster, p.rows)
        key, key_type = names("key", key, p.rows)
        if p.rows:
            work._agree({"cluster": cluster_type, "key": key_type})
        bad: list[tuple[int, int]] = []  # (row of this batch, status), the first few of each reason
        step = _BLOCK
        if self._spec.row_sum == "normalise":  # copies its block
            step = min(step, max(1, _COPIED // p.classes))
        for start in range(0, p.rows, step):
            block = slice(start, start + step)
            w, c, k = (None if values is None else values[block] for values in (weight, cluster, key))
            work._add_block(start, y[block], p.block(block), w, c, k, bad)
        if bad and self._spec.on_bad == "raise":
            raise DataError(work._complaint(self, bad, y, p, weight))
        vars(self).update(vars(work))
        return self

    def _add_block(
        self,
        start: int,
        y: NDArray[Any],
        p: NDArray[Any],
        weight: NDArray[Any] | None,
        cluster: NDArray[Any] | None,
        key: NDArray[Any] | None,
        bad: list[tuple[int, int]],
    ) -> None:
        assert self._positions is not None and self._sums is not None
        n = len(y)
        status = np.zeros(n, np.int8)
        read = np.ones(n, np.bool_)
        if weight is not None:
            weight = np.ascontiguousarray(weight, dtype=np.float64)
            status[weight == 0] = _IGNORED
            usable = (weight >= _SMALLEST_WEIGHT) & (weight <= _LARGEST_WEIGHT)
            status[~usable & (weight != 0)] = _STATUS["weight"]
            read = usable
        label = np.full(n, -1, np.int64)
        label[read] = self._positions.of(y[read])
        status[read & (label < 0)] = _STATUS["label"]

        nll, brier, confidence = np.empty(n), np.empty(n), np.empty(n)
        top = np.empty(n, np.int32)
        columns = self._sums.exact["class_probability"]
        sums_off = None
        if self._spec.row_sum == "normalise":
            p, sums_off = normalised(p, self._spec.input, self._spec.sum_tolerance)
        kind = _KINDS.index(self._spec.input)
        largest = _native.score_rows(
            p,
            kind,
            label.astype(np.int32),
            weight,
            self._spec.sum_tolerance,
            status,
            nll,
            brier,
            confidence,
            top,
            columns,
        )
        if sums_off is not None:
            sums_off = sums_off[status == 0]
            largest = float(sums_off.max(initial=0.0))
            self._renormalised += int((sums_off > ROUNDING).sum())
        self._sums.largest_sum_off = max(self._sums.largest_sum_off, largest)
        rows = Rows(label, top.astype(np.int64), nll, brier, confidence, weight, key, cluster)
        if status.any():
            self._count_bad(start, status, key, bad)
            rows = rows.where(status == 0)
        self._rows += n
        self._sums.add(rows)

    def _count_bad(
        self, start: int, status: NDArray[np.int8], key: NDArray[Any] | None, bad: list[tuple[int, int]]
    ) -> None:
        self._ignored += int((status == _IGNORED).sum())
        for code, reason in _REASON.items():
            at = np.flatnonzero(status == code)
            if not len(at):
                continue
            self._bad[reason] = self._bad.get(reason, 0) + len(at)
            rows = at + self._rows if key is None else np.sort(key[at])
            self._bad_rows.extend((row, reason) for row in rows[:_KEPT_BAD].tolist())
            bad += [(start + row, code) for row in at[:_KEPT_BAD].tolist()]

    def _complaint(
        self,
        before: ClassificationScore,
        bad: list[tuple[int, int]],
        y: NDArray[Any],
        p: Predictions,
        weight: Any,
    ) -> str:
        """One line: how many rows of this batch are bad, why, which, and the first value of each kind."""
        counts = {reason: n - before._bad.get(reason, 0) for reason, n in self._bad.items()}
        parts: list[str] = []
        for reason, n in counts.items():
            rows = sorted(row for row, code in bad if _REASON[code] == reason)
            if not n or not rows:
                continue
            first = rows[0]
            if reason == "label":
                label = y[first : first + 1].tolist()[0]
                label = label.item() if isinstance(label, np.generic) else label  # 'a', not np.str_('a')
                shown = f"y[{first}] = {label!r}; the classes are {_short(self._spec.classes)}"
            elif reason == "weight":
                shown = f"sample_weight[{first}] = {weight[first]}"
            else:
                values = p.block(slice(first, first + 1))[0].tolist()
                shown = f"p[{first}] = {_short(values)}"
            if reason == "sum":
                shown += f", off by more than {self._sum_allowed()}"
            some = ", ".join(map(str, rows[:5])) + (", ..." if n > 5 else "")
            parts.append(f"{BAD_REASONS[reason]}: {n} row{'s' * (n > 1)} ({some}), where {shown}.")
        kind = None
        if sum(counts.get(reason, 0) for reason in ("outside", "sum")) == self._rows - before._rows:
            kind = kind_that_fits(p.block(slice(0, 1000)), self._spec.input)
        if kind is not None:
            parts.append(f"{kind[0]}: input={kind[1]!r}?")
        return (
            f"Score.update: {sum(counts.values())} of {p.rows} rows cannot be scored. {' '.join(parts)} "
            'Nothing of this batch was counted; on_bad="skip" leaves such rows out and reports them.'
        )

    def _sum_allowed(self) -> str:
        tolerance = f"sum_tolerance={self._spec.sum_tolerance:g}"
        if self._spec.row_sum == "normalise":
            return tolerance
        return f'{tolerance} (probabilities that were rounded: row_sum="normalise")'

    def _agree(self, types: dict[str, str]) -> None:
        for name, mine in self._named.items():
            if mine != types[name]:
                raise InputError(
                    f"Score: {name}: {_TYPES[types[name]]} here, {_TYPES[mine]} before; a score keeps to one"
                )
        self._named = types

    def merge(self, other: Any) -> Self:
        """Add what another score of the same specification has seen. Equal to one score that saw all rows.

        Raises
        ------
        InputError
            The specifications differ; the message says in what.

        Examples
        --------
        >>> import neglog as nl
        >>> a, b, ab = (nl.Score.classification(input="probs", classes=2) for _ in range(3))
        >>> y, p = [0, 1, 1], [[0.5, 0.5], [0.1, 0.9], [0.3, 0.7]]
        >>> a.update(y[:1], p[:1]).merge(b.update(y[1:], p[1:])) == ab.update(y, p)
        True
        """
        if not isinstance(other, ClassificationScore):
            raise InputError(f"Score.merge: {type(other).__name__} given; a ClassificationScore is needed")
        if difference := self._spec.difference(other._spec):
            raise InputError(f"Score.merge: the scores differ: {difference}")
        if other._sums is None or other._spec.classes is None:
            return self
        work = self._copy()
        if work._sums is None:
            work._set_classes(other._spec.classes)
        assert work._sums is not None
        if other._named:
            work._agree(other._named)
        offset = work._rows if work._named.get("key") == "none" else None
        work._bad_rows.extend((row if offset is None else row + offset, why) for row, why in other._bad_rows.items)
        work._sums.merge(other._sums)
        work._rows += other._rows
        work._ignored += other._ignored
        work._renormalised += other._renormalised
        for reason, n in other._bad.items():
            work._bad[reason] = work._bad.get(reason, 0) + n
        vars(self).update(vars(work))
        return self

    def _copy(self) -> ClassificationScore:
        work = object.__new__(ClassificationScore)  # copy.copy would go through bytes
        vars(work).update(vars(self))
        work._sums = None if self._sums is None else self._sums.copy()
        work._bad = dict(self._bad)
        work._bad_rows = self._bad_rows.copy()
        return work

    def result(self, level: float = 0.95) -> ClassificationResult:
        """What the rows seen so far say.

        Parameters
        ----------
        level : float
            Coverage of the intervals, in (0, 1).

        Returns
        -------
        ClassificationResult
            NaN throughout, with ``nobs`` 0, while no row has been scored.
        """
        if not isinstance(level, SupportsFloat) or not 0 < level < 1:  # pyright: ignore
            raise InputError(f"Score.result: level = {level!r}; a number between 0 and 1 is needed")
        sums = self._sums or ClassificationSums(0, self._spec.bins, self._spec.worst)
        account = {
            "rows": self._rows,
            "ignored": self._ignored,
            "renormalised": self._renormalised,
            "bad": self._bad,
            "bad_rows": self._bad_rows.items,
        }
        return finish(sums, self._spec.classes or (), self._spec.input, account, level)

    def _to_payload(self) -> dict[str, Any]:
        return {
            "spec": {**asdict(self._spec), "sum_tolerance": self._spec.sum_tolerance.hex()},
            "sums": None if self._sums is None else self._sums.to_payload(),
            "rows": self._rows,
            "ignored": self._ignored,
            "renormalised": self._renormalised,
            "bad": self._bad,
            "bad_rows": self._bad_rows.items,
            "named": self._named,
        }

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> Self:
        spec = dict(payload["spec"])
        spec["sum_tolerance"] = float.fromhex(spec["sum_tolerance"])
        score = cls(ClassificationSpec.of(**spec))
        if payload["sums"] is not None:
            if score._spec.classes is None:
                raise ValueError("sums without classes")
            score._sums = ClassificationSums.from_payload(
                payload["sums"], len(score._spec.classes), score._spec.bins, score._spec.worst
            )
        score._rows, score._ignored = int(payload["rows"]), int(payload["ignored"])
        score._renormalised = int(payload.get("renormalised", 0))
        score._bad = {reason: int(payload["bad"][reason]) for reason in payload["bad"]}
        score._bad_rows.extend((row, reason) for row, reason in payload["bad_rows"])
        score._named = dict(payload["named"])
        return score


_TYPES = {"none": "not given", "int": "integers", "str": "strings"}


def _short(values: Any) -> str:
    """The repr of a value; of a long sequence its first ten."""
    if not isinstance(values, list | tuple) or len(values) <= 10:
        return repr(list(values) if isinstance(values, tuple) else values)
    return f"[{', '.join(map(repr, values[:10]))}, ... ({len(values)} in all)]"
