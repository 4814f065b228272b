"""Boosting: every likelihood and class loss as the callbacks that LightGBM and XGBoost ask for.

A boosted model adds up trees in the unbounded scale of each parameter (its link); the callbacks tell it where the NLL
falls and how fast. The derivatives come from :mod:`neglog.families` and :mod:`neglog.losses`.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog.compose import family as family_of
from neglog.core.domain import check_number
from neglog.core.observations import Observations
from neglog.errors import DataError, InputKindError, NeglogError, ParameterError, ShapeError, TargetError
from neglog.estimation import fit
from neglog.estimation.rows import ScalarRows
from neglog.families import Categorical
from neglog.families.scalar import ScalarFamily
from neglog.losses.named import AT_LEAST_TWO, class_loss, class_probabilities

Floats = NDArray[Any]
Curvature = Literal["expected", "observed"]


class _Rows(Protocol):
    """The NLL of rows in their raw scores, one column per parameter or class."""

    names: tuple[str, ...]

    def check(self, y: Floats) -> None:
        """Raise if there is a label that the likelihood does not know."""
        ...

    def nll(self, y: Any, raw: Floats) -> Floats:
        """``(n,)``."""
        ...

    def start(self, y: Any, weight: Floats | None) -> Floats:
        """``(outputs,)``: the best scores that are the same for all rows."""
        ...

    def parameters(self, raw: Floats) -> dict[str, Floats]:
        """From scores to what the model says."""
        ...


class Objective:
    r"""The NLL of a family, or a class loss, as objective and metric of LightGBM and XGBoost.

    For each row, with scores :math:`\eta` (one per parameter :math:`\theta_j = g_j^{-1}(\eta_j)`, or one per class),

    .. math:: g_j = w\,\partial \ell / \partial \eta_j, \qquad h_j = w\,I_{jj}(\eta) \text{ or } w\,\partial^2 \ell /
        \partial \eta_j^2

    Parameters
    ----------
    loss : str or family, or name of a class loss
        ``"poisson"``, ``nl.StudentT()``, ``nl.Fixed(nl.StudentT(), df=4.0)``, ``nl.ZeroInflated("poisson")``; or with
        ``classes`` the name of a loss of logits in :mod:`neglog.losses`: ``"cross_entropy"``, ``"focal"``, ...
    rows : Observations, optional
        Censored rows of the training data, in its order; its labels are then not read. Both libraries hand all rows
        to the objective, also where they draw a part of them for each tree.
    natural : bool
        The natural gradient :math:`I(\eta)^{-1} g` with curvature 1 (NGBoost), which does not depend on the scale of
        the parameters. Exact rows only.
    curvature : "expected" or "observed"
        ``"expected"``: the information's diagonal, positive everywhere; families whose information has no closed form
        take it by quadrature, row by row, which is slow. ``"observed"``: the exact second derivative where it is
        positive, and the squared gradient, whose mean is the expected information, where it is not. Default: expected
        for families with a closed form and exact rows, otherwise observed. Class losses: ``|dl/dz_y| p_y`` at the
        target and ``dl/dz_k (1 - p_k)`` elsewhere, which for cross-entropy is the Hessian's diagonal.
    classes : int, optional
        Number of classes of a class loss.
    **options
        The class loss's own: ``gamma=2.0``, ``weight=...``.

    Attributes
    ----------
    outputs : int
        Scores per row: LightGBM and XGBoost call it ``num_class``.
    names : tuple of str
        The parameters they stand for.

    Notes
    -----
    Use :meth:`lightgbm` and :meth:`xgboost` with the libraries' own ``train``, and the object itself, a function of
    ``(y_true, y_pred, sample_weight)``, with their scikit-learn estimators. Both libraries keep labels in single
    precision and apply no weights to the results of an objective, so the callbacks do. Start from :meth:`start`
    (LightGBM: ``init_score``; XGBoost: ``base_margin``), or many rounds go by before the intercept is found.

    The expected curvature has units: that of a location is one over its variance. LightGBM's
    ``min_sum_hessian_in_leaf``, XGBoost's ``min_child_weight`` and both libraries' L2 penalties are compared with sums
    of it, so that labels of large numbers may grow no tree at all: bring them to a scale of about 1, or take
    ``natural=True``. XGBoost's ``multi:softprob`` uses twice the curvature of ``"cross_entropy"``, LightGBM's
    ``multiclass`` K / (K - 1) times.

    Source: Friedman (2001), "Greedy function approximation", Annals of Statistics 29; natural gradient: Duan et al.
    (2020), arXiv:1910.03225.

    Examples
    --------
    >>> import neglog as nl
    >>> objective = nl.Objective("normal")
    >>> objective.outputs, objective.names
    (2, ('loc', 'scale'))
    >>> gradient, curvature = objective([1.0, 3.0], [[0.0, 0.0], [2.0, 0.0]])
    >>> gradient
    array([[-1.,  0.],
           [-1.,  0.]])
    >>> curvature
    array([[1., 2.],
           [1., 2.]])
    """

    def __init__(
        self,
        loss: Any,
        *,
        rows: Observations | None = None,
        natural: bool = False,
        curvature: Curvature | None = None,
        classes: int | None = None,
        **options: Any,
    ) -> None:
        if curvature not in (None, "expected", "observed"):
            raise ParameterError(f"Objective: curvature={curvature!r}; allowed: 'expected', 'observed'")
        if natural and rows is not None:
            raise ParameterError("Objective: natural=True needs exact rows; censored ones have no closed information")
        self._data = rows
        self._rows: _Rows
        if classes is None:
            if options:
                raise ParameterError(f"Objective: {sorted(options)[0]!r} is an option of class losses; give classes=")
            self._rows = of_family = _FamilyRows(loss, curvature, rows is not None)
            self._derivatives = of_family.natural if natural else of_family.derivatives
        else:
            if natural or rows is not None or curvature is not None:
                raise ParameterError("Objective: rows, natural and curvature are for families, not for class losses")
            self._rows = of_classes = _ClassRows(loss, classes, options)
            self._derivatives = of_classes.derivatives

    @property
    def outputs(self) -> int:
        """Scores per row."""
        return len(self._rows.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters, or classes, in the order of the scores."""
        return self._rows.names

    def start(self, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None, rows: int = 0) -> Floats:
        """The scores of the fit without covariates, ``(outputs,)``; with ``rows=n`` repeated, ``(n, outputs)``.

        Give ``(n, outputs)`` to ``lightgbm.Dataset(init_score=)`` or ``xgboost.DMatrix(base_margin=)``; neither
        library adds it again when it predicts. Of ``rows=`` of the objective ``y`` is not read.
        """
        weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        data = self._labels(y)
        scores = self._rows.start(data, weight)
        return np.tile(scores, (rows, 1)) if rows else scores

    def parameters(self, raw: ArrayLike) -> dict[str, Floats]:
        """What scores mean: each parameter of the family by name, or ``{"probs": (n, classes)}``.

        For a loss that is not proper the probabilities are those of :func:`neglog.losses.recover_posterior`; for
        ``mislabel`` and ``forward_correction``, of the true classes; for ``bi_tempered``, its own.
        """
        return self._rows.parameters(self._scores(np.asarray(raw, np.float64)))

    def nll(self, y: ArrayLike | Observations, raw: ArrayLike) -> Floats:
        """Negative log-likelihood (or class loss) of each row, ``(n,)``."""
        data = y if isinstance(y, Observations) else np.asarray(y, np.float64)
        return self._rows.nll(data, self._scores(np.asarray(raw, np.float64)))

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> tuple[Floats, Floats]:
        """(gradient, curvature), each of the shape of ``y_pred``: ``(n,)`` or ``(n, outputs)``.

        Raises
        ------
        DataError, TargetError
            A label outside the support; one that is no class.
        InputKindError
            Where ``lightgbm.train`` or ``xgboost.train`` was given the object in place of its callback.
        """
        for library, data_set in (("lightgbm", "Dataset"), ("xgboost", "DMatrix")):
            if hasattr(y_pred, "get_label") and data_set in type(y_pred).__name__:
                raise InputKindError(f"Objective: {library}.train takes objective.{library}, not the objective itself")
        given = np.asarray(y_pred, np.float64)
        raw, data = self._scores(given), self._labels(y_true)
        if len(raw) != len(data):
            raise ShapeError(f"Objective: {len(raw)} rows of scores for {len(data)} labels")
        gradient, curvature = self._derivatives(data, raw)
        if sample_weight is not None:
            weight = np.asarray(sample_weight, np.float64)[:, None]
            gradient, curvature = gradient * weight, curvature * weight
        return gradient.reshape(given.shape), curvature.reshape(given.shape)

    def lightgbm(self, preds: Floats, train_data: Any) -> tuple[Floats, Floats]:
        """``params["objective"]`` of ``lightgbm.train``, with ``num_class`` = ``outputs``."""
        return self(train_data.get_label(), preds, train_data.get_weight())

    def xgboost(self, preds: Floats, train_data: Any) -> tuple[Floats, Floats]:
        """``obj`` of ``xgboost.train``, with ``num_class`` = ``outputs`` and ``base_score`` 0."""
        return self(train_data.get_label(), preds, _weights(train_data))

    def lightgbm_metric(self, preds: Floats, data: Any) -> tuple[str, float, bool]:
        """``feval`` of ``lightgbm.train``: the weighted mean NLL; smaller is better. Of exact rows, the labels."""
        self._refuse_for_metric("lightgbm_metric", "lightgbm.train(feval=)", data)
        return "nll", self._mean(data.get_label(), preds, data.get_weight()), False

    def xgboost_metric(self, preds: Floats, data: Any) -> tuple[str, float]:
        """``custom_metric`` of ``xgboost.train``: the weighted mean NLL. Of exact rows, the labels."""
        self._refuse_for_metric("xgboost_metric", "xgboost.train(custom_metric=)", data)
        return "nll", self._mean(data.get_label(), preds, _weights(data))

    def _refuse_for_metric(self, name: str, place: str, data: Any) -> None:
        """Where the labels of ``data`` are not what the likelihood is of, or it is no data set."""
        if self._data is not None:
            raise ParameterError(
                f"{name}: labels do not say which rows are censored; write a metric of "
                "objective.nll(rows, scores), with the rows that the scores are of"
            )
        if not hasattr(data, "get_label"):
            raise InputKindError(
                f"{name}: is for {place}; to a scikit-learn estimator give a function of "
                "(y_true, y_pred) that calls objective.nll(y_true, y_pred).mean()"
            )

    def _mean(self, y: Floats, raw: Floats, weight: Floats | None) -> float:
        return float(np.average(self.nll(y, raw), weights=weight))

    def _labels(self, y: ArrayLike | None) -> Observations | Floats:
        if self._data is not None:
            return self._data
        labels = np.asarray(y, np.float64)
        self._rows.check(labels)
        return labels

    def _scores(self, raw: Floats) -> Floats:
        wanted = f"(n, {self.outputs})" if self.outputs > 1 else "(n,) or (n, 1)"
        if raw.ndim == 1 and self.outputs == 1:
            return raw[:, None]
        if raw.ndim != 2 or raw.shape[1] != self.outputs:
            raise ShapeError(
                f"Objective: scores of shape {raw.shape}; allowed: {wanted} for {', '.join(self.names)} "
                f"(num_class={self.outputs})"
            )
        return raw


def _weights(data: Any) -> Floats | None:
    weight = np.asarray(data.get_weight())
    return weight if weight.size else None


def _refuse(y: Floats, good: Floats, allowed: str) -> None:
    if not good.all():
        i = int(np.flatnonzero(~np.ravel(good))[0])
        raise DataError(f"Objective: label {np.ravel(y)[i]:g} in row {i}; {allowed}")


class _FamilyRows:
    def __init__(self, loss: Any, curvature: Curvature | None, censored: bool) -> None:
        self.family = family_of(loss)
        if not isinstance(self.family, ScalarFamily):
            hint = "; give 'cross_entropy' and classes=" if isinstance(self.family, Categorical) else ""
            raise ParameterError(
                f"Objective: {self.family.name} has observations or parameters that are no single numbers{hint}"
            )
        closed = type(self.family)._fisher is not ScalarFamily._fisher  # pyright: ignore[reportPrivateUsage]
        self.expected = (closed and not censored) if curvature is None else curvature == "expected"
        self.names = tuple(parameter.name for parameter in self.family.parameters)

    def check(self, y: Floats) -> None:
        _refuse(y, self.family.support.contains(y), f"allowed: {self.family.name}'s support, {self.family.support}")

    def _model(self, y: Any) -> ScalarRows:
        return ScalarRows(self.family, y, None, {})

    def nll(self, y: Any, raw: Floats) -> Floats:
        return self._model(y).values(slice(0, len(raw)), np.ascontiguousarray(raw.T))

    def derivatives(self, y: Any, raw: Floats) -> tuple[Floats, Floats]:
        model, every, eta = self._model(y), slice(0, len(raw)), np.ascontiguousarray(raw.T)
        diagonal = np.arange(len(eta))
        if self.expected:
            return model.gradient(every, eta)[1].T, model.expected(every, eta)[diagonal, diagonal].T
        _, gradient, hessian = model.derivatives(every, eta)
        observed = hessian[diagonal, diagonal]
        return gradient.T, np.where(observed > 0, observed, gradient * gradient).T

    def natural(self, y: Any, raw: Floats) -> tuple[Floats, Floats]:
        """The gradient measured by the expected information, which leaves a curvature of 1."""
        model, every, eta = self._model(y), slice(0, len(raw)), np.ascontiguousarray(raw.T)
        gradient, information = model.gradient(every, eta)[1], model.expected(every, eta)
        step = np.linalg.solve(np.moveaxis(information, 2, 0), gradient.T[:, :, None])[:, :, 0]
        return step, np.ones_like(step)

    def start(self, y: Any, weight: Floats | None) -> Floats:
        try:
            result = fit(self.family, y, weights=weight)
            values = [result.params[name] for name in self.names] if result.ok else None
        except NeglogError:
            values = None
        if values is None:  # a likelihood without a maximum still has a place to start from
            values = self.family.start(y, weight)
        scores = [p.link.apply(value) for p, value in zip(self.family.parameters, values, strict=True)]
        return np.array(scores, np.float64)

    def parameters(self, raw: Floats) -> dict[str, Floats]:
        links = [(p.name, p.link) for p in self.family.parameters]
        return {name: link.inverse(raw[:, j]) for j, (name, link) in enumerate(links)}


class _ClassRows:
    def __init__(self, loss: Any, classes: int, options: dict[str, Any]) -> None:
        self._value, self._gradient = class_loss("Objective", loss)
        check_number("Objective", "classes", classes, AT_LEAST_TWO)
        if taken := {"axis", "out", "reduction"} & options.keys():
            raise ParameterError(f"Objective: {min(taken)!r} is not for callbacks, whose rows are (n, {classes})")
        self.names = tuple(str(k) for k in range(classes))
        self._loss, self._options = loss, options | {"reduction": "none"}
        self._value(np.zeros((1, classes)), [0], **self._options)  # wrong options are told here, not in a library

    def _codes(self, y: Floats) -> NDArray[np.int64]:
        ignored = y == self._options["ignore_index"] if self._options.get("ignore_index") is not None else False
        bad = ~((y >= 0) & (y < len(self.names)) & (y == np.floor(y)) | ignored)
        if bad.any():
            row = int(bad.argmax())
            raise TargetError(f"Objective: label[{row}] = {y[row]:g}; allowed: integers 0 <= label < {len(self.names)}")
        return y.astype(np.int64)

    def check(self, y: Floats) -> None:
        self._codes(y)

    def nll(self, y: Any, raw: Floats) -> Floats:
        return self._value(raw, self._codes(y), **self._options)

    def derivatives(self, y: Any, raw: Floats) -> tuple[Floats, Floats]:
        target = self._codes(y)
        gradient = self._gradient(raw, target, **self._options)[1]
        probs = np.asarray(Categorical().mean(raw))
        others = np.asarray(Categorical().var(raw)) / np.where(probs > 0, probs, 1.0)  # 1 - p without cancellation
        at = np.arange(len(target)), target
        others[at] = probs[at]
        return gradient, np.abs(gradient) * others

    def start(self, y: Any, weight: Floats | None) -> Floats:
        """Log frequencies, each count half a row higher: a class without rows stays possible."""
        codes = self._codes(y)
        seen = codes >= 0  # not ignored
        count = np.bincount(codes[seen], None if weight is None else weight[seen], minlength=len(self.names))
        count = count[: len(self.names)] + 0.5
        return np.log(count / count.sum())

    def parameters(self, raw: Floats) -> dict[str, Floats]:
        return {"probs": class_probabilities(self._loss, raw, self._options)}
