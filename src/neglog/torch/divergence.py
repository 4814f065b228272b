"""Kullback-Leibler divergence in torch's name and signature."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor

from neglog.torch.arguments import Empty, Reduction, legacy
from neglog.torch.elementwise import elementwise


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction | Literal["batchmean"] = "mean",
    log_target: bool = False,
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Kullback-Leibler divergence of a model from a target distribution, element by element.

    .. math:: q \log q - q\, x \quad\text{or}\quad e^t (t - x), \qquad x = \log p,\ t = \log q

    Parameters
    ----------
    input : tensor
        ``x``, log-probabilities of the model: float16, bfloat16, float32 or float64, in any memory layout; never
        modified.
    target : tensor of the same shape
        Probabilities ``q``, or log-probabilities ``t`` with ``log_target``; it may require a gradient.
    size_average, reduce : bool, optional
        torch's older names for ``reduction``.
    reduction : "mean", "batchmean", "sum" or "none"
        ``"mean"`` divides by the number of *elements*, as torch does; ``"batchmean"`` by the entries of the first axis
        in which something takes part, which is the divergence per distribution.
    log_target : bool
        Whether ``target`` holds logarithms.
    sample_weight : tensor of the target's shape, optional
        Multiplies each element; the mean divides by its sum.
    mask : bool tensor of the target's shape, optional
        True takes part.
    denominator, empty, check
        As in :func:`binary_cross_entropy`.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    InputKindError
        A target outside [0, 1] that takes part, or a log-probability (of the model where the target has mass, or a
        target with ``log_target``) above 0 by more than rounding: 1e-8 in float64, 3e-4 in float32, 0.03 in half
        precision.
    ShapeError
        Shapes that do not match; nothing is broadcast.
    ParameterError
        An option outside what is allowed.

    Notes
    -----
    ``0 * log 0 = 0`` also where ``x`` is ``-inf``: a class that both sides mask has value and gradients 0. ``q > 0``
    there gives ``+inf``. Single elements may be negative, a sum over normalised distributions is not. The slope in
    ``q`` at 0 is ``-inf``; with ``log_target`` it is 0, which suits a target that learns. torch's warning that
    ``"mean"`` will change is not repeated, since here it does not.

    Source: Kullback and Leibler, "On information and sufficiency", Annals of Mathematical Statistics 22 (1951).

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> p, q = torch.tensor([[0.1, 0.6, 0.3]]), torch.tensor([[0.2, 0.5, 0.3]])
    >>> nlt.kl_div(p.log(), q, reduction="batchmean")
    tensor(0.0475)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy("mean", size_average, reduce)
    return elementwise(
        "kl_div", "kl_div_log_target" if log_target else "kl_div", input, target, None, None,
        sample_weight, mask, reduction, denominator, empty, check,
    )  # fmt: skip
