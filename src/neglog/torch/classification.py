"""Cross-entropy of logits in torch's name and signature."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from neglog.errors import ParameterError
from neglog.torch import reference
from neglog.torch.arguments import (
    Empty,
    Reduction,
    boolean,
    divisor_for,
    floating,
    integer,
    legacy,
    per_entry,
    positive,
    result_dtype,
    tensors,
)
from neglog.torch.fused import by_kernel, evaluate
from neglog.torch.parallel import is_group, share, total_weight
from neglog.torch.reduction import divided
from neglog.torch.routing import Way, way_for
from neglog.torch.softmax_nll import PlainMean, SoftmaxNLL
from neglog.torch.targets import (
    check_class_mask,
    check_indices,
    check_probabilities,
    check_sums,
    class_axis,
    class_indices,
    class_weight,
    probabilities,
)

_ONE, _ZERO = 1.0, 0.0  # defaults compared by identity: a 0-d tensor would answer == with a tensor


def _small(input: Tensor, target: Tensor, ignore_index: int) -> Tensor | None:
    """The plain mean of few rows; None if it is not that.

    For (8, 10) the general way takes 8 us before it reaches the kernel, which takes 0.7; torch takes 4.3 in all.
    """
    if (
        way_for(input, (target,)) is not Way.KERNEL
        or input.dim() != 2
        or not input.is_contiguous()
        or target.dtype is not torch.int64
        or target.dim() != 1
        or not target.is_contiguous()
        or type(ignore_index) is not int
    ):
        return None
    rows, classes = input.shape
    if target.numel() != rows or not 0 < rows * classes < 4096:
        return None
    return by_kernel(PlainMean(target, ignore_index, rows, classes), input)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
    *,
    dim: int | None = None,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    class_mask: Tensor | None = None,
    denominator: Any = None,
    temperature: float | Tensor = _ONE,
    softcap: float | Tensor | None = None,
    z_loss: float | Tensor = _ZERO,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Negative log-likelihood of classes under a softmax: :func:`torch.nn.functional.cross_entropy`, and more.

    .. math:: \sum_k a_k (\operatorname{lse} - z'_k) + \zeta A \operatorname{lse}^2, \qquad
        \operatorname{lse} = \log \sum_k e^{z'_k}, \qquad z' = c \tanh(z / c) / T

    with :math:`a_k = w_k ((1 - \epsilon) t_k + \epsilon / C')`, :math:`A = \sum_k a_k` and :math:`t` the one-hot vector
    of a class index or given probabilities.

    Parameters
    ----------
    input : (C,), (N, C) or (N, C, d1, ...) tensor
        Logits ``z``: float16, bfloat16, float32 or float64. Any memory layout; never modified.
    target : tensor
        An integer tensor of the shape without the class axis holds class indices; a floating one of the shape of
        ``input`` holds probabilities ``t``. The dtype decides, never the shape.
    weight : (C,) tensor, optional
        Class weights ``w``.
    size_average, reduce : bool, optional
        torch's older names for ``reduction``.
    ignore_index : int
        Class index that takes no part; inside or outside ``[0, C)``. Without effect on probabilities if negative.
    reduction : "mean", "sum" or "none"
        ``"none"`` has the shape of the target, with entries that take no part exactly 0.
    label_smoothing : float in [0, 1]
        ``eps``, spread over the ``C'`` classes whose logit is not ``-inf``.
    dim : int, optional
        The class axis. Default: torch's, 1 (0 without a batch).
    sample_weight : tensor of one value per target, optional
        Multiplies each target's loss; the mean divides by its sum.
    mask : bool tensor of one value per target, optional
        True takes part.
    class_mask : bool tensor, (C,) or what broadcasts to ``input``, optional
        False removes a class from the softmax: probability and gradient exactly 0.
    denominator : optional
        What the mean divides by. None: as torch does, the sum of ``weight[target]`` for indices and the number of
        targets for probabilities, each target counting its ``sample_weight``. ``"count"``: the number of targets that
        take part. ``"weights"``: the sum of ``weight * sample_weight``. A number or 0-d tensor: itself, so that the
        parts of a split batch add up to the whole. A process group: the divisor of the whole over the number of
        ranks, so that averaged gradients are those of the global mean.
    temperature : float or 0-d tensor
        ``T``, divides the (soft-capped) logits.
    softcap : float or 0-d tensor, optional
        ``c``, bounds the logits to ``(-c, c)``.
    z_loss : float or 0-d tensor
        ``zeta``, keeps the normaliser near 1 (weighted as the loss itself).
    empty : "zero", "nan" or "raise"
        The mean when nothing takes part; ``"zero"`` has a live graph and zero gradient.
    check : bool
        Look at every target on any device (which waits for it), and require that probabilities sum to one.

    Returns
    -------
    Tensor in nats: float64 for float64 logits, float32 for narrower ones, whatever the options.

    Raises
    ------
    TargetError
        A class index outside ``[0, C)`` that is not ignored: at the call on CPU, also compiled.
    ShapeError
        Shapes that do not match; nothing is broadcast.
    InputKindError
        A probability outside [0, 1], or a dtype that cannot be used.
    ParameterError
        An option outside what is allowed.

    Notes
    -----
    Entries that take no part are never read. A logit of ``-inf`` is a masked class, and ``0 * log 0 = 0``. The
    target's logit ``-inf`` gives ``+inf``; all ``-inf`` or a ``+inf`` gives NaN. A confident correct prediction keeps
    its loss and its gradient. On CPU one fused pass gives loss and gradient, without a copy of the logits. Where torch
    differs: docs/differences.md.

    Source: Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.108; label smoothing: Szegedy et al.
    (2016), arXiv:1512.00567, section 7; z-loss: Chowdhery et al. (2022), arXiv:2204.02311, section 5; soft cap: Gemma
    Team (2024), arXiv:2408.00118, section 2.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> logits = torch.tensor([[2.0, 1.0, 0.1], [0.5, -1.0, 0.3]], requires_grad=True)
    >>> loss = nlt.cross_entropy(logits, torch.tensor([0, -100]))
    >>> loss.backward()
    >>> print(f"{loss.item():.6f}", [f"{g:.6f}" for g in logits.grad[0].tolist()])
    0.417030 ['-0.340999', '0.242433', '0.098566']
    """
    if size_average is not None or reduce is not None:
        reduction = legacy(reduction, size_average, reduce)
    plain = weight is None and sample_weight is None and mask is None and class_mask is None and denominator is None
    plain = plain and dim is None and reduction == "mean" and empty == "zero" and label_smoothing == 0.0
    if plain and temperature is _ONE and z_loss is _ZERO and softcap is None and not check:
        value = _small(input, target, ignore_index)
        if value is not None:
            return value
    loss, x = prepared(
        "cross_entropy", input, target, weight, ignore_index, label_smoothing, dim, sample_weight, mask, class_mask,
        temperature, softcap, z_loss, check,
    )  # fmt: skip
    return finished("cross_entropy", loss, x, input, reduction, denominator, empty)


def finished(
    function: str, loss: SoftmaxNLL, x: Tensor, input: Tensor, reduction: Reduction, denominator: Any, empty: Empty
) -> Tensor:
    """The value of what :func:`prepared` has made, reduced as the caller asks."""
    if denominator is not None and is_group(denominator):
        denominator = share(function, divisor_of_mean(loss), denominator)
    by_reference = isinstance(loss.z_loss, Tensor)
    if reduction == "mean" and denominator is None and empty == "zero" and not by_reference:
        value = evaluate(loss, x)
        return value if x is input else value.to(result_dtype(input))
    divisor = divisor_for(function, reduction, denominator, empty, loss.reduction)
    if divisor.reduction != loss.reduction or empty != "zero":
        loss = loss._replace(reduction=divisor.reduction, number=divisor.number, empty=empty)
    value = loss.reference(x) if by_reference else evaluate(loss, x)
    if divisor.tensor is not None:
        value = divided(value, divisor.tensor, empty, function)
    return value if x is input else value.to(result_dtype(input))


def cross_entropy_parts(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    dim: int | None = None,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    class_mask: Tensor | None = None,
    temperature: float | Tensor = 1.0,
    softcap: float | Tensor | None = None,
    z_loss: float | Tensor = _ZERO,
    check: bool = False,
) -> tuple[Tensor, Tensor]:
    """The sum of the losses and what their mean divides by, for those who divide later.

    Parameters
    ----------
    input, target, weight, ignore_index, label_smoothing, dim, sample_weight, mask, class_mask, temperature, softcap,
    z_loss, check
        As in :func:`cross_entropy`.

    Returns
    -------
    (sum, denominator) : 0-d tensors of the dtype of the loss
        ``sum`` is differentiable, ``denominator`` is a constant: 0 where nothing takes part. Both add up over the
        parts of a batch.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> logits, target = torch.zeros(4, 2), torch.tensor([0, 1, -100, 0])
    >>> total, count = nlt.cross_entropy_parts(logits, target)
    >>> print(f"{total:.4f} {count:.0f}")
    2.0794 3
    """
    loss, x = prepared(
        "cross_entropy_parts", input, target, weight, ignore_index, label_smoothing, dim, sample_weight, mask,
        class_mask, temperature, softcap, z_loss, check,
    )  # fmt: skip
    dtype = result_dtype(input)
    loss = loss._replace(reduction="sum")
    total = loss.reference(x) if isinstance(loss.z_loss, Tensor) else evaluate(loss, x)
    return total.to(dtype), divisor_of_mean(loss).to(dtype)


def divisor_of_mean(loss: SoftmaxNLL) -> Tensor:
    """What a plain mean divides by, detached."""
    target, by_index = loss.target, not loss.target.is_floating_point()
    return total_weight(
        target,
        loss.weight if by_index else None,
        sample_weight=loss.sample_weight,
        mask=loss.mask,
        ignore_index=loss.ignore_index,
        dim=None if by_index else loss.dim,
    )


def prepared(
    function: str,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    label_smoothing: float,
    dim: int | None,
    sample_weight: Tensor | None,
    mask: Tensor | None,
    class_mask: Tensor | None,
    temperature: float | Tensor,
    softcap: float | Tensor | None,
    z_loss: float | Tensor,
    check: bool,
    soft: bool = True,  # whether a target may consist of probabilities
) -> tuple[SoftmaxNLL, Tensor]:
    """Checked arguments, set to reduce by what a plain mean divides by; and the tensor to differentiate in."""
    tensors(function, input=input, target=target)
    dim = class_axis(function, input, dim)
    floating(function, "input", input)
    x = input
    by_index = not (soft and target.is_floating_point())
    if by_index:
        target = class_indices(function, target, input, dim)
    else:
        probabilities(function, target, input, ignore_index)
        if target.dtype is not input.dtype:  # the finer one's digits count
            common = torch.promote_types(target.dtype, input.dtype)
            x, target = input.to(common), target.to(common)
    if weight is not None:
        class_weight(function, weight, input.shape[dim])
    if sample_weight is not None or mask is not None:
        shape = input.shape[:dim] + input.shape[dim + 1 :]
        per_entry(function, "sample_weight", sample_weight, shape)
        per_entry(function, "mask", mask, shape)
        boolean(function, "mask", mask)
    if class_mask is not None:
        check_class_mask(function, class_mask, input, dim)
    integer(function, "ignore_index", ignore_index)
    softcap = 0.0 if softcap is None else positive(function, "softcap", softcap)
    temperature = positive(function, "temperature", temperature)
    if not 0.0 <= label_smoothing <= 1.0:
        raise ParameterError(f"{function}: label_smoothing={label_smoothing!r}; allowed: 0 <= label_smoothing <= 1")
    if (
        isinstance(temperature, Tensor)
        or isinstance(softcap, Tensor)
        or (class_mask is not None and class_mask.dim() > 1)
    ):
        # what the kernel has no room for happens before it, in one more pass
        x = reference.transformed(reference.widened(x), temperature, softcap, class_mask, dim)
        if not by_index:
            target = target.to(x.dtype)
        temperature, softcap, class_mask = 1.0, 0.0, None
    loss = SoftmaxNLL(
        target, weight, sample_weight, mask, class_mask, None, dim, ignore_index, label_smoothing, temperature, softcap,
        z_loss,  # pyright: ignore[reportArgumentType]  # a tensor goes the way of the reference
        "weights" if by_index and weight is not None else "entries", 0.0, "zero",
    )  # fmt: skip
    if check:
        _check_targets(function, loss, input.shape[dim])
    return loss, x


def _check_targets(function: str, loss: SoftmaxNLL, classes: int) -> None:
    """``check=True``: waits for the device."""
    target, part = loss.target, loss.part()
    if not target.is_floating_point():
        check_indices(function, target.long(), classes, loss.ignore_index, part)
        return
    check_probabilities(function, target, loss.dim, part)
    check_sums(function, target, loss.dim, part)
