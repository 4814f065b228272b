"""``nl.fit``: read the call, gather the rows, optimise, verify, report."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from neglog.compose import family as find_family
from neglog.core.observations import Observations
from neglog.errors import DataError, InputError
from neglog.estimation import data as rows
from neglog.estimation import inference, optimise, own, request, searching, verify
from neglog.estimation import known as known_values
from neglog.estimation.assemble import Model, assemble
from neglog.estimation.data import Sample
from neglog.estimation.problem import DENSE
from neglog.estimation.result import Fit, Training
from neglog.estimation.tables import Floats, listed


def fit(
    family: Any,
    y: Any = None,
    X: Any = None,
    *,
    data: Any = None,
    intercept: bool = False,
    weights: Any = None,
    weight_kind: str = "frequency",
    offset: Any = None,
    truncation: Any = None,
    clusters: Any = None,
    l2: float = 0.0,
    fixed: Mapping[str, Any] | None = None,
    start: Mapping[str, float] | None = None,
    cov_type: str | None = None,
    missing: str = "raise",
    max_iter: int = 200,
    restarts: int = 0,
) -> Fit:
    r"""Fit by minimising the negative log-likelihood of the rows: maximum likelihood, with ``l2`` MAP.

    .. math:: \sum_i w_i\,[-\log P(y_i \in \text{event and window}) + \log P(\text{window})]
              + \tfrac{\lambda}{2} \sum_j \beta_j^2

    Forms of the call::

        fit("weibull", y)                                             # no covariates
        fit("weibull", nl.right_censored(time, event), X, intercept=True)
        fit("normal", "mpg ~ hp + wt", data=df)                       # a formula for the location
        fit("normal", {"loc": "mpg ~ hp", "scale": "~ hp"}, data=df)  # one formula per parameter
        fit("weibull", nl.interval(lo, hi), {"scale": "~ age"}, data=df)
        fit("weibull", "right_censored(time, event) ~ age", data=df)

    Parameters
    ----------
    family : str or Family
        A name of :func:`neglog.families.names` (``"normal"``, ``"weibull"``, ``"poisson"``, ``"categorical"``, ...), a
        family, a composition of families (``nl.Truncated("normal", 0, 10)``), or one's own, :class:`neglog.Custom`.
    y : (n,) array, Observations, name or formula
        The response. Categorical: labels of any sortable kind. Ordered: numbers, or an ordered pandas Categorical;
        thresholds are named ``thresholds.0`` ... and take the place of an intercept. A string is a formula or a
        column of ``data``; the left side of a formula may be a column, ``right_censored(time, event)``,
        ``interval(low, high)``, or an expression.
    X : (n, k) array, table, list of column names, formula, or a dict of these by parameter, optional
        Covariates, used as they are. Without a dict they belong to the location (``family.location``).
    data : DataFrame, pyarrow Table or dict of columns, optional
        Where names are looked up.
    intercept : bool
        Add a column of ones to each matrix. Formulas add theirs.
    weights : (n,) array or name, optional
        Not negative; a row of weight zero is never read.
    weight_kind : {"frequency", "precision", "sampling"}
        A frequency repeats its row. A precision divides the dispersion of its row by its square root (normal
        only). A sampling weight multiplies the row's contribution and implies a sandwich covariance.
    offset : (n,) array, name, or dict by parameter, optional
        Added to the linear predictor. Categorical: ``(n, C)``.
    truncation : (low, high), optional
        The row could be seen only if it fell in ``(low, high]``; each end a number, an array, a name or None.
    clusters : (n,) array or name, optional
        Groups of dependent rows, for ``cov_type="cluster"``, which they imply.
    l2 : float
        Penalty on the coefficients as the caller scales the columns; intercepts and parameters without
        covariates are excluded. Categorical: without it the first class is the reference; with it each class
        has a vector, and intercepts sum to zero.
    fixed, start : dict of name to value, optional
        Values that are not estimated, and where to begin, under the names and on the scale of ``Fit.params``. A
        parameter without covariates may be fixed at one value per row, an array or a column's name: a binomial's
        numbers of trials. It is then not among ``Fit.params``.
    cov_type : {"observed", "expected", "opg", "sandwich", "cluster"}, optional
        Where standard errors come from. Default: observed.
    missing : {"raise", "drop"}
        What rows with missing values do.
    max_iter : int
        Most Newton iterations; for a likelihood of your own (``nl.Custom``), of each way of searching that is tried.
    restarts : int
        Search as often again from places around the start, and report how many came to the same maximum; the best of
        all is returned.

    Returns
    -------
    Fit
        ``ok`` only if the optimum was verified. What is wrong with the *call* raises; what is wrong with the
        *likelihood* is a result with a ``status`` and a ``message``.

    Raises
    ------
    DataError
        Missing values, data outside the support or the window, impossible rows, an unknown column.
    ShapeError, ParameterError, InputError, MissingDependencyError

    Notes
    -----
    Newton's method in a trust region with exact derivatives on the link scale, with columns standardised inside.
    Parameters without covariates are reported on their own scale. The log-likelihood is summed exactly.

    References
    ----------
    Nocedal and Wright, *Numerical Optimization*, 2nd ed. (2006), chapters 4 and 7.

    Examples
    --------
    >>> import neglog as nl
    >>> r = nl.fit("weibull", nl.right_censored([5.0, 8.0, 11.0, 12.0], [1, 1, 1, 0]))
    >>> r.ok, {name: round(value, 4) for name, value in r.params.items()}
    (True, {'shape': 2.9632, 'scale': 10.7209})
    """
    known = find_family(family)
    if not (np.isfinite(l2) and l2 >= 0):
        raise InputError(f"fit: l2 = {l2!r}; allowed: a finite number, not negative")
    call = request.read(known, y, X, data, intercept)
    columns = known_values.columns(known, call, fixed or {})
    sample = rows.gather(
        known,
        call,
        weights=weights,
        weight_kind=weight_kind,
        offset=offset,
        truncation=truncation,
        clusters=clusters,
        missing=missing,
        columns=columns,
    )
    information = inference.check(cov_type, known, sample)
    model = assemble(known, call, sample, float(l2), {**(fixed or {}), **columns}, start or {})
    if not known.smooth:
        model = _inside_the_edge(model)
    if known.written:
        own.check(known, model, sample)
    _possible(known, model, sample)
    search, verdict = searching.search(known, model, sample, max_iter)
    if restarts:
        search, verdict = searching.restarted((search, verdict), known, model, sample, max_iter, restarts)
    return _report(known, call, sample, model, search, verdict, information, float(l2))


def _inside_the_edge(model: Model) -> Model:
    """Where a family ends at the extremes of the data, links and units may have rounded the start beyond them."""
    if np.isfinite(model.problem.nll_rows(model.start)).all():
        return model
    nudges = itertools.product((0.0, -1.0, 1.0), repeat=min(model.problem.size, 4))
    for signs in nudges:
        moved = model.start.copy()
        moved[: len(signs)] += 8 * np.finfo(float).eps * np.array(signs) * (1 + np.abs(moved[: len(signs)]))
        if np.isfinite(model.problem.nll_rows(moved)).all():
            return dataclasses.replace(model, start=moved)
    return model


def _possible(family: Any, model: Model, sample: Sample) -> None:
    """No row may be impossible.

    With finite parameters inside their domains its likelihood would be zero for all.
    """
    nll = model.problem.nll_rows(model.start)
    if np.isfinite(nll).all():
        return
    bad = ~np.isfinite(nll)
    at = np.flatnonzero(sample.keep)[bad]
    y = sample.y if isinstance(sample.y, Observations) else Observations(sample.y, sample.y)
    first, support = y[bad][:1], family.support
    why = f"has likelihood 0 or infinity, whatever the parameters; the support is {support}"
    if first.exact[0] and not family.discrete and first.lower[0] in (support.low, support.high):
        why = (
            f"is exactly {first.lower[0]:g}, where the density is 0 or infinite depending on the parameters: "
            "leave the row out, or record it as an interval up to the precision of the measurement "
            f"(nl.interval, such as ({support.low:g}, 0.5])"
        )
    elif not first.exact[0]:
        why = (
            f"says ({first.lower[0]:g}, {first.upper[0]:g}], which has likelihood 0 whatever the parameters; "
            f"the support is {support}"
        )
    raise DataError(f"fit: row {at[0]} {why} ({family.name}; {len(at)} such rows: {listed(at.tolist(), 5)})")


def _report(
    family: Any,
    call: request.Request,
    sample: Sample,
    model: Model,
    search: optimise.Search,
    verdict: verify.Verdict,
    information: str,
    l2: float,
) -> Fit:
    problem, layout, x = model.problem, model.layout, search.end.x
    values, coefficients, slopes = layout.report(x)
    cov, errors, df, message = _uncertainty(problem, layout, slopes, search, sample, verdict, information)
    nll = problem.nll(x)
    free = layout.mask("free")
    return Fit(
        family=family,
        names=tuple(layout.names),
        values=values,
        coefficients=coefficients,
        slopes=slopes,
        cov=cov,
        errors=errors,
        fixed=tuple(
            name for name, f, a in zip(layout.names, free, layout.mask("aliased"), strict=True) if not f and not a
        ),
        terms=tuple({id(slot.term): slot.term for slot in layout.slots}.values())
        if sample.classes is not None
        else tuple(slot.term for slot in layout.slots),
        loglik=-nll,
        objective=nll + problem.ridge(x),
        nobs=sample.nobs,
        rows=sample.rows,
        dropped=sample.dropped,
        df=df,
        l2=l2,
        status=verdict.status,
        message=message,
        information=information,
        weight_kind=sample.weight_kind,
        iterations=search.iterations,
        response=call.response,
        classes=sample.classes,
        training=Training(model, sample, x),
    )


def _uncertainty(
    problem: Any,
    layout: Any,
    slopes: Floats,
    search: optimise.Search,
    sample: Sample,
    verdict: verify.Verdict,
    information: str,
) -> tuple[Floats, Floats, float, str]:
    """Covariance and standard errors of what is shown.

    Then the free parameters (effective ones under a penalty), and the message.
    """
    count = len(layout.names)
    unknown = np.broadcast_to(np.nan, (count, count))
    df = float(problem.size)
    fixed = ~layout.mask("free") & ~layout.mask("aliased")
    none = np.where(fixed, 0.0, np.nan)
    if fixed.any():
        unknown = np.where(fixed | fixed[:, None], 0.0, unknown)
    if verdict.status not in ("ok", "rank_deficient"):
        return unknown, none, df, f"{verdict.message}. Standard errors have no meaning here"
    hessian = search.end.hessian
    if callable(hessian):
        return (
            unknown,
            none,
            df,
            f"{verdict.message}; standard errors are left out above {DENSE} coefficients",
        )
    inside = inference.covariance(information, problem, search.end.x, hessian, sample)
    if inside is None:
        return (
            unknown,
            none,
            df,
            f"{verdict.message}; there are no standard errors because the {information} information matrix "
            "is not positive definite",
        )
    if problem.penalty.any():
        posterior = inference.inverse(hessian)
        assert posterior is not None
        df -= float(np.diag(posterior) @ problem.penalty)
    cov, errors = inference.outside(inside, layout.jacobian * slopes[:, None])
    message = verdict.message
    if not np.isfinite(cov).all() or (np.diag(cov)[errors > 0] == 0).any():
        message += "; covariances are beyond float64 in these units, standard errors are not"
    aliased = layout.mask("aliased")
    errors[aliased] = cov[aliased] = cov[:, aliased] = np.nan
    return cov, errors, df, message
