"""What a fit returns. A failed fit is a result too, and is shown as carefully as a good one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neglog.errors import InputError
from neglog.estimation.tables import Floats
from neglog.estimation.terms import Term
from neglog.families import LINKS

if TYPE_CHECKING:
    from neglog.estimation.assemble import Model
    from neglog.estimation.data import Sample

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Training:
    """The data of the fit, kept for residuals and predictions without new data; not part of a saved fit."""

    model: Model
    sample: Sample
    x: Floats


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """Estimates, their uncertainty, and whether they can be trusted. Returned by :func:`neglog.fit`.

    Attributes
    ----------
    family : Family
        The likelihood.
    params, stderr : dict of name to float
        In the order of the model. A parameter without covariates stands on its own scale under its own name
        (``scale``); one with covariates has a coefficient on its link scale per column (``scale.Intercept``,
        ``loc.x0``); a categorical has ``logits.<class>.<column>``.
    cov : (k, k) array
        Covariance of ``params``, in their order and scale; zero for fixed entries, NaN where there is no
        estimate of it.
    loglik, nll, objective : float
        Exact sum over rows of the log-likelihood with all constants, its negative, and the latter plus the
        penalty.
    nobs, df : float
        Observations (the sum of frequency weights) and free parameters; with ``l2`` the effective number
        ``tr((H + penalty)^-1 H)``.
    status, ok, message : str, bool, str
        ``ok`` is True only if the optimum was verified; otherwise ``status`` names the failure and
        ``message`` the parameter or direction and what to do: ``rank_deficient``, ``unbounded``, ``boundary``,
        ``separated``, ``edge``, ``flat``, ``stalled`` or ``max_iterations``.
    information : str
        Which covariance ``stderr`` comes from: observed, expected, opg, sandwich or cluster.
    classes : tuple or None
        Labels of a categorical, sorted.
    """

    family: Any
    names: tuple[str, ...]
    values: Floats = field(repr=False)
    coefficients: Floats = field(repr=False)  # the same on the scale of the linear predictors
    slopes: Floats = field(repr=False)  # d values / d coefficients
    cov: Floats = field(repr=False)
    errors: Floats = field(repr=False)  # standard errors: representable where their squares are not
    fixed: tuple[str, ...]
    terms: tuple[Term, ...] = field(repr=False)  # one per parameter of the family
    loglik: float
    objective: float
    nobs: float
    rows: int
    dropped: int
    df: float
    l2: float
    status: str
    message: str
    information: str
    weight_kind: str | None
    iterations: int
    response: str
    classes: tuple[Any, ...] | None = None
    training: Training | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether the optimum was verified."""
        return self.status == "ok"

    @property
    def params(self) -> dict[str, float]:
        """Estimates by name."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    @property
    def stderr(self) -> dict[str, float]:
        """Standard errors by name; NaN where there is none, and :attr:`message` says why."""
        return dict(zip(self.names, self.errors.tolist(), strict=True))

    @property
    def nll(self) -> float:
        """Negative log-likelihood without the penalty."""
        return -self.loglik

    @property
    def aic(self) -> float:
        """``2 df - 2 loglik``; NaN where :meth:`summary` says why there is none."""
        return np.nan if self.no_criteria else 2 * self.df - 2 * self.loglik

    @property
    def bic(self) -> float:
        """``df log(nobs) - 2 loglik``; NaN where there is no AIC."""
        return np.nan if self.no_criteria else self.df * float(np.log(self.nobs)) - 2 * self.loglik

    @property
    def no_criteria(self) -> str:
        """Why AIC and BIC have no meaning; empty where they have one."""
        if self.weight_kind == "sampling":
            return "sampling weights give a pseudo-likelihood"
        return "" if self.status in ("ok", "rank_deficient") else "the likelihood is at no verified maximum"

    def ci(self, level: float = 0.95, method: str = "wald") -> dict[str, tuple[float, float]]:
        """Confidence intervals by name.

        Wald: the coefficient plus and minus a normal quantile times its standard error, on the scale of the
        linear predictor; a parameter without covariates is mapped back, so the interval of a positive one is
        positive.

        Parameters
        ----------
        level : float in (0, 1)
        method : {"wald"}

        Examples
        --------
        >>> import neglog as nl
        >>> r = nl.fit("poisson", [2, 3, 1, 4, 2])
        >>> tuple(round(end, 3) for end in r.ci(0.9)["rate"])
        (1.493, 3.859)
        """
        if not 0 < level < 1:
            raise InputError(f"ci: level = {level!r}; allowed: a number between 0 and 1")
        if method != "wald":
            raise InputError(f"ci: method={method!r}; allowed: 'wald'")
        from scipy.special import ndtri

        reach = float(ndtri(0.5 + level / 2)) * self._errors_of_coefficients()
        links = self._links()
        low, high = self.coefficients - reach, self.coefficients + reach
        return {
            name: (float(self.values[i]), float(self.values[i]))
            if name in self.fixed
            else (float(low[i]), float(high[i]))
            if links[i] is None
            else (float(links[i].inverse(low[i])), float(links[i].inverse(high[i])))
            for i, name in enumerate(self.names)
        }

    def table(self, level: float = 0.95) -> list[Row]:
        """One dict per parameter: ``name, estimate, stderr, z, p, low, high``.

        ``z`` and ``p`` test a coefficient against zero. They are None for a fixed value and for a parameter
        on its own scale, where zero is no hypothesis inside the domain.
        """
        from scipy.special import ndtr

        stderr, ends, links = self.stderr, self.ci(level), self._links()
        rows: list[Row] = []
        for i, name in enumerate(self.names):
            value, error = float(self.values[i]), stderr[name]
            tested = error > 0 and (links[i] is None or links[i].name == "identity")
            z = value / error if tested else None
            low, high = ends[name]
            rows.append(
                {
                    "name": name,
                    "estimate": value,
                    "stderr": error,
                    "z": z,
                    "p": None if z is None else 2 * float(ndtr(-abs(z))),
                    "low": low,
                    "high": high,
                }
            )
        return rows

    def predict(
        self, data: Any = None, *, kind: str | None = None, offset: Any = None, fixed: Mapping[str, Any] | None = None
    ) -> Any:
        """Predictions for new rows, or for the rows of the fit.

        Parameters
        ----------
        data : table, matrix or dict of matrices, optional
            What the fit was given: a table for formulas, the matrix ``X`` without the column of ones, or one
            matrix per parameter. Default: the rows of the fit. A model without covariates takes a number of
            rows, or anything that has a length.
        kind : str
            ``"mean"`` (default): the expected value. ``"params"``: a dict of the family's parameters per row.
            For a categorical ``"probs"`` (default), ``"logprobs"`` or ``"logits"``, each ``(n, C)`` in the
            order of ``classes``. For ordered classes ``"probs"``, ``"logprobs"`` or ``"params"``.
        offset : array or dict, optional
            As in the fit, for the new rows. Default: none.
        fixed : dict of name to number or array, optional
            Parameters that the fit knew per row, for the new rows.

        Raises
        ------
        InputError
            If columns are missing, a factor has a new level, or the rows of the fit are asked of a loaded
            fit.

        Examples
        --------
        >>> import neglog as nl
        >>> r = nl.fit("poisson", [1, 2, 4], [[0.0], [1.0], [2.0]], intercept=True)
        >>> r.predict([[3.0]]).round(6)
        array([8.])
        """
        from neglog.estimation.predict import predict

        return predict(self, data, kind, offset, fixed)

    def residuals(self, kind: str = "quantile", *, rng: np.random.Generator | int | None = None) -> Floats:
        """Quantile residuals of the rows of the fit: standard normal if the model is true.

        ``ndtri(F(y))``, within its window where there is truncation. Where the data or a discrete family
        leave an interval for ``F``, a uniform draw from it (Dunn and Smyth, 1996); ``rng`` seeds the draws.

        Examples
        --------
        >>> import neglog as nl
        >>> nl.fit("normal", [1.0, 2.0, 3.0]).residuals().round(3)
        array([-1.225,  0.   ,  1.225])
        """
        from neglog.estimation.residuals import quantile

        if kind != "quantile":
            raise InputError(f"residuals: kind={kind!r}; allowed: 'quantile'")
        return quantile(self, np.random.default_rng(rng))

    def summary(self, level: float = 0.95) -> str:
        """The fit as text.

        What was fitted, whether it can be trusted, estimates with intervals, and the conventions.
        """
        from neglog.estimation.summary import summary

        return summary(self, level)

    def __repr__(self) -> str:
        head = f"Fit({self.family.name}, {self.nobs:,.10g} observations, {self.status})"
        errors = self.stderr
        shown = [
            f"{name} {value:.6g}" + ("" if np.isnan(errors[name]) else f" ± {errors[name]:.3g}")
            for name, value in list(self.params.items())[:4]
        ]
        more = len(self.names) - len(shown)
        shown += [f"{more} more"] * (more > 0)
        return f"{head}: log-likelihood {self.loglik:.10g}\n  {', '.join(shown)}"

    def __str__(self) -> str:
        return self.summary()

    def to_json(self, path: str | Path | None = None) -> str:
        """The fit as JSON text, written to ``path`` if one is given.

        :func:`neglog.load` reads it back exactly.
        """
        from neglog.estimation.store import to_json

        return to_json(self, path)

    def _links(self) -> list[Any]:
        """For each name the link through which it is shown, or None for a coefficient."""
        shown = {parameter.name: parameter.link for parameter in self.family.parameters}
        for parameter in self.family.parameters:
            if parameter.form == "cholesky":  # its diagonal is positive
                shown |= {f"{parameter.name}.{i}.{i}": LINKS["log"] for i in range(len(self.names))}
        return [shown.get(name) for name in self.names]

    def _errors_of_coefficients(self) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.errors / np.abs(self.slopes)
