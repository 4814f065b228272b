"""Standard errors: which matrix, from which information, in which coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from neglog.core.observations import Observations
from neglog.errors import InputError
from neglog.estimation.data import Sample
from neglog.estimation.problem import Problem
from neglog.estimation.tables import Floats

COV_TYPES = ("observed", "expected", "opg", "sandwich", "cluster")

CONVENTION = {
    "observed": "inverse of the observed information (the Hessian of the negative log-likelihood)",
    "expected": "inverse of the expected (Fisher) information",
    "opg": "inverse of the sum of outer products of the scores",
    "sandwich": "sandwich: inverse observed information around the outer products of the scores, "
    "no small-sample factor",
    "cluster": "clustered sandwich: scores summed within clusters, factor G/(G-1)",
}


def check(cov_type: str | None, family: Any, sample: Sample) -> str:
    """The kind of covariance that applies, or why the one asked for does not."""
    sampling = sample.weight_kind == "sampling"
    if cov_type is None:
        cov_type = "cluster" if sample.clusters is not None else "sandwich" if sampling else "observed"
    if cov_type not in COV_TYPES:
        raise InputError(f"fit: cov_type={cov_type!r}; allowed: {', '.join(COV_TYPES)}")
    if (cov_type == "cluster") != (sample.clusters is not None):
        raise InputError(
            "fit: cov_type='cluster' needs clusters="
            if cov_type == "cluster"
            else f"fit: clusters were given but cov_type={cov_type!r}; leave one of them out"
        )
    if sample.clusters is not None and sample.clusters.max(initial=0) < 1:
        raise InputError("fit: a clustered covariance needs at least two clusters")
    if sampling and cov_type not in ("sandwich", "cluster"):
        raise InputError(f"fit: sampling weights need a sandwich; cov_type={cov_type!r} would ignore the sampling")
    censored = isinstance(sample.y, Observations) or sample.window is not None
    if cov_type == "expected" and censored:
        raise InputError("fit: the expected information of censored or truncated rows needs a model of the censoring")
    return cov_type


def inverse(matrix: Floats) -> Floats | None:
    """Inverse of a positive definite matrix after scaling to unit diagonal; None if it is not one."""
    diagonal = np.diag(matrix)
    if not (diagonal > 0).all() or not np.isfinite(matrix).all():
        return None
    scale = diagonal**-0.5
    even = matrix * scale * scale[:, None]
    try:
        np.linalg.cholesky(even)
    except np.linalg.LinAlgError:
        return None
    out = np.linalg.inv(even) * scale * scale[:, None]
    return 0.5 * (out + out.T)


def covariance(cov_type: str, problem: Problem, x: Floats, hessian: Floats, sample: Sample) -> Floats | None:
    """Covariance of the optimised vector, ``(K, K)``.

    None where the matrix to invert is not positive definite.
    """
    if cov_type == "observed":
        return inverse(hessian)
    if cov_type == "expected":
        return inverse(problem.expected(x))
    if cov_type == "opg":
        return inverse(outer_products(problem, x, sample) + np.diag(problem.penalty))
    bread = inverse(hessian)
    if bread is None:
        return None
    return bread @ outer_products(problem, x, sample) @ bread


def outside(inside: Floats, jacobian: Floats) -> tuple[Floats, Floats]:
    """Covariance and standard errors of ``jacobian @ x``, ``(R, R)`` and ``(R,)``.

    Standard errors are not taken from the covariance, whose squares leave float64 long before they do.
    """
    size = np.abs(jacobian).max(axis=1, initial=0.0)
    size[size == 0.0] = 1.0
    even = jacobian / size[:, None]
    cov = even @ inside @ even.T
    errors = size * np.sqrt(np.diag(cov))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        cov = cov * size * size[:, None]
    return np.tril(cov) + np.tril(cov, -1).T, errors


def outer_products(problem: Problem, x: Floats, sample: Sample) -> Floats:
    """Sum of outer products of scores: of rows, or of clusters times G/(G-1).

    A frequency weight repeats its row; a sampling weight multiplies its score.
    """
    meat = np.zeros((problem.size, problem.size))
    repeated = sample.weight_kind == "frequency"
    groups = sample.clusters
    sums = np.zeros((0 if groups is None else int(groups.max()) + 1, problem.size))
    for part, scores in problem.scores(x):
        weight = None if problem.weight is None else problem.weight[part][:, None]
        if groups is not None:
            np.add.at(sums, groups[part], scores if weight is None else scores * weight)
        else:
            weighted = scores if weight is None else scores * weight
            meat += (weighted if not repeated else scores).T @ weighted
    if groups is not None:
        meat = sums.T @ sums * (len(sums) / (len(sums) - 1))
    return meat
