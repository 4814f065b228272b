"""Losses of all probabilities of a row: bi-tempered logistic, density power divergence, forward correction."""

from __future__ import annotations

from functools import partial
from typing import Any

from neglog.core import tempered as temperatures
from neglog.core.arrays import Array
from neglog.core.reduce import Denominator, Empty, Kind
from neglog.losses.classification import Options, evaluate


def bi_tempered(
    logits: Any,
    target: Any,
    *,
    t1: float = 0.8,
    t2: float = 1.2,
    axis: int = -1,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Any:
    r"""Bi-tempered logistic loss: bounded for outliers, with a heavy-tailed softmax for labels near the boundary.

    .. math:: \sum_k q_k (\log_{t_1} q_k - \log_{t_1} p_k) - \frac{q_k^{2 - t_1} - p_k^{2 - t_1}}{2 - t_1}, \qquad
        p_k = \exp_{t_2}(z_k - \lambda), \quad \sum_k p_k = 1

    with :math:`\log_t u = (u^{1-t} - 1) / (1 - t)` and :math:`\exp_t` its inverse, 0 where it has none.

    Parameters
    ----------
    logits : (..., C, ...) array
        ``z``: float16, bfloat16 (ml_dtypes), float32 or float64; called activations where ``t2`` is not 1.
    target : array
        Class indices, or probabilities ``q`` of the shape of ``logits``.
    t1 : float <= 1
        Below 1 the loss of a row with a class index is at most ``1 / (1 - t1)``.
    t2 : float > 0
        Above 1 probabilities fall as a power of the distance, below 1 they reach 0 at a finite one.
    label_smoothing : float in [0, 1]
        With class indices: the target keeps ``1 - eps``, the other classes share ``eps`` (the paper's code; not what
        :func:`cross_entropy` does).
    weight : (C,) array, optional
        Class weights; a row of probabilities has the weight ``sum_k w_k q_k``.
    axis, sample_weight, mask, ignore_index, reduction, denominator, empty, check
        As in :func:`cross_entropy`.

    Returns
    -------
    The loss in nats: float64 for float64 logits, float32 for narrower ones.

    Raises
    ------
    ParameterError
        ``t1`` or ``t2`` outside its domain.
    TargetError, ShapeError, InputKindError
        As :func:`cross_entropy`.

    Notes
    -----
    ``t1 = t2 = 1`` is cross-entropy for class indices, and its limit for probabilities: the Kullback-Leibler
    divergence, where the paper's code jumps to cross-entropy. The normaliser is solved to rounding (Newton, which
    cannot overshoot here); the paper's code stops after 5 steps. A class with ``-inf`` is masked.

    Source: Amid, Warmuth, Anil, Koren (2019), "Robust Bi-Tempered Logistic Loss Based on Bregman Divergences",
    arXiv:1906.03361, equations 1 to 6.

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.bi_tempered([[-0.5, 0.1, 2.0]], [[0.2, 0.3, 0.5]], t1=0.5, t2=1.5).round(8))
    0.02301914
    """
    options = Options(
        axis, weight, sample_weight, mask, ignore_index, label_smoothing, reduction, denominator, empty, check
    )
    return evaluate(
        "bi_tempered", logits, target, options, None, False, temperatures.bi_tempered("bi_tempered", t1, t2)
    )[0]


def bi_tempered_grad(
    logits: Any,
    target: Any,
    *,
    t1: float = 0.8,
    t2: float = 1.2,
    axis: int = -1,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    check: bool = False,
    out: Array | None = None,
) -> tuple[Any, Array]:
    r"""Bi-tempered logistic loss and its gradient in the logits.

    .. math:: \delta_k - e_k \textstyle\sum_j \delta_j, \qquad \delta_k = (p_k - q_k) p_k^{t_2 - t_1}, \quad
        e_k = p_k^{t_2} / \textstyle\sum_j p_j^{t_2}

    Parameters
    ----------
    logits, target, t1, t2, axis, weight, sample_weight, mask, ignore_index, label_smoothing, reduction, denominator,
    empty, check
        As in :func:`bi_tempered`.
    out : array of the shape and dtype of ``logits``, optional
        Receives the gradient; may be ``logits``.

    Returns
    -------
    (loss, gradient)

    Examples
    --------
    >>> import neglog as nl
    >>> loss, gradient = nl.losses.bi_tempered_grad([[2.0, 1.0, 0.1]], [0], t1=1.0, t2=1.0)
    >>> print(loss.round(6), gradient.round(6))
    0.41703 [[-0.340999  0.242433  0.098566]]
    """
    options = Options(
        axis, weight, sample_weight, mask, ignore_index, label_smoothing, reduction, denominator, empty, check
    )
    return evaluate(
        "bi_tempered_grad", logits, target, options, out, True, temperatures.bi_tempered("bi_tempered_grad", t1, t2)
    )


def density_power(
    logits: Any,
    target: Any,
    *,
    beta: float = 0.5,
    axis: int = -1,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    ignore_index: int | None = None,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Any:
    r"""Density power divergence of a class: from cross-entropy (``beta = 0``) to the Brier score (``beta = 1``).

    .. math:: \sum_k p_k^{1 + \beta} - \Bigl(1 + \frac1\beta\Bigr) p_y^\beta + \frac1\beta, \qquad
        p = \operatorname{softmax}(z)

    Parameters
    ----------
    logits : (..., C, ...) array
        ``z``: float16, bfloat16 (ml_dtypes), float32 or float64.
    target : array
        Class indices; probabilities ``q`` give :math:`(1 + \beta)` times the Bregman divergence from ``q`` to ``p``.
    beta : float >= 0
        Robustness; the loss of a class index is bounded by ``1 + 1 / beta``.
    axis, weight, sample_weight, mask, ignore_index, reduction, denominator, empty, check
        As in :func:`bi_tempered`.

    Returns
    -------
    The loss in nats (at ``beta = 0``): float64 for float64 logits, float32 for narrower ones.

    Raises
    ------
    ParameterError
        ``beta`` outside its domain.
    TargetError, ShapeError, InputKindError
        As :func:`cross_entropy`.

    Notes
    -----
    Strictly proper: unlike most robust losses, ``softmax(z)`` is the posterior at its minimum. The pull of an outlier
    goes to 0, for small ``beta`` only far out. It is ``1 + beta`` times
    :func:`bi_tempered` with ``t1 = 1 - beta, t2 = 1``. For regression: :func:`neglog.torch.gaussian_density_power`.

    Source: Basu, Harris, Hjort, Jones (1998), "Robust and efficient estimation by minimising a density power
    divergence", Biometrika 85.

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.density_power([[2.0, 1.0, 0.1]], [0], beta=0.5).round(6))
    0.249916
    """
    options = Options(axis, weight, sample_weight, mask, ignore_index, 0.0, reduction, denominator, empty, check)
    return evaluate(
        "density_power", logits, target, options, None, False, temperatures.density_power("density_power", beta)
    )[0]


def density_power_grad(
    logits: Any,
    target: Any,
    *,
    beta: float = 0.5,
    axis: int = -1,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    ignore_index: int | None = None,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    check: bool = False,
    out: Array | None = None,
) -> tuple[Any, Array]:
    r"""Density power divergence and its gradient in the logits.

    .. math:: (1 + \beta) \bigl[p_k^{1+\beta} - p_k S - p_y^\beta (\delta_{ky} - p_k)\bigr], \qquad
        S = \textstyle\sum_k p_k^{1+\beta}

    Parameters
    ----------
    logits, target, beta, axis, weight, sample_weight, mask, ignore_index, reduction, denominator, empty, check
        As in :func:`density_power`.
    out : array of the shape and dtype of ``logits``, optional
        Receives the gradient; may be ``logits``.

    Returns
    -------
    (loss, gradient)

    Examples
    --------
    >>> import neglog as nl
    >>> loss, gradient = nl.losses.density_power_grad([[2.0, 1.0, 0.1]], [0], beta=0.5)
    >>> print(loss.round(6), gradient.round(6))
    0.249916 [[-0.290177  0.225056  0.065121]]
    """
    options = Options(axis, weight, sample_weight, mask, ignore_index, 0.0, reduction, denominator, empty, check)
    native = temperatures.density_power("density_power_grad", beta)
    return evaluate("density_power_grad", logits, target, options, out, True, native)


def forward_correction(
    logits: Any,
    target: Any,
    transition: Any,
    *,
    axis: int = -1,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    ignore_index: int | None = None,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Any:
    r"""NLL of labels that were changed with known probabilities.

    .. math:: -\log \sum_j T_{jy} p_j, \qquad p = \operatorname{softmax}(z), \quad T_{jk} = P(\text{observed } k \mid
        \text{true } j)

    Parameters
    ----------
    logits : (..., C, ...) array
        ``z`` of the true classes: float16, bfloat16 (ml_dtypes), float32 or float64.
    target : integer array
        Observed classes.
    transition : (C, C) array
        ``T``: its rows, one per true class, sum to one.
    axis, weight, sample_weight, mask, ignore_index, reduction, denominator, empty, check
        As in :func:`cross_entropy`.

    Returns
    -------
    The loss in nats: float64 for float64 logits, float32 for narrower ones.

    Raises
    ------
    ParameterError
        A transition that is no probability, or whose rows do not sum to one within 1e-6 (half precision: 0.008).
    ShapeError
        A transition that is not (C, C).
    TargetError, InputKindError
        As :func:`cross_entropy`.

    Notes
    -----
    A likelihood, so at its minimum ``softmax(z)`` are the probabilities of the true classes. The identity gives
    cross-entropy, ``(1 - c) I + c / C`` is :func:`mislabel`. A label that the transition makes impossible for every
    class that is left has loss ``+inf``.

    Source: Patrini et al. (2017), "Making Deep Neural Networks Robust to Label Noise: a Loss Correction Approach",
    arXiv:1609.03683, theorem 2.

    Examples
    --------
    >>> import numpy as np, neglog as nl
    >>> transition = 0.95 * np.eye(3) + 0.05 / 3
    >>> print(nl.losses.forward_correction([[2.0, 1.0, 0.1]], [0], transition).round(6))
    0.44205
    """
    name = "forward_correction"
    options = Options(axis, weight, sample_weight, mask, ignore_index, 0.0, reduction, denominator, empty, check)
    table = partial(temperatures.transition_table, name, transition)
    native = temperatures.row_loss(name, [])
    return evaluate(name, logits, target, options, None, False, native, transition=table, probabilities=False)[0]


def forward_correction_grad(
    logits: Any,
    target: Any,
    transition: Any,
    *,
    axis: int = -1,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    ignore_index: int | None = None,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    check: bool = False,
    out: Array | None = None,
) -> tuple[Any, Array]:
    r"""Forward correction and its gradient in the logits, :math:`p_k (1 - T_{ky} / \sum_j T_{jy} p_j)`.

    Parameters
    ----------
    logits, target, transition, axis, weight, sample_weight, mask, ignore_index, reduction, denominator, empty, check
        As in :func:`forward_correction`.
    out : array of the shape and dtype of ``logits``, optional
        Receives the gradient; may be ``logits``.

    Returns
    -------
    (loss, gradient)

    Examples
    --------
    >>> import numpy as np, neglog as nl
    >>> loss, gradient = nl.losses.forward_correction_grad([[40.0, 0.0]], [0], np.eye(2))
    >>> print(gradient)
    [[-4.24835426e-18  4.24835426e-18]]
    """
    name = "forward_correction_grad"
    options = Options(axis, weight, sample_weight, mask, ignore_index, 0.0, reduction, denominator, empty, check)
    table = partial(temperatures.transition_table, name, transition)
    native = temperatures.row_loss(name, [])
    return evaluate(name, logits, target, options, out, True, native, transition=table, probabilities=False)
