"""Binary cross-entropy of probabilities and of logits, and its mean over labels, in torch's names and signatures."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from neglog.errors import ShapeError
from neglog.torch.arguments import Empty, Reduction, legacy
from neglog.torch.elementwise import elementwise


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Negative log-likelihood of yes/no outcomes whose probabilities are given.

    .. math:: -w \left[ t \log p + (1 - t) \log(1 - p) \right]

    Parameters
    ----------
    input : tensor
        Probabilities ``p`` in [0, 1]: float16, bfloat16, float32 or float64, in any memory layout; never modified.
    target : tensor of the same shape
        ``t`` in [0, 1], of any real dtype or bool; soft targets are allowed, and may require a gradient.
    weight : tensor that broadcasts to the target, optional
        ``w``, multiplies each loss. As in torch the mean does not divide by it (``denominator="weights"`` does). One
        number, and the last axes of a contiguous input, are read as they are; any other broadcast is written out.
    size_average, reduce : bool, optional
        torch's older names for ``reduction``.
    reduction : "mean", "sum" or "none"
        ``"none"`` has the shape of the target, with elements that take no part exactly 0.
    sample_weight : tensor of the target's shape, optional
        Multiplies each loss; the mean divides by its sum.
    mask : bool tensor of the target's shape, optional
        True takes part.
    denominator : optional
        What the mean divides by. None: the number of elements that take part, each counting its ``sample_weight``.
        ``"count"``: their number. ``"weights"``: the sum of ``weight * sample_weight``. A number or 0-d tensor:
        itself. A process group: the divisor of the whole over the number of ranks.
    empty : "zero", "nan" or "raise"
        The mean when nothing takes part; ``"zero"`` has a live graph and zero gradient.
    check : bool
        Look at every value on any device (which waits for it); on the CPU that happens anyway.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    InputKindError
        A probability or target outside [0, 1] that takes part; a dtype that cannot be used.
    ShapeError
        Shapes that do not match; nothing is broadcast.
    ParameterError
        An option outside what is allowed.

    Notes
    -----
    Nothing is clamped: ``p = 0`` with ``t > 0`` gives ``+inf`` (torch: 100 t) and ``0 * log 0 = 0``. Elements that are
    masked or of zero weight are never read. A mean over nothing is 0.

    Source: Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.90.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> p = torch.tensor([0.9, 0.2], requires_grad=True)
    >>> loss = nlt.binary_cross_entropy(p, torch.tensor([1.0, 0.0]))
    >>> loss.backward()
    >>> print(f"{loss.item():.6f}", [f"{g:.6f}" for g in p.grad.tolist()])
    0.164252 ['-0.555556', '0.625000']
    """
    if size_average is not None or reduce is not None:
        reduction = legacy(reduction, size_average, reduce)
    return elementwise(
        "binary_cross_entropy", "bce", input, target, weight, None,
        sample_weight, mask, reduction, denominator, empty, check,
    )  # fmt: skip


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
    pos_weight: Tensor | None = None,
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Negative log-likelihood of yes/no outcomes whose log-odds are given.

    .. math:: w \left[ (1 - t) \log(1 + e^x) + w_+ t \log(1 + e^{-x}) \right]

    Parameters
    ----------
    input : tensor
        ``x``, the log-odds of yes: float16, bfloat16, float32 or float64, in any memory layout; never modified.
    target : tensor of the same shape
        ``t`` in [0, 1], of any real dtype or bool; soft targets are allowed, and may require a gradient.
    pos_weight : tensor that broadcasts to the target, optional
        ``w_+``, multiplies the term of the positives: ``(C,)`` for one weight per label.
    weight, size_average, reduce, reduction, sample_weight, mask, denominator, empty, check
        As in :func:`binary_cross_entropy`.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    InputKindError
        A target outside [0, 1] that takes part; a dtype that cannot be used.
    ShapeError
        Shapes that do not match; nothing is broadcast.
    ParameterError
        An option outside what is allowed.

    Notes
    -----
    Both terms have one sign, so nothing cancels: ``x = 40, t = 1`` gives 4.2e-18, and a gradient of that size. An
    infinite logit that is right costs nothing, one that is wrong ``+inf``.

    Source: Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.90 with 4.59.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> x = torch.tensor([40.0, -1.0], dtype=torch.float64, requires_grad=True)
    >>> loss = nlt.binary_cross_entropy_with_logits(x, torch.tensor([1, 0]), reduction="none")
    >>> print([f"{value:.6g}" for value in loss.tolist()])
    ['4.24835e-18', '0.313262']
    """
    if size_average is not None or reduce is not None:
        reduction = legacy(reduction, size_average, reduce)
    return elementwise(
        "binary_cross_entropy_with_logits", "bce_with_logits", input, target, weight, pos_weight,
        sample_weight, mask, reduction, denominator, empty, check,
    )  # fmt: skip


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Binary cross-entropy of several labels, averaged over the labels of each sample.

    .. math:: \frac1C \sum_k w_k \left[ (1 - t_k) \log(1 + e^{x_k}) + t_k \log(1 + e^{-x_k}) \right]

    Parameters
    ----------
    input : (C,) or (..., C) tensor
        ``x``, the log-odds of each label, the labels along the last axis.
    target : tensor of the same shape
        ``t`` in [0, 1], of any real dtype or bool.
    weight : tensor that broadcasts to the target, optional
        ``w``, usually ``(C,)``.
    reduction : "mean", "sum" or "none"
        Over samples: ``"none"`` has the shape of the target without its last axis.
    sample_weight, mask : tensors of that shape, optional
        One value per sample.
    denominator : optional
        As in :func:`binary_cross_entropy`, counting samples.
    size_average, reduce, empty, check
        As in :func:`binary_cross_entropy`.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    InputKindError
        A target outside [0, 1] that takes part; a dtype that cannot be used.
    ShapeError
        Shapes that do not match, or input without labels.
    ParameterError
        An option outside what is allowed.

    Notes
    -----
    The edges are those of :func:`binary_cross_entropy_with_logits`. An input whose samples do not lie one after the
    other in memory is copied.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> x, t = torch.tensor([[2.0, -1.0], [0.0, 0.0]]), torch.tensor([[1, 0], [1, 0]])
    >>> nlt.multilabel_soft_margin_loss(x, t, reduction="none")
    tensor([0.2201, 0.6931])
    """
    function = "multilabel_soft_margin_loss"
    if not input.dim() or not input.shape[-1]:
        raise ShapeError(
            f"{function}: input has shape {tuple(input.shape)}; allowed: (C,) or (..., C), "
            "with at least one label along the last axis"
        )
    if size_average is not None or reduce is not None:
        reduction = legacy(reduction, size_average, reduce)
    return elementwise(
        function, "bce_with_logits", input, target, weight, None,
        sample_weight, mask, reduction, denominator, empty, check, by_row=True,
    )  # fmt: skip
