"""``nl.diagnose``: decides what the output is, and asks the checks of that kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog.diagnosis import binary, classes, real, shapes
from neglog.diagnosis.arrays import as_numpy, by_row, gain, is_coarse, is_tensor, spaced
from neglog.diagnosis.finding import Diagnosis, Finding
from neglog.diagnosis.labels import check_labels, integer_one_hot
from neglog.errors import ParameterError

KINDS = (*classes.KINDS, *real.KINDS)


def diagnose(
    output: Any,
    target: Any,
    kind: str | None = None,
    *,
    axis: int | None = None,
    ignore_index: int = -100,
) -> Diagnosis:
    r"""Looks for the usual mistakes in what goes into a loss: what is wrong, the evidence, what to change.

    Nothing raises for doubtful data; what cannot even be read is a finding, too.

    Parameters
    ----------
    output : array or tensor, or a pair of them
        What the model gives, as it is passed to the loss. Classes: one axis more than ``target``. A pair, or a last
        axis of two: means and variances (or standard deviations) of a normal distribution.
    target : array or tensor
        Class labels (integers), 0/1 targets or shares of the shape of ``output``, or real numbers.
    kind : {"logits", "probs", "logprobs", "mean", "mean_var", "mean_std"}, optional
        What the loss takes ``output`` for: ``"logits"`` for ``cross_entropy`` and
        ``binary_cross_entropy_with_logits``, ``"probs"`` for ``log_loss`` and ``binary_cross_entropy``,
        ``"logprobs"`` for ``nll_loss`` and ``kl_div``, ``"mean_var"`` for ``gaussian_nll_loss``. Default: what it
        looks like; probabilities are then a finding that is not ``certain``, since most losses take logits.
    axis : int, optional
        The class axis. Default: the one that ``target`` lacks.
    ignore_index : int, optional
        A label that marks entries which do not count.

    Returns
    -------
    Diagnosis
        Prints as text; a sequence of :class:`~neglog.diagnosis.Finding` with ``code``, ``title``, ``evidence``,
        ``change``, ``numbers`` and ``certain``; ``ok`` where it is empty.

    Raises
    ------
    ParameterError
        A ``kind`` that there is not; an ``axis`` or ``ignore_index`` that is no integer.

    Notes
    -----
    Beyond about a million values, evenly spaced rows are read. Statistical findings need a difference in NLL of four
    standard errors. What is found: ``double_softmax``, ``double_sigmoid``, ``softmax_twice``, ``probs_as_logprobs``,
    ``logits_as_logprobs``, ``logprobs_as_probs``, ``logits_as_probs``, ``unnormalised``, ``normalised_axis``,
    ``class_axis``, ``class_order``, ``shapes``, ``one_based``, ``one_hot``, ``signed_labels``, ``float_labels``,
    ``target_outside``, ``all_ignored``, ``empty``, ``constant``, ``impossible``, ``not_finite``, ``bounded``,
    ``overconfident``, ``softmax_on_mean``, ``units``, ``std_as_variance``, ``variance_as_std``, ``negative_spread``,
    ``zero_spread``, ``spread``, ``unreadable``.

    Examples
    --------
    >>> import numpy as np
    >>> import neglog as nl
    >>> logits = np.array([[6.0, 1.0, 0.0], [0.0, 5.0, 1.0], [1.0, 0.0, 7.0]])
    >>> nl.diagnose(logits, [0, 1, 2]).ok
    True
    >>> print(nl.diagnose(nl.losses.softmax(logits), [0, 1, 2], "logits"))
    neglog.diagnose: 1 finding; read 3 rows as logits
    <BLANKLINE>
    1. double_softmax: probabilities where cross_entropy takes logits
       evidence: all values lie in [0, 1] and the rows sum to 1. A softmax of them gives no class more
                 than 0.576: cross_entropy cannot fall below log(1 + 2/e) = 0.5514. It is 0.5593; the
                 NLL of these probabilities is 0.0124.
       change:   take the softmax out of the model and pass its logits; if there are only
                 probabilities, nll_loss of their logarithm, or log_loss.
    """
    if kind is not None and kind not in KINDS:
        raise ParameterError(f"diagnose: kind={kind!r}; allowed: {', '.join(KINDS)}")
    for name, value in (("axis", axis), ("ignore_index", ignore_index)):
        if not isinstance(value, int | np.integer) and not (name == "axis" and value is None):
            raise ParameterError(f"diagnose: {name}={value!r}; allowed: an integer")
    output, pair = _as_pair(output, kind)
    values = [as_numpy(part) for part in (output if pair else (output,))]
    t = as_numpy(target)
    for name, array, original in (("output", values[0], output), ("output", values[-1], output), ("target", t, target)):
        if array is None:
            return Diagnosis((shapes.unreadable(name, original),), kind or "unknown", 0, 0)
    assert t is not None
    arrays = [array for array in values if array is not None]
    coarse = any(is_coarse(part) for part in (output if pair else (output,)))
    case = _Case(arrays, t, kind, axis, ignore_index, is_tensor(output), 2e-2 if coarse else 1e-3)
    with np.errstate(all="ignore"):  # inf and NaN are findings, not warnings
        findings = tuple(case.findings(pair))
    return Diagnosis(findings, case.kind or "unknown", case.rows, case.read)


def _as_pair(output: Any, kind: str | None) -> tuple[Any, bool]:
    """Means and spreads as two arrays, if that is what they are."""
    if kind in ("mean_var", "mean_std"):
        if isinstance(output, tuple | list) and len(output) == 2:
            return tuple(output), True
        table: Any = output
        if getattr(table, "shape", ())[-1:] == (2,):  # side by side, as a network gives them
            return (table[..., 0], table[..., 1]), True
    elif kind is None and isinstance(output, tuple) and len(output) == 2:
        return output, all(hasattr(part, "shape") for part in output)  # of lists it may be two rows
    return output, False


class _Case:
    """One call: the arrays as they shrink to what can be checked."""

    def __init__(
        self,
        values: list[NDArray[Any]],
        t: NDArray[Any],
        kind: str | None,
        axis: int | None,
        ignored: int,
        torch: bool,
        tolerance: float,  # of sums that should be one
    ) -> None:
        self.values, self.t, self.kind, self.declared = values, t, kind, kind is not None
        self.axis, self.ignored, self.torch = axis, ignored, torch
        self.rows = self.read = len(t) if t.ndim else 1
        self.tolerance = tolerance

    def findings(self, pair: bool) -> Iterator[Finding]:
        """All of them, in the order in which to mend them."""
        z, t = self.values[0], self.t
        if self.kind in real.KINDS or pair:
            self.kind = self.kind or "mean_var"
            yield from self._real(pair)
        elif z.shape == (*t.shape, 1):  # a column of predictions, or a single class, which says nothing
            yield shapes.mismatch(z, t)
            self.values[0] = z[..., 0]
            yield from self.findings(pair)
        elif z.ndim == t.ndim + 1 and self._has_fractions():
            self.kind = self.kind or "unknown"
            yield shapes.mismatch(z, t)
        elif z.ndim == t.ndim + 1:
            yield from self._classes()
        elif z.ndim == t.ndim and z.shape != t.shape and t.shape[-1:] == (1,) and t.dtype.kind in "iub" and z.ndim > 1:
            yield shapes.extra_axis(z, t)
            self.t = t[..., 0]
            yield from self._classes()
        elif self.kind is None and self._looks_real():
            self.kind = "mean"
            yield from self._real(pair)
        elif z.shape != t.shape:
            self.kind = self.kind or "unknown"
            yield shapes.mismatch(z, t)
        else:
            yield from self._same_shape()

    def _looks_real(self) -> bool:
        t = self.t
        if t.dtype.kind == "b" or not t.size or self._target_is_distribution():
            return False
        finite = t[np.isfinite(t)]
        counts = [int((finite == value).sum()) for value in (-1, 0, 1, 2)]  # labels of two classes, by any count
        return sum(counts) < len(finite) or sum(count > 0 for count in counts) > 2

    def _has_fractions(self) -> bool:
        """Whether targets cannot be labels."""
        t = self.t
        return t.dtype.kind == "f" and bool((np.isfinite(t) & (t != np.floor(t))).any())

    def _target_is_distribution(self) -> bool:
        t = self.t
        if t.ndim < 2 or t.shape[-1] < 2 or t.shape != self.values[0].shape:
            return False
        return bool((t >= 0).all() and (abs(t.astype(np.float64).sum(-1) - 1) <= self.tolerance).all())

    def _classes(self) -> Iterator[Finding]:
        z, y = self.values[0], self.t
        axis = self.axis
        if axis is None:
            axis = self._class_axis()
        if axis is None or not -z.ndim <= axis < z.ndim or np.delete(z.shape, axis).tolist() != list(y.shape):
            self.kind = self.kind or "unknown"
            yield shapes.mismatch(z, y)
            return
        elsewhere = list(self._other_axis(axis % z.ndim))
        yield from elsewhere
        yield from check_labels(y, z.shape[axis], self.ignored)
        if not elsewhere:
            rows = np.moveaxis(z, axis, -1).reshape(y.size, z.shape[axis])
            yield from self._row_findings(rows, y.reshape(-1))
        self.kind = self.kind or "logits"

    def _class_axis(self) -> int | None:
        """The axis that the target lacks; of several, the one that this library and torch assume."""
        z, y = self.values[0], self.t
        fits = [i for i in range(z.ndim) if z.shape[:i] + z.shape[i + 1 :] == y.shape]
        usual = 1 if self.torch and z.ndim > 1 else z.ndim - 1
        return usual if usual in fits else fits[-1] if fits else None

    def _other_axis(self, axis: int) -> Iterator[Finding]:
        """Whether the classes, or the softmax, lie along another axis."""
        z = self.values[0]
        if self.axis is None and z.ndim > 1 and axis not in (1, z.ndim - 1):
            yield shapes.class_axis(z, axis, "its shape fits the target only with the classes along that axis")
        elif self.axis is None and self.torch and z.ndim > 2 and axis != 1:
            yield shapes.class_axis(z, axis, "torch takes them along axis 1")
        elif self.axis is None and z.ndim > 1:
            better = self._better_axis(axis)
            if better is not None:
                yield better
        if z.dtype.kind == "f" and z.size and np.isfinite(z).all():
            for other in range(z.ndim):
                if other != axis and z.shape[other] > 1 and self._sums_to_one(other) and not self._sums_to_one(axis):
                    yield shapes.normalised_axis(z, axis, other)

    def _sums_to_one(self, axis: int) -> bool:
        z = self.values[0].astype(np.float64)
        logs = bool((z <= self.tolerance).all())
        if not logs and not bool((z >= 0).all()):
            return False
        return bool((abs((np.exp(z) if logs else z).sum(axis) - 1) <= self.tolerance).all())

    def _better_axis(self, axis: int) -> Finding | None:
        """Another axis that fits as well, along which the labels are far more probable."""
        z, y = self.values[0], self.t
        fits = [i for i in range(z.ndim) if i != axis and z.shape[:i] + z.shape[i + 1 :] == y.shape]
        counted = (y != self.ignored) & (y >= 0) & (y < z.shape[axis])
        if not fits or not counted.any() or not np.isfinite(z).all():
            return None

        def losses(along: int) -> Any:
            rows = np.moveaxis(z, along, -1)[counted].astype(np.float64)
            return classes.Rows(rows, y[counted].astype(np.int64), self.tolerance).losses

        usual = losses(axis)
        for other in fits:
            mean, errors = gain(usual, losses(other))
            if errors > 4 and mean > 0.25 * usual.mean():
                return shapes.class_axis(
                    z, other, f"the NLL there is {usual.mean() - mean:.4f}, along axis {axis} it is {usual.mean():.4f}"
                )
        return None

    def _row_findings(self, z: NDArray[Any], y: NDArray[Any], shares: NDArray[Any] | None = None) -> Iterator[Finding]:
        chosen = spaced(*z.shape) if z.size else slice(None)
        rows, labels = z[chosen].astype(np.float64), y[chosen]
        self.rows, self.read = len(z), len(rows)
        labels = np.where(np.isfinite(labels), labels, -1).astype(np.int64)
        counted = (labels != self.ignored) & (labels >= 0) & (labels < rows.shape[1])
        bad = np.isnan(rows).any(1) | np.isposinf(rows).any(1) | np.isneginf(rows).all(1)
        if (bad & counted).any():
            yield shapes.not_finite(rows, bad & counted)
        good = counted & ~bad
        parts = shares[chosen][good] if shares is not None else None
        found = classes.Rows(rows[good], labels[good], self.tolerance, parts)
        if self.kind is None:
            self.kind = classes.guess(found) if len(found.y) else "logits"
        yield from classes.check_rows(found, self.kind, self.declared)

    def _same_shape(self) -> Iterator[Finding]:
        """Classes with a probability each, or yes-or-no targets."""
        z, t = self.values[0].astype(np.float64), self.t.astype(np.float64)
        if self._target_is_distribution():
            if self.t.dtype.kind in "iu":
                yield integer_one_hot(self.t)
            rows, shares = z.reshape(-1, z.shape[-1]), t.reshape(-1, z.shape[-1])
            yield from self._row_findings(rows, shares.argmax(1), shares)
            return
        targets = list(binary.check_targets(t))
        yield from targets
        bad = np.isnan(z) if self.kind != "probs" else ~np.isfinite(z)
        if bad.any():
            yield shapes.not_finite(z, bad)
        chosen = (~bad & np.isfinite(t) & (t >= 0) & (t <= 1)).ravel()
        x, t = z.ravel()[chosen], t.ravel()[chosen]
        part = spaced(len(x), 1) if len(x) else slice(None)
        x, t = x[part], t[part]
        if self.kind is None:
            self.kind = "logits"
        if not targets and len(x):
            yield from binary.check_scores(x, t, self.kind, self.declared)

    def _real(self, pair: bool) -> Iterator[Finding]:
        arrays = [*self.values, self.t]
        if len({array.shape for array in arrays}) > 1:
            yield shapes.mismatch(self.values[0], self.t)
            arrays = [a[..., 0] if a.ndim > 1 and a.shape[-1] == 1 else a for a in arrays]
            if len({array.shape for array in arrays}) > 1:
                return
        if not self.t.ndim:
            arrays = [np.atleast_1d(a) for a in arrays]
        chosen = spaced(len(arrays[0]), max(1, arrays[0].size // max(1, len(arrays[0]))))
        arrays = [np.asarray(a[chosen], np.float64) for a in arrays]
        self.read = len(arrays[0])
        if not arrays[0].size:
            yield Finding("empty", "no rows", "the target has no entries.", "look at what selected the rows.")
            return
        bad = np.logical_or.reduce([~np.isfinite(a) for a in arrays])
        if bad.any():
            yield shapes.not_finite(arrays[0], bad)
            arrays = [a[~by_row(bad)] for a in arrays]
        mean, t = arrays[0], arrays[-1]
        if len(t) < 2:
            return
        found = list(real.check_mean(mean, t, self.tolerance))
        yield from found
        if pair and not found:
            yield from real.check_spread(mean, arrays[1], t, str(self.kind))
