"""A family's reference with what surrounds it: domains, and values that stand in for rows that are not read."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from neglog.families.base import Family
from neglog.families.facts import Interval, Parameter
from neglog.torch.entries import beside


def by_reference(family: Family, y: Tensor, params: Sequence[Tensor]) -> Tensor:
    """``-log f(y)`` in torch ops, ``+inf`` outside the parameters' domains; float64 where the device has it.

    Rounded once at the end, so that float32 parameters lose nothing to cancellation.
    """
    if y.device.type != "mps":
        y, params = y.double(), [p.double() for p in params]
    facts = list(zip(family.parameters, (p.detach() for p in params), strict=True))
    allowed = _every(allowed_rows(parameter, p) for parameter, p in facts)
    present = _every(~_any_axes(p.isnan(), parameter.event_ndim) for parameter, p in facts)
    safe = [
        torch.where(beside(allowed, p), p, at)
        for p, at in zip(params, harmless_parameters(family, params), strict=True)
    ]
    present = present & ~_any_axes(y.detach().isnan(), family.event_ndim)
    outside = torch.where(present, torch.inf, torch.nan).to(y.dtype)
    if y.device.type == "cpu":
        return torch.where(allowed, family.reference(torch, y, *safe), outside)
    with y.device:  # what a reference makes itself, such as the numbers of the classes
        return torch.where(allowed, family.reference(torch, y, *safe), outside)


def allowed_rows(parameter: Parameter, p: Tensor) -> Tensor:
    """Rows in which every entry of the parameter is where it may be, the event axes gone; NaN is nowhere."""
    domain = parameter.domain
    low = p >= domain.low if domain.low_closed else p > domain.low
    high = p <= domain.high if domain.high_closed else p < domain.high
    within = low & high & (p == p.floor()) if domain.integer else low & high
    rows = ~_any_axes(~within, parameter.event_ndim)
    if parameter.form == "increasing":
        rows = rows & (p[..., 1:] > p[..., :-1]).all(-1)
    if parameter.form == "cholesky":
        diagonal = p.diagonal(dim1=-2, dim2=-1)
        rows = rows & (diagonal > 0).all(-1) & (p.triu(1) == 0).all(-1).all(-1)
    return rows


def _every(conditions: Iterable[Tensor]) -> Tensor:
    return functools.reduce(torch.logical_and, conditions)


def _any_axes(values: Tensor, count: int) -> Tensor:
    """Whether any is True along the last ``count`` axes."""
    for _ in range(count):
        values = values.any(-1)
    return values


def harmless_parameters(family: Family, params: Sequence[Tensor]) -> list[float | Tensor]:
    """Parameters inside their domains: where a row is not read, these stand in for what it holds.

    Real ones count 0, 1, ...: ends in their order.
    """
    real = iter(range(len(params)))
    return [_harmless(parameter, p, real) for parameter, p in zip(family.parameters, params, strict=True)]


def _harmless(parameter: Parameter, p: Tensor, real: Iterator[int]) -> float | Tensor:
    if parameter.form == "increasing":
        return torch.arange(p.shape[-1], dtype=p.dtype, device=p.device)
    if parameter.form == "cholesky":
        return torch.eye(p.shape[-1], dtype=p.dtype, device=p.device)
    unbounded = parameter.domain.low == -math.inf and parameter.domain.high == math.inf
    return float(next(real)) if unbounded else _within(parameter.domain)


def harmless_data(family: Family) -> float:
    """An observation that is possible at :func:`harmless_parameters`."""
    return _within(family.support)


def _within(interval: Interval) -> float:
    low, high = interval.low, interval.high
    if high < math.inf:
        middle = high - 1 if low == -math.inf else (low + high) / 2
        return float(math.floor(middle)) if interval.integer else middle
    return low + 1.0 if low > -math.inf else 0.5
