"""What a family is: the likelihood of one observation given its parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog.core.observations import Observations
from neglog.errors import ParameterError
from neglog.families.facts import Interval, Parameter

Array = NDArray[Any]
Rng = np.random.Generator | int | None


class Family(ABC):
    """The likelihood of one observation given its parameters. Instances are frozen, hashable and cheap."""

    name: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    support: ClassVar[Interval]
    discrete: ClassVar[bool]
    event_ndim: ClassVar[int] = 0  # trailing axes that belong to one observation
    classes: ClassVar[str] = ""  # "unordered" or "ordered" where an observation is one of several classes
    # relative error of log_cdf, log_sf, log_interval and their gradients per condition number; Hessians: 100 times that
    tail_accuracy: ClassVar[float] = 1e-12
    regular: ClassVar[bool] = True  # the score has mean zero, and its variance is the expected Hessian
    # the likelihood of exact rows has no corner (Laplace) and no edge (Uniform) where it is largest
    smooth: ClassVar[bool] = True
    location: ClassVar[str]  # the parameter that takes covariates when only one matrix is given
    atom: ClassVar[float | None] = None  # the one value of a continuous family that has a probability, not a density
    dispersion: ClassVar[str | None] = None  # the scale that the square root of a precision weight divides
    # the parameter, on the identity link, that moves with the data: f(y + a; theta + a) = f(y; theta)
    translation: ClassVar[str | None] = None
    written: ClassVar[bool] = False  # by the user: its rows' values are all that is known, and no file stores it
    tails: ClassVar[bool] = True  # log_cdf, log_sf and log_interval exist

    @abstractmethod
    def nll(self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """Negative log-likelihood of each observation, in nats, all constants included."""

    @abstractmethod
    def nll_grad(
        self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array]:
        """The negative log-likelihood and its gradient in the parameters."""

    @abstractmethod
    def nll_grad_hess(
        self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array, Array]:
        """The negative log-likelihood, its gradient and its exact Hessian in the parameters."""

    @abstractmethod
    def fisher(self, *params: ArrayLike, **named: ArrayLike) -> Array:
        """Variance of the score of one observation, which is the expected Hessian of the nll."""

    @abstractmethod
    def mean(self, *params: ArrayLike, **named: ArrayLike) -> Any:
        """Expected value."""

    @abstractmethod
    def var(self, *params: ArrayLike, **named: ArrayLike) -> Any:
        """Variance."""

    @abstractmethod
    def sample(
        self,
        *params: ArrayLike,
        size: int | tuple[int, ...] | None = None,
        rng: Rng = None,
        **named: ArrayLike,
    ) -> Any:
        """Independent draws."""

    @abstractmethod
    def start(self, y: ArrayLike | Observations, weights: ArrayLike | None = None) -> tuple[Any, ...]:
        """Finite parameters inside their domains from which a fit of these rows can start."""

    @abstractmethod
    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        """The definition of the nll of exact rows, in ``xp`` (numpy or torch) and nothing else."""

    @final
    def _bind(self, function: str, params: tuple[ArrayLike, ...], named: dict[str, ArrayLike]) -> list[ArrayLike]:
        """Positional and named arguments in the order of ``self.parameters``."""
        names = [p.name for p in self.parameters]
        call = f"{type(self).__name__}.{function}"
        given = dict(zip(names, params, strict=False))
        twice = sorted(given.keys() & named.keys())
        unknown = sorted(named.keys() - set(names))
        given |= named
        missing = [name for name in names if name not in given]
        if len(params) > len(names) or twice or unknown or missing:
            what = (
                f"{len(params)} parameters"
                if len(params) > len(names)
                else f"{twice[0]!r} twice"
                if twice
                else f"{unknown[0]!r}, which is no parameter"
                if unknown
                else f"no {missing[0]!r}"
            )
            raise ParameterError(f"{call}: got {what}; the parameters are ({', '.join(names)})")
        return [given[name] for name in names]

    @final
    def _check_domain(self, function: str, values: list[Array]) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            inside = parameter.contains(value)
            if not inside.all():
                at = tuple(int(i) for i in np.argwhere(~inside)[0])
                raise ParameterError(
                    f"{type(self).__name__}.{function}: {parameter.name} = {value[at]:g}"
                    f"{f' at position {at}' if at else ''} is outside its domain {parameter.allowed}"
                )
        try:
            bad, rule = self._disagree(*values)
        except ValueError:  # shapes that do not go together are reported where that matters
            return
        if bad.any():
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            given = ", ".join(
                f"{parameter.name} = {np.broadcast_to(value, bad.shape)[at]:g}"
                for parameter, value in zip(self.parameters, values, strict=True)
            )
            raise ParameterError(
                f"{type(self).__name__}.{function}: {given}{f' at position {at}' if at else ''}; allowed: {rule}"
            )

    def _disagree(self, *params: Array) -> tuple[NDArray[np.bool_], str]:
        """Where parameters, each inside its domain, break a rule that they share, and the rule."""
        return np.zeros((), bool), ""
