"""The four shapes of a mixture's covariances: what is stored, how many numbers it is, and its maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog.errors import ParameterError, ShapeError

Kind = Literal["full", "tied", "diagonal", "spherical"]
Array = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)


def as_kind(function: str, kind: str) -> Kind:
    if kind not in get_args(Kind):
        raise ParameterError(f"{function}: covariance={kind!r}; allowed: {', '.join(map(repr, get_args(Kind)))}")
    return cast(Kind, kind)


def shape_of(kind: Kind, k: int, d: int) -> tuple[int, ...]:
    """The stored shape: ``(K, D, D)``, ``(D, D)``, ``(K, D)`` or ``(K,)``, as in scikit-learn."""
    return {"full": (k, d, d), "tied": (d, d), "diagonal": (k, d), "spherical": (k,)}[kind]


def count(kind: Kind, k: int, d: int) -> int:
    """Free numbers."""
    triangle = d * (d + 1) // 2
    return {"full": k * triangle, "tied": triangle, "diagonal": k * d, "spherical": k}[kind]


def inverse_factors(function: str, kind: Kind, value: Array, k: int, d: int) -> tuple[Array, Array]:
    """What turns a centred row into independent unit normals, ``(K, D, D)`` lower triangular or ``(K, D)``, and the
    logarithms ``(K,)`` of its determinants."""
    if kind in ("diagonal", "spherical"):
        _positive(function, value)
        whiten = np.ascontiguousarray(np.broadcast_to((1 / np.sqrt(value)).reshape(k, -1), (k, d)))
        return whiten, np.log(whiten).sum(axis=1)
    from scipy.linalg import solve_triangular

    matrices = value.reshape(-1, d, d)
    size = np.sqrt(np.abs(np.diagonal(matrices, axis1=1, axis2=2)))
    if not (np.abs(matrices - matrices.swapaxes(1, 2)) <= 1e-8 * size[:, :, None] * size[:, None, :]).all():
        raise ParameterError(f"{function}: covariances must be finite and symmetric")
    whiten = np.empty_like(matrices)
    for i, matrix in enumerate(matrices):
        try:
            whiten[i] = solve_triangular(np.linalg.cholesky(matrix), np.eye(d), lower=True)
        except np.linalg.LinAlgError:
            name = "covariances" if kind == "tied" else f"covariances[{i}]"
            raise ParameterError(f"{function}: {name} is not positive definite") from None
    whiten = np.tril(whiten)
    log_determinant = np.log(np.diagonal(whiten, axis1=1, axis2=2)).sum(axis=1)
    return np.ascontiguousarray(np.broadcast_to(whiten, (k, d, d))), np.broadcast_to(log_determinant, k)


def _positive(function: str, value: Array) -> None:
    bad = ~(np.isfinite(value) & (value > 0))
    if bad.any():
        at = tuple(np.argwhere(bad)[0].tolist())
        raise ParameterError(f"{function}: covariances{list(at)} = {value[at]}; allowed: finite and positive")


def given(function: str, kind: Kind, value: ArrayLike, k: int, d: int) -> Array:
    """Covariances as somebody passed them."""
    out = np.ascontiguousarray(value, dtype=np.float64)
    if out.shape != shape_of(kind, k, d):
        raise ShapeError(f"{function}: covariances have shape {out.shape}; allowed for {kind}: {shape_of(kind, k, d)}")
    return out


@dataclass(frozen=True)
class Estimate:
    """Maximum likelihood of the covariances, and what stood in its way."""

    value: Array
    floored: tuple[int, ...]  # components of which a direction is held at the floor
    singular: tuple[int, ...]  # components without a density: a direction has no spread


def estimate(kind: Kind, scatter: Array, weight: Array, means: Array, floor: float) -> Estimate:
    r"""Covariances from each component's scatter about its own mean, ``(K, D, D)`` or ``(K, D)``, and its weight.

    With a floor the likelihood is maximised over covariances whose eigenvalues are at least that: those of the free
    maximum that are smaller are replaced by it, because :math:`\log\lambda + s / \lambda` falls until
    :math:`\lambda = s` and rises after it. So EM stays monotone.
    """
    k, d = means.shape
    match kind:
        case "full":
            free = scatter / weight[:, None, None]
        case "tied":
            free = scatter.sum(axis=0, keepdims=True) / weight.sum()
        case "diagonal":
            free = scatter / weight[:, None]
        case "spherical":
            free = scatter.sum(axis=1, keepdims=True) / (weight * d)[:, None]
    held, floored = _hold(free, floor)
    variance = np.diagonal(held, axis1=1, axis2=2) if held.ndim == 3 else held
    reach = (np.abs(means) + np.sqrt(variance)).max(axis=0)  # the size of the numbers that were subtracted
    if kind == "spherical":
        reach = reach.max()
    with np.errstate(invalid="ignore"):
        thin = ~(np.sqrt(variance) > 8 * EPS * reach).all(axis=1)
    for i in np.flatnonzero(~thin) if held.ndim == 3 else ():
        scale = 1 / np.sqrt(variance[i])
        thin[i] = not np.linalg.eigvalsh(held[i] * scale[:, None] * scale)[0] > 1e3 * EPS
    which = [tuple(np.flatnonzero(np.broadcast_to(flags, k)).tolist()) for flags in (floored, thin)]
    return Estimate(held.reshape(shape_of(kind, k, d)), *which)


def _hold(free: Array, floor: float) -> tuple[Array, NDArray[np.bool_]]:
    """``free`` with no eigenvalue below ``floor``, and where that changed something."""
    if free.ndim == 2:
        return np.maximum(free, floor), np.asarray((free < floor).any(axis=1))
    if floor == 0 or not np.isfinite(free).all():
        return free, np.zeros(len(free), bool)
    values, vectors = np.linalg.eigh(free)
    low = np.asarray((values < floor).any(axis=1))
    half = vectors * np.sqrt(np.maximum(values, floor))[:, None, :]
    raised = half @ half.swapaxes(1, 2)
    return np.where(low[:, None, None], raised, free), low
