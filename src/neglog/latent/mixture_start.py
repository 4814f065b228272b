"""Where EM starts: centres far apart, moved to the middle of what is nearest, and one covariance for all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neglog.errors import DataError
from neglog.latent.covariances import Kind, shape_of
from neglog.latent.gaussian_mixture import GaussianMixture

Array = NDArray[np.float64]
ROWS_PER_COMPONENT = 500  # enough for a start, which then costs little beside a pass over many rows
TRIES, MOVES = 4, 10


def start(
    x: Array, weight: Array | None, components: int, kind: Kind, rng: np.random.Generator, means: Array | None = None
) -> GaussianMixture:
    """Centres by :func:`spread_out` and Lloyd's steps in standard units, unless ``means`` are given; the covariance is
    that of the rows about their nearest centre, pooled, so that no component starts on a point."""
    most = ROWS_PER_COMPONENT * components + 2000
    if len(x) > most:
        keep = rng.choice(len(x), most, replace=False)
        x, weight = x[keep], None if weight is None else weight[keep]
    x = x.astype(np.float64, copy=False)
    w = np.ones(len(x)) if weight is None else weight
    with np.errstate(over="ignore", invalid="ignore"):
        middle = np.average(x, axis=0, weights=w)
        deviation = np.sqrt(np.average((x - middle) ** 2, axis=0, weights=w))
    if not np.isfinite(deviation).all():
        raise DataError(f"fit_gaussian_mixture: x holds numbers too large to be squared: {np.abs(x).max():g}")
    unit = np.where(deviation > 0, deviation, 1.0)
    rows = (x - middle) / unit
    if means is None:
        tried = [lloyd(rows, w, spread_out(rows, w, components, rng)) for _ in range(TRIES if components > 1 else 1)]
        means = min(tried, key=lambda found: found[1])[0] * unit + middle
    label = nearest(rows, (means - middle) / unit)
    mass = np.bincount(label, w, components) + w.sum() * 1e-3  # none starts at 0, which EM could not leave
    return GaussianMixture(mass / mass.sum(), means, pooled(x - means[label], w, kind, components), kind)


def spread_out(rows: Array, weight: Array, components: int, rng: np.random.Generator) -> Array:
    """k-means++ (Arthur and Vassilvitskii 2007): the next centre is a row drawn with probability in proportion to its
    squared distance from the centres so far, the best of a few draws."""
    draws = 2 + int(np.log(components))
    centres = rows[[rng.choice(len(rows), p=weight / weight.sum())]]
    distance = np.square(rows - centres[0]).sum(axis=1)
    for _ in range(1, components):
        mass = weight * distance
        if not mass.any():
            raise DataError(
                f"fit_gaussian_mixture: components={components}, but x has only {len(centres)} distinct rows"
            )
        tried = rows[rng.choice(len(rows), draws, p=mass / mass.sum())]
        left = np.minimum(distance, np.square(rows[None] - tried[:, None]).sum(axis=2))
        best = int((left @ weight).argmin())
        centres, distance = np.vstack([centres, tried[best]]), left[best]
    return centres


def lloyd(rows: Array, weight: Array, centres: Array) -> tuple[Array, float]:
    """Centres moved to the middle of what is nearest, a few times, and the squares about them before the last."""
    components, squares = len(centres), 0.0
    for _ in range(MOVES):
        label = nearest(rows, centres)
        squares = float(weight @ np.square(rows - centres[label]).sum(axis=1))
        mass = np.bincount(label, weight, components)
        moved = np.stack([np.bincount(label, weight * column, components) for column in rows.T], axis=1)
        centres = np.where(mass[:, None] > 0, moved / np.where(mass > 0, mass, 1)[:, None], centres)
    return centres, squares


def nearest(rows: Array, centres: Array) -> NDArray[np.intp]:
    """The index of the nearest centre of each row."""
    return (np.square(centres).sum(axis=1) - 2 * rows @ centres.T).argmin(axis=1)


def pooled(residual: Array, weight: Array, kind: Kind, components: int) -> Array:
    """The covariance of rows about their centres in the stored shape, with a little of every column's own variance
    where the pooled one is singular."""
    k, d = components, residual.shape[1]
    full = (residual * (weight / weight.sum())[:, None]).T @ residual
    variance = np.diagonal(full).copy()
    typical = variance.mean() or 1.0
    variance[variance == 0] = typical
    match kind:
        case "spherical":
            value = np.array(typical)
        case "diagonal":
            value = variance
        case _:
            value = full + 1e-6 * np.diag(variance)
    return np.broadcast_to(value, shape_of(kind, k, d)).copy()
