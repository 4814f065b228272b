"""Custom(fn, parameters): a likelihood that the user writes, with derivatives by torch's automatic differentiation."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from neglog._optional import require
from neglog.compose import custom_rows
from neglog.compose.composition import state
from neglog.compose.custom_start import coarse_start
from neglog.core.observations import Observations
from neglog.errors import InputError, ParameterError
from neglog.families import Interval, Parameter, ScalarFamily
from neglog.families.base import Array
from neglog.families.domains import Domain
from neglog.families.facts import EXTENDED_REAL, LINKS, REAL, WHOLE

Function = Callable[..., Any]


@dataclass(frozen=True, init=False)
class Custom(ScalarFamily):
    r"""A likelihood of your own: a function of torch tensors that gives :math:`-\log f(y_i; \theta_i)` for every row.

    It is a family like any other: :func:`neglog.fit` with covariates, weights, clusters, ``fixed=``, standard errors
    and a verified status; :func:`neglog.torch.nll`; a component of :class:`neglog.Fixed`, :class:`neglog.Mixture` and,
    if discrete, :class:`neglog.ZeroInflated`. Gradient and Hessian are exact, by ``torch.func``.

    Parameters
    ----------
    fn : callable
        ``fn(y, **parameters, **data)`` returns the negative log-likelihood of each row in nats, shape ``(n,)``. It is
        called with float64 tensors of shape ``(n,)``, all by keyword but the first, and must treat each row on its own.
        Names that are no parameters and have no default are columns of data: ``nl.fit(f, y, data={"x": x})``.
    parameters : dict of name to domain
        ``nl.real``, ``nl.positive``, ``nl.unit`` (a probability) or ``nl.between(low, high)``, each estimated on its
        own unbounded scale. A name in ``fn``'s arguments.
    name : str, optional
        Default: the name of ``fn``.
    support : Interval, domain or pair, optional
        Where ``y`` may lie. Default: all real numbers; 0, 1, 2 ... if ``discrete``.
    discrete : bool
        Whether rows have probabilities rather than densities.
    location : str, optional
        The parameter that takes covariates when only one matrix or formula is given. Default: the first.
    start : dict of name to float, optional
        Where a fit begins; ``nl.fit(start=...)`` overrides it. What neither names is looked for on a coarse grid.
    log_cdf, log_sf : callables, optional
        As ``fn``, for ``log P(Y <= y)`` and ``log P(Y > y)``. With both, censored and truncated rows, quantiles, draws,
        residuals and the expected information exist.
    mean : callable, optional
        ``mean(**parameters, **data)``, the expected value, for predictions.
    data : sequence of str, optional
        Names of the columns of data, where ``fn`` takes ``**keywords``.

    Raises
    ------
    InputError
        If the names do not go together. At evaluation: if ``fn`` fails, with its own error as the cause, or returns
        anything but a tensor of float64.
    ShapeError
        If ``fn`` returns anything but one number per row.
    MissingDependencyError
        Without torch.

    Notes
    -----
    All constants belong in ``fn`` if its log-likelihood is to be compared with that of other families. The fit
    compares the gradient with central differences where it begins, and checks that rows do not influence each other and
    that the tails are those of the density.
    A saved fit does not hold the function: ``nl.load(path, family=...)``.

    Examples
    --------
    >>> import math, torch, neglog as nl
    >>> def curve(y, a, b, sigma, x):
    ...     return 0.5 * ((y - a * torch.exp(-b * x)) / sigma) ** 2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)
    >>> f = nl.Custom(curve, parameters={"a": nl.real, "b": nl.positive, "sigma": nl.positive})
    >>> r = nl.fit(f, [2.9, 1.9, 1.2, 0.6], data={"x": [0.0, 1.0, 2.0, 3.0]})
    >>> r.ok, {name: round(value, 3) for name, value in r.params.items()}
    (True, {'a': 2.935, 'b': 0.471, 'sigma': 0.074})
    """

    fn: Function
    log_cdf_of: Function | None = field(repr=False)
    log_sf_of: Function | None = field(repr=False)
    mean_of: Function | None = field(repr=False)
    facts: tuple[Any, ...] = field(repr=False)  # name, parameters, support ..., for comparison
    begin: tuple[tuple[str, float], ...] = field(repr=False, compare=False)
    source: str = field(repr=False, compare=False, default="")  # "file.py:name" where it was read from one

    def __init__(
        self,
        fn: Function,
        parameters: Mapping[str, Domain],
        *,
        name: str | None = None,
        support: Interval | Domain | tuple[float, float] | None = None,
        discrete: bool = False,
        location: str | None = None,
        start: Mapping[str, float] | None = None,
        log_cdf: Function | None = None,
        log_sf: Function | None = None,
        mean: Function | None = None,
        data: Sequence[str] | None = None,
    ) -> None:
        require("torch", feature="a likelihood of your own (Custom)", extra="torch")
        known = _parameters(fn, parameters)
        columns = _columns(fn, list(known), data)
        if (log_cdf is None) != (log_sf is None):
            raise InputError("Custom: log_cdf and log_sf go together, so that each tail is exact")
        if location is not None and location not in known:
            raise InputError(f"Custom: location={location!r}; the parameters are {', '.join(known)}")
        begin = _numbers("Custom: start", start or {})
        for key, value in begin.items():
            if key not in known:
                raise InputError(f"Custom: start names {key!r}; the parameters are {', '.join(known)}")
            if not (known[key].domain.contains(value) and np.isfinite(value)):
                raise ParameterError(f"Custom: start: {key} = {value:g} is outside its domain {known[key].domain}")
        extra = [Parameter(column, EXTENDED_REAL, LINKS["identity"], column=column) for column in columns]
        name = name or getattr(fn, "__name__", "custom").strip("<>")
        facts: dict[str, Any] = {
            "name": name,
            "parameters": (*known.values(), *extra),
            "support": _support(support, discrete),
            "discrete": bool(discrete),
            "location": location or next(iter(known)),
            "begin": tuple(begin.items()),
        }
        state(self, written=True, tails=log_cdf is not None, **facts)
        state(self, fn=fn, log_cdf_of=log_cdf, log_sf_of=log_sf, mean_of=mean, facts=tuple(facts.values()), source="")

    @classmethod
    def from_file(cls, path: str, name: str) -> Custom:
        """The likelihood ``name`` that a Python file defines; the file is run.

        Raises
        ------
        InputError
            If the file cannot be run, or has no such :class:`Custom`.

        Examples
        --------
        >>> import neglog as nl
        >>> nl.Custom.from_file("absent.py", "curve")
        Traceback (most recent call last):
        ...
        neglog.errors.InputError: absent.py: there is no such file
        """
        found = getattr(_module(path), name, None)
        if isinstance(found, cls):
            state(found, source=f"{path}:{name}")
            return found
        what = f"{name} is a {type(found).__name__}" if found is not None else f"it defines no {name}"
        raise InputError(f"{path}: {what}; a likelihood is {name} = nl.Custom(fn, parameters={{...}})")

    @property
    def free(self) -> int:
        """How many parameters are no columns of data; they come first."""
        return sum(not p.column for p in self.parameters)

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        return custom_rows.reference(self, xp, y, params)

    def _jets(
        self,
        rows: int,
        order: int,
        data: list[Array],
        values: list[Array],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> tuple[Any, ...]:
        found = custom_rows.evaluate(self, rows, order, data, values, shape)
        half = dtype == np.float16
        kinds = [np.float32, np.float16, np.float32] if half else [dtype] * 3
        shaped = zip(found, kinds, strict=False)
        return tuple(out.reshape(out.shape[:-1] + shape).astype(kind, copy=False)[()] for out, kind in shaped)

    def start_of(
        self, y: Any, weight: Any, known: Mapping[int, Array], start: Mapping[str, float]
    ) -> tuple[float, ...]:
        domains = {p.name: p.domain for p in self.parameters}
        own = {key: value for key, value in start.items() if key in domains}
        given = {**dict(self.begin), **_numbers("fit: start", own)}
        for key, value in given.items():
            if not (domains[key].contains(value) and np.isfinite(value)):
                raise ParameterError(f"fit: start: {key} = {value:g} is outside its domain {domains[key]}")
        return coarse_start(self, y, weight, dict(known), given)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        return coarse_start(self, rows if not rows.exact.all() else rows.lower, weight, {}, dict(self.begin))

    def _mean(self, *params: Array) -> Array:
        if self.mean_of is None:
            self._need_tails("the mean", " or mean=")
            return custom_rows.moments(self, params)[0]
        return custom_rows.mean(self, self.mean_of, params)

    def _var(self, *params: Array) -> Array:
        self._need_tails("the variance")
        return custom_rows.moments(self, params)[1]

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        self._need_tails("the expected information")
        return super()._fisher(*np.broadcast_arrays(*params))

    def _ppf(self, q: Array, *params: Array) -> Array:
        self._need_tails("a quantile")
        return super()._ppf(q, *params)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        self._need_tails("a draw")
        y = self._ppf(rng.random(shape), *(np.broadcast_to(p, shape) for p in params))
        return y.astype(np.int64) if self.discrete else y

    def _need_tails(self, what: str, more: str = "") -> None:
        if not self.tails:
            raise InputError(f"{self.name}: {what} is not known; pass log_cdf= and log_sf={more} to nl.Custom")


def _parameters(fn: Any, given: Any) -> dict[str, Parameter]:
    if not callable(fn):
        raise InputError(f"Custom: fn is a {type(fn).__name__}; allowed: a function fn(y, ...) -> nll per row")
    if not isinstance(given, Mapping) or not given:
        raise InputError("Custom: parameters must be a dict of name to domain, such as {'mu': nl.real}")
    found: dict[str, Parameter] = {}
    for name, domain in cast("Mapping[Any, Any]", given).items():
        if not (isinstance(name, str) and name.isidentifier()):
            raise InputError(f"Custom: parameters: {name!r} is no name of an argument")
        if not isinstance(domain, Domain):
            raise InputError(
                f"Custom: parameters: {name} is {domain!r}; "
                "allowed: nl.real, nl.positive, nl.unit, nl.between(low, high)"
            )
        found[name] = Parameter(name, domain.interval, domain.link)
    return found


def _columns(fn: Function, names: list[str], declared: Sequence[str] | None) -> list[str]:
    """The arguments of ``fn`` that are neither the response nor parameters nor options with a default."""
    try:
        arguments = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):  # a builtin tells nothing
        return list(declared or ())
    keywords = any(argument.kind is argument.VAR_KEYWORD for argument in arguments)
    plain = [argument for argument in arguments if argument.kind not in (argument.VAR_KEYWORD, argument.VAR_POSITIONAL)]
    if not plain:
        raise InputError("Custom: fn takes no argument y")
    response, rest = plain[0].name, {argument.name: argument for argument in plain[1:]}
    if response in names:
        raise InputError(f"Custom: the first argument of fn is the response; {response!r} is among the parameters")
    lost = [name for name in names if name not in rest and not keywords]
    if lost:
        raise InputError(f"Custom: fn has no argument {lost[0]!r}; it has {', '.join([response, *rest])}")
    required = [name for name, argument in rest.items() if name not in names and argument.default is argument.empty]
    if declared is None:
        return required
    columns = list(dict.fromkeys([*required, *declared]))
    unknown = [name for name in columns if name not in rest and not keywords]
    if unknown:
        raise InputError(f"Custom: data names {unknown[0]!r}, which is no argument of fn")
    return [name for name in columns if name not in names]


def _support(given: Interval | Domain | tuple[float, float] | None, discrete: bool) -> Interval:
    if given is None:
        return WHOLE if discrete else REAL
    if isinstance(given, Domain):
        given = given.interval
    if isinstance(given, Interval):
        return given
    try:
        low, high = (float(end) for end in given)
    except (TypeError, ValueError):
        raise InputError(
            f"Custom: support is {given!r}; allowed: nl.real, nl.positive, nl.unit, an Interval, or a pair of numbers"
        ) from None
    if not low <= high:
        raise InputError(f"Custom: support ({low:g}, {high:g}) is empty")
    return Interval(low, high, np.isfinite(low), np.isfinite(high), integer=discrete)


def _numbers(where: str, given: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in given.items():
        try:
            found[name] = float(value)
        except (TypeError, ValueError):
            raise InputError(f"{where}: {name} is {value!r}; allowed: a number") from None
    return found


def _module(path: str) -> Any:
    """The file as a module, run once as long as it does not change."""
    if not os.path.isfile(path):
        raise InputError(f"{path}: there is no such file")
    about = os.stat(path)
    name = f"_neglog_user_{abs(hash((os.path.abspath(path), about.st_mtime_ns, about.st_size)))}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path}: it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever stands in the file, a script that ends itself too
        del sys.modules[name]
        raise InputError(f"{path}: {type(error).__name__}: {error}".replace("\n", " ")) from error
    return module
