"""The negative log-likelihood of any family as a loss."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from neglog.core.observations import Observations
from neglog.errors import DataError, InputKindError, ParameterError, ShapeError, TargetError
from neglog.families.base import Family
from neglog.families.categorical import Categorical
from neglog.families.facts import Parameter
from neglog.families.registry import family as family_named
from neglog.families.scalar import ScalarFamily
from neglog.torch.arguments import Empty, Reduction, place
from neglog.torch.classification import cross_entropy
from neglog.torch.entries import Entries
from neglog.torch.family_reference import allowed_rows, harmless_data, harmless_parameters
from neglog.torch.family_rows import censored_rows, exact_rows, readable
from neglog.torch.routing import may_look_at

_FUNCTION = "nll"


class Censored(NamedTuple):
    """Tensors that say ``lower < y <= upper``, or ``y == lower`` where both are equal.

    Made by :func:`interval` or :func:`right_censored`; the ends may require gradients. An exact row's gradient is that
    of ``lower``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.right_censored(torch.tensor([5.0, 8.0]), torch.tensor([1, 0]))
    Censored(lower=tensor([5., 8.]), upper=tensor([5., inf]))
    """

    lower: Tensor
    upper: Tensor


def interval(lower: Tensor, upper: Tensor) -> Censored:
    """Rows known to lie in ``(lower, upper]``, for :func:`nll`; the counterpart of :func:`neglog.interval`.

    Parameters
    ----------
    lower, upper : tensors of one shape
        Equal ends: the value is exact. ``upper = inf``: right-censored. ``lower = -inf``: left-censored.

    Raises
    ------
    ShapeError
        If the shapes differ.
    DataError
        If a lower end lies above its upper end (on the CPU).

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> rows = nlt.interval(torch.tensor([1.0, 2.0]), torch.tensor([1.0, torch.inf]))
    >>> nlt.nll("normal", rows, 0.0, 1.0, reduction="none")
    tensor([1.4189, 3.7832])
    """
    if lower.shape != upper.shape:
        raise ShapeError(
            f"interval: lower has shape {tuple(lower.shape)} and upper {tuple(upper.shape)}; they must be equal"
        )
    if may_look_at(lower, upper):
        wrong = lower > upper
        if bool(wrong.any()):
            at = tuple(int(i) for i in wrong.nonzero()[0])
            raise DataError(
                f"interval: {place('lower', at)} = {lower[at].item():g} is above {place('upper', at)} = "
                f"{upper[at].item():g}; rows are (lower, upper]"
            )
    return Censored(lower, upper)


def right_censored(time: Tensor, event: Tensor) -> Censored:
    """Times of which some are only lower bounds, for :func:`nll`: ``Y = time`` where ``event``, else ``Y > time``.

    Parameters
    ----------
    time : tensor
        Observed times; they may require gradients.
    event : tensor of 0 / 1 or bool, of the same shape
        1 = observed, 0 = censored.

    Raises
    ------
    ShapeError
        If the shapes differ.
    DataError
        If ``event`` holds anything but 0 and 1 (on the CPU).

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> rows = nlt.right_censored(torch.tensor([1.7, 1.7]), torch.tensor([1, 0]))
    >>> nlt.nll("weibull", rows, shape=1.5, scale=2.0, reduction="none")
    tensor([1.1526, 0.7837])
    """
    if time.shape != event.shape:
        raise ShapeError(
            f"right_censored: time has shape {tuple(time.shape)} and event {tuple(event.shape)}; they must be equal"
        )
    seen = event != 0
    if event.dtype is not torch.bool and may_look_at(event):
        wrong = seen & (event != 1)
        if bool(wrong.any()):
            at = tuple(int(i) for i in wrong.nonzero()[0])
            raise DataError(
                f"right_censored: {place('event', at)} = {event[at].item()}; allowed: 1 (observed) and 0 (censored)"
            )
    time = time if time.is_floating_point() else time.to(torch.get_default_dtype())
    known = seen | time.detach().isnan()
    return Censored(time, torch.where(known, time.detach(), torch.inf))


def nll(
    family: Family | str,
    y: Tensor | Observations | Censored | float,
    *params: Tensor | float,
    reduction: Reduction = "mean",
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
    **named: Tensor | float,
) -> Tensor:
    r"""Negative log-likelihood of a family as a differentiable loss.

    .. math:: -\log f(y_n; \theta_n) \quad\text{or, censored,}\quad -\log P(l_n < Y \le u_n; \theta_n)

    Parameters
    ----------
    family : Family or str
        ``nl.Normal()``, ``"normal"``, or a composition such as ``nl.Truncated("normal", 0.0, 1.0)``.
    y : tensor
        Observations, of any real dtype; for censored rows :func:`neglog.torch.interval`,
        :func:`neglog.torch.right_censored` or ``nl.Observations``. May require a gradient.
    *params, **named : tensors or numbers
        The family's parameters in order, or by name. Their shapes broadcast to that of ``y``, never the other way. A
        vector parameter (the logits of a categorical) has its event axes last.
    reduction : "mean", "sum" or "none"
        ``"none"`` has the shape of ``y``, with rows that take no part exactly 0.
    sample_weight : tensor of the shape of ``y``, optional
        Multiplies each row; the mean divides by its sum.
    mask : bool tensor of the shape of ``y``, optional
        True takes part; other rows are never read.
    denominator : optional
        What the mean divides by: ``"count"``, ``"weights"``, a number, a 0-d tensor or a process group.
    empty : "zero", "nan" or "raise"
        The mean when nothing takes part.
    check : bool
        Raise where a parameter lies outside its domain (waits for the device). Without it such rows are ``+inf``.

    Returns
    -------
    Tensor in nats, all constants included: float64 if a floating argument is, otherwise float32. ``+inf`` outside the
    support and for impossible intervals; NaN only where an input is NaN.

    Raises
    ------
    ShapeError
        A parameter that does not broadcast to the shape of ``y``.
    ParameterError
        An option or, with ``check``, a parameter outside what is allowed.
    InputKindError
        Censored rows on another device than the CPU; ends that require a gradient in a discrete family.

    Notes
    -----
    On the CPU the kernels give value and gradient in one pass, and the Hessian for a double backward. Derivatives in
    ``y``, other devices, torch.func and compiled code take the family's reference in torch ops, in float64 where the
    device has it. Censored rows are differentiable twice in the parameters and in their ends.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> scale = torch.tensor(2.0, requires_grad=True)
    >>> loss = nlt.nll("weibull", torch.tensor([1.7, 0.3]), shape=1.5, scale=scale)
    >>> loss.backward()
    >>> print(f"{loss.item():.6f} {scale.grad.item():.6f}")
    1.223470 0.434341
    """
    family = family_named(family)
    given: list[Any] = family._bind(_FUNCTION, params, named)  # pyright: ignore[reportPrivateUsage, reportArgumentType]
    data, dtype = _data(y), _result_dtype(y, given)
    if isinstance(family, Categorical):
        return _classes(data[0], given[0], reduction, sample_weight, mask, denominator, empty, check)
    data = [readable(t) for t in data]
    shape = data[0].shape[: data[0].dim() - family.event_ndim]
    values = [_parameter(p, value, dtype, data[0], shape) for p, value in zip(family.parameters, given, strict=True)]
    entries = Entries(_FUNCTION, shape, sample_weight, mask, reduction, denominator, empty)
    entries.check()
    if check:
        _check_domains(family, values, mask)
    if len(data) > 1 and not isinstance(family, ScalarFamily):
        raise InputKindError(f"{_FUNCTION}: censored rows of {family.name}; allowed: exact rows, or nl.family(...).nll")

    def losses(*tensors: Tensor) -> Tensor:
        y, *params = tensors
        if len(data) == 1:
            return exact_rows(family, y, params, dtype)
        assert isinstance(family, ScalarFamily)
        return censored_rows(family, y, params[0], params[1:], dtype)

    harmless = [*[harmless_data(family)] * len(data), *harmless_parameters(family, values)]
    return entries.reduce(losses, [*data, *values], harmless)


def _classes(
    y: Tensor,
    logits: Any,
    reduction: Reduction,
    sample_weight: Tensor | None,
    mask: Tensor | None,
    denominator: Any,
    empty: Empty,
    check: bool,
) -> Tensor:
    """Class indices under a softmax along the last axis: the fused loss."""
    if not isinstance(logits, Tensor) or logits.dim() == 0:
        raise ShapeError(f"{_FUNCTION}: logits must be a tensor of shape (..., C)")
    if y.is_floating_point():
        raise InputKindError(f"{_FUNCTION}: y has dtype {y.dtype}; allowed: an integer dtype for class indices")
    shape = (*y.shape, logits.shape[-1])
    _expands("logits", logits, shape)
    try:
        return cross_entropy(
            logits.expand(shape), y, ignore_index=_NO_CLASS, reduction=reduction, dim=-1, sample_weight=sample_weight,
            mask=mask, denominator=denominator, empty=empty, check=check,
        )  # fmt: skip
    except TargetError as error:
        raise TargetError(str(error).removesuffix(f", or ignore_index={_NO_CLASS}")) from None


_NO_CLASS = torch.iinfo(torch.int64).min  # nothing is ignored


def _data(y: Tensor | Observations | Censored | float) -> list[Tensor]:
    """``[y]`` or ``[lower, upper]``."""
    if isinstance(y, Observations):
        return [torch.tensor(y.lower), torch.tensor(y.upper)]
    if isinstance(y, Censored):
        return [_real("lower", y.lower), _real("upper", y.upper)]
    return [_real("y", y) if isinstance(y, Tensor) else torch.as_tensor(y)]


def _real(name: str, values: Tensor) -> Tensor:
    if values.dtype.is_complex:
        raise InputKindError(f"{_FUNCTION}: {name} has dtype {values.dtype}; allowed: real numbers")
    return values


def _result_dtype(y: Any, given: list[Any]) -> torch.dtype:
    """The widest of the floating tensors, at least float32; without any, torch's default."""
    tensors = [*(y if isinstance(y, Censored) else (y,)), *given]
    sizes = [t.dtype.itemsize for t in tensors if isinstance(t, Tensor) and t.is_floating_point()]
    size = max(sizes) if sizes else torch.get_default_dtype().itemsize
    return torch.float64 if size == 8 else torch.float32


def _parameter(parameter: Parameter, value: Any, dtype: torch.dtype, y: Tensor, shape: torch.Size) -> Tensor:
    """``value`` in ``dtype`` for rows of that shape."""
    if not isinstance(value, Tensor):
        return torch.full(shape, float(value), dtype=dtype, device=y.device)
    if value.dim() < parameter.event_ndim:
        axes = (
            f"the last {parameter.event_ndim} axes are its own" if parameter.event_ndim > 1 else "its own axis is last"
        )
        raise ShapeError(f"{_FUNCTION}: {parameter.name} has shape {tuple(value.shape)}; {axes}")
    shape = shape + value.shape[value.dim() - parameter.event_ndim :]
    _expands(parameter.name, _real(parameter.name, value), shape)
    if not value.dim() and value.device != y.device:
        value = value.to(y.device)
    return value.to(dtype).expand(shape)


def _expands(name: str, value: Tensor, shape: tuple[int, ...]) -> None:
    trailing = shape[len(shape) - value.dim() :] if value.dim() <= len(shape) else None
    if trailing is None or any(n not in (1, size) for n, size in zip(value.shape, trailing, strict=True)):
        raise ShapeError(
            f"{_FUNCTION}: {name} has shape {tuple(value.shape)}; allowed: what broadcasts to {tuple(shape)}, as the "
            "shape of y makes it (y itself is not broadcast)"
        )


def _check_domains(family: Family, values: list[Tensor], mask: Tensor | None) -> None:
    """Raises at the first parameter outside its domain in a row that takes part; waits for the device."""
    for parameter, value in zip(family.parameters, values, strict=True):
        wrong = ~allowed_rows(parameter, value.detach())
        if mask is not None:
            wrong &= mask
        if bool(wrong.any()):
            at = tuple(int(i) for i in wrong.nonzero()[0])
            raise ParameterError(
                f"{_FUNCTION}: {place(parameter.name, at)} = {value[at].tolist()} is outside its domain "
                f"{parameter.allowed}"
            )
