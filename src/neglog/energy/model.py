"""Restricted Boltzmann machines: two layers of units, an energy, and what follows from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from neglog.core.arrays import Array, floating
from neglog.energy.units import Draws, Rng, product, sigmoid, softplus_sum
from neglog.errors import DataError, ParameterError, ShapeError


class Gradient(NamedTuple):
    """Derivatives in the parameters of a machine, in their shapes."""

    weights: Array
    visible_bias: Array
    hidden_bias: Array


@dataclass(frozen=True, eq=False)
class RBM(ABC):
    """What both machines have in common: ``p(v, h) = exp(-E(v, h)) / Z`` with binary hidden units.

    Parameters are kept in float32 if all are, otherwise in float64; every energy and likelihood is computed in float64.
    """

    weights: Array
    visible_bias: Array
    hidden_bias: Array

    binary: ClassVar[bool]  # whether visible units are 0 or 1; otherwise they are real

    def __post_init__(self) -> None:
        name = type(self).__name__
        given = {key: floating(name, key, getattr(self, key)) for key in Gradient._fields}
        weights, visible, hidden = given.values()
        if weights.ndim != 2 or 0 in weights.shape:
            raise ShapeError(f"{name}: weights has shape {weights.shape}; allowed: (visible units, hidden units)")
        for key, bias, units in (("visible_bias", visible, 0), ("hidden_bias", hidden, 1)):
            if bias.shape != (weights.shape[units],):
                raise ShapeError(f"{name}: {key} has shape {bias.shape}; allowed: {(weights.shape[units],)}")
        dtype = np.float32 if all(a.dtype == np.float32 for a in given.values()) else np.float64
        for key, array in given.items():
            if not np.isfinite(array).all():
                at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
                raise ParameterError(f"{name}: {key}[{', '.join(map(str, at))}] = {array[at]}; allowed: finite numbers")
            object.__setattr__(self, key, np.array(array, dtype, order="C"))

    # -------------------------------------------------------------------------------------------------- what differs

    @abstractmethod
    def _own(self, v: Array) -> Array:
        """The part of ``-E`` that visible units have without hidden ones, (n,)."""

    @abstractmethod
    def visible_mean(self, h: Any) -> Array:
        """``E[v | h]``: the probabilities of binary units, the means of real ones.

        Parameters
        ----------
        h : (n, hidden units) array

        Returns
        -------
        (n, visible units) float64 array
        """

    @abstractmethod
    def _draw_visible(self, h: Array, draws: Draws) -> Array:
        """Visible units given hidden ones, in float64."""

    # ------------------------------------------------------------------------------------------------ what is shared

    @classmethod
    def start(cls, data: Any, n_hidden: int, *, rng: Rng = None) -> Self:
        """A machine to begin training with (Hinton 2010, section 8).

        Weights are normal with standard deviation 0.01 and hidden biases zero. Visible biases give the mean of the
        data when nothing else is known; of binary units with one more 0 and one more 1.

        Parameters
        ----------
        data : (n, visible units) array
            float32 data give float32 parameters.
        n_hidden : int
            Hidden units.
        rng : numpy.random.Generator or int, optional
            Source of randomness, or its seed.

        Examples
        --------
        >>> import neglog as nl
        >>> nl.energy.BernoulliBernoulli.start([[1, 0, 1], [0, 0, 1]], 2, rng=0).visible_bias
        array([ 0.        , -1.09861229,  1.09861229])
        """
        v = checked(f"{cls.__name__}.start", data, None, cls.binary, "data")
        n_hidden = whole(f"{cls.__name__}.start", "n_hidden", n_hidden, 1)
        weights = np.random.default_rng(rng).normal(0.0, 0.01, (v.shape[1], n_hidden))
        parameters = (weights, base_rates(v, cls.binary), np.zeros(n_hidden))
        return cls(*(np.asarray(p, v.dtype) for p in parameters))

    @property
    def n_visible(self) -> int:
        """Visible units."""
        return self.weights.shape[0]

    @property
    def n_hidden(self) -> int:
        """Hidden units."""
        return self.weights.shape[1]

    @property
    def exact(self) -> bool:
        """Whether the smaller of the layers that can be enumerated is small enough for ``log_partition``."""
        from neglog.energy.enumeration import enumerable

        return enumerable(self)

    def wide(self) -> Self:
        """The same machine in float64."""
        return self if self.weights.dtype == np.float64 else type(self)(*(a.astype(np.float64) for a in self._all()))

    def _all(self) -> tuple[Array, Array, Array]:
        return self.weights, self.visible_bias, self.hidden_bias

    def energy(self, v: Any, h: Any) -> Array:
        """``E(v, h)`` of each pair of rows, (n,).

        Parameters
        ----------
        v : (n, visible units) array
        h : (n, hidden units) array
        """
        name = f"{type(self).__name__}.energy"
        m, x, y = self.wide(), checked(name, v, self.n_visible, self.binary), hidden_states(name, h, self.n_hidden)
        if len(x) != len(y):
            raise ShapeError(f"{name}: {len(x)} rows of v, {len(y)} of h; allowed: as many of one as of the other")
        x = x.astype(np.float64)
        return -m._own(x) - y @ m.hidden_bias - np.einsum("ni,ij,nj->n", x, m.weights, y, optimize=True)

    def free_energy(self, v: Any) -> Array:
        r"""What remains of the energy when the hidden units are summed out.

        .. math:: F(v) = -\log \sum_h e^{-E(v, h)} = a(v) - \sum_j \log(1 + e^{c_j + (v W)_j})

        with :math:`a(v) = -b^T v` of binary and :math:`|v - b|^2 / 2` of real units.

        Parameters
        ----------
        v : (n, visible units) array
            Of binary units 0 or 1, or probabilities, for which the same formula is used.

        Returns
        -------
        (n,) float64 array

        Raises
        ------
        ShapeError, DataError
            Another number of columns; NaN, infinite, or, of binary units, outside [0, 1].

        Examples
        --------
        >>> import neglog as nl
        >>> nl.energy.BernoulliBernoulli([[0.0], [0.0]], [1.0, 2.0], [0.0]).free_energy([[1, 1], [0, 0]])
        array([-3.69314718, -0.69314718])
        """
        x = checked(f"{type(self).__name__}.free_energy", v, self.n_visible, self.binary).astype(np.float64)
        m = self.wide()
        return -m._own(x) - softplus_sum(x @ m.weights, m.hidden_bias)

    def hidden_mean(self, v: Any) -> Array:
        """``P(h_j = 1 | v)``, (n, hidden units) float64.

        Parameters
        ----------
        v : (n, visible units) array
        """
        x = checked(f"{type(self).__name__}.hidden_mean", v, self.n_visible, self.binary).astype(np.float64)
        m = self.wide()
        return sigmoid(x @ m.weights, m.hidden_bias)

    def log_partition(self) -> float:
        r"""``log Z`` by summing over every state of the smaller layer.

        .. math:: \log Z = \log \sum_h \exp\big(c^T h + \sum_i \log(1 + e^{b_i + (W h)_i})\big)

        and likewise over the visible units where they are fewer and binary. Costs 2^k rows for k <= 20 units.

        Returns
        -------
        float

        Raises
        ------
        ParameterError
            More than 20 units: see :func:`neglog.energy.ais`.
        """
        from neglog.energy.enumeration import log_partition

        return log_partition(self)

    def nll(self, v: Any) -> Array:
        """Exact negative log-likelihood of each row, ``F(v) + log Z``, in nats.

        Parameters
        ----------
        v : (n, visible units) array
            A row of binary units that holds anything but 0 and 1 is impossible: ``inf``. NaN gives NaN.

        Returns
        -------
        (n,) float64 array

        Raises
        ------
        ShapeError, ParameterError
            Another number of columns; a machine too large for ``log_partition``.

        Examples
        --------
        >>> import neglog as nl
        >>> nl.energy.BernoulliBernoulli([[0.0], [0.0]], [0.0, 0.0], [0.0]).nll([[0, 1]])  # one of four
        array([1.38629436])
        """
        x = rows(f"{type(self).__name__}.nll", v, self.n_visible).astype(np.float64)
        possible = ((x == 0) | (x == 1)).all(1) if self.binary else np.isfinite(x).all(1)
        result = np.where(np.isnan(x).any(1), np.nan, np.inf)
        result[possible] = self.free_energy(x[possible]) + self.log_partition()
        return result

    def nll_grad(self, v: Any) -> tuple[float, Gradient]:
        """Mean of the exact negative log-likelihood, and its gradient in the parameters.

        ``-<v h> + <v h>_model`` and likewise for the biases, every expectation exact.

        Parameters
        ----------
        v : (n, visible units) array
            At least one row.

        Returns
        -------
        (mean, gradient)
        """
        from neglog.energy.enumeration import moments

        name = f"{type(self).__name__}.nll_grad"
        x = checked(name, v, self.n_visible, self.binary).astype(np.float64)
        if not len(x):
            raise DataError(f"{name}: v has no rows; at least one is needed")
        model, h = moments(self), self.hidden_mean(x)
        data = (x.T @ h / len(x), x.mean(0), h.mean(0))
        return float(self.nll(x).mean()), Gradient(*(theirs - ours for theirs, ours in zip(model, data, strict=True)))

    def gibbs(self, v: Any, steps: int = 1, *, rng: Rng = None) -> Array:
        """Rows after ``steps`` of block Gibbs sampling: hidden units given visible ones, then the reverse.

        Parameters
        ----------
        v : (n, visible units) array
            Where to start.
        steps : int
        rng : numpy.random.Generator or int, optional
            Source of randomness, or its seed.

        Returns
        -------
        (n, visible units) float64 array
        """
        name = f"{type(self).__name__}.gibbs"
        x, m, draws = checked(name, v, self.n_visible, self.binary).astype(np.float64), self.wide(), Draws(rng)
        for _ in range(whole(name, "steps", steps, 0)):
            inflow = product(x, m.weights)
            x = m._draw_visible(draws.binary(inflow, m.hidden_bias, sample=inflow), draws)
        return x

    def sample(self, count: int, *, steps: int | None = None, rng: Rng = None) -> Array:
        """Rows drawn from the machine.

        Parameters
        ----------
        count : int
            How many, independent of one another.
        steps : int, optional
            Of Gibbs sampling, each row from a random start. Without: independent draws of the exact distribution, for
            machines that can be enumerated.
        rng : numpy.random.Generator or int, optional
            Source of randomness, or its seed.

        Returns
        -------
        (count, visible units) float64 array

        Examples
        --------
        >>> import neglog as nl
        >>> machine = nl.energy.BernoulliBernoulli([[9.0], [9.0]], [-5.0, -5.0], [-8.0])  # both or neither
        >>> machine.sample(5, rng=1)
        array([[0., 0.],
               [0., 0.],
               [1., 1.],
               [0., 0.],
               [1., 1.]])
        """
        from neglog.energy.enumeration import sample_hidden

        name = f"{type(self).__name__}.sample"
        count, m = whole(name, "count", count, 0), self.wide()
        draws = Draws(rng)
        if steps is None:
            return m._draw_visible(sample_hidden(m, count, draws), draws)
        steps = whole(name, "steps", steps, 1)
        h = np.zeros((count, self.n_hidden))
        draws.binary(h, np.zeros(self.n_hidden), sample=h)
        v = m._draw_visible(h, draws)
        for _ in range(steps - 1):
            inflow = product(v, m.weights)
            v = m._draw_visible(draws.binary(inflow, m.hidden_bias, sample=inflow), draws)
        return v


@dataclass(frozen=True, eq=False)
class BernoulliBernoulli(RBM):
    """Binary visible and hidden units, ``E(v, h) = -b^T v - c^T h - v^T W h``.

    Parameters
    ----------
    weights : (visible units, hidden units) array
        ``W``.
    visible_bias : (visible units,) array
        ``b``.
    hidden_bias : (hidden units,) array
        ``c``.

    Raises
    ------
    ShapeError, ParameterError
        Shapes that do not belong together; a parameter that is not finite.

    References
    ----------
    Smolensky, "Information processing in dynamical systems: foundations of harmony theory" (1986).
    Hinton, "A practical guide to training restricted Boltzmann machines" (2010), equations 1-9.

    Examples
    --------
    >>> import neglog as nl
    >>> machine = nl.energy.BernoulliBernoulli([[0.5, -0.3], [0.2, 0.8], [-0.6, 0.1]], [0.1, -0.2, 0.3], [-0.1, 0.4])
    >>> round(machine.log_partition(), 6), machine.nll([[1, 0, 1], [0, 1, 1]]).round(6)
    (4.017745, array([2.221467, 1.90266 ]))
    """

    binary = True

    def _own(self, v: Array) -> Array:
        return v @ self.visible_bias

    def visible_mean(self, h: Any) -> Array:  # docstring: RBM's
        m, y = self.wide(), hidden_states("BernoulliBernoulli.visible_mean", h, self.n_hidden)
        return sigmoid(y @ m.weights.T, m.visible_bias)

    def _draw_visible(self, h: Array, draws: Draws) -> Array:
        inflow = product(h, self.weights.T)
        return draws.binary(inflow, self.visible_bias, sample=inflow)


@dataclass(frozen=True, eq=False)
class GaussianBernoulli(RBM):
    """Real visible units of unit variance, ``E(v, h) = |v - b|^2 / 2 - c^T h - v^T W h``.

    ``v`` given ``h`` is normal with mean ``b + W h``. Scale data to unit variance first.

    Parameters
    ----------
    weights : (visible units, hidden units) array
        ``W``.
    visible_bias : (visible units,) array
        ``b``.
    hidden_bias : (hidden units,) array
        ``c``.

    References
    ----------
    Hinton & Salakhutdinov, "Reducing the dimensionality of data with neural networks" (Science 2006), supplement.

    Examples
    --------
    Without weights it is a normal distribution, and the constant of its density is there:

    >>> import neglog as nl
    >>> nl.energy.GaussianBernoulli([[0.0]], [0.0], [0.3]).nll([[0.0]])
    array([0.91893853])
    """

    binary = False

    def _own(self, v: Array) -> Array:
        return -0.5 * ((v - self.visible_bias) ** 2).sum(1)

    def visible_mean(self, h: Any) -> Array:  # docstring: RBM's
        m, y = self.wide(), hidden_states("GaussianBernoulli.visible_mean", h, self.n_hidden)
        return y @ m.weights.T + m.visible_bias

    def _draw_visible(self, h: Array, draws: Draws) -> Array:
        return draws.add_normal(product(h, self.weights.T) + self.visible_bias)


# ---------------------------------------------------------------------------------------------------- checked arguments


def rows(function: str, v: Any, n_visible: int | None, name: str = "v") -> Array:
    """``v`` as a float array with ``n_visible`` columns; float32 stays, integers and truth values become float64."""
    x = floating(function, name, v)
    x = x if x.dtype.char in "fd" else x.astype(np.float32)
    if x.ndim != 2 or (n_visible is not None and x.shape[1] != n_visible) or not x.shape[1]:
        wanted = f"(n, {n_visible})" if n_visible is not None else "(n, visible units)"
        raise ShapeError(f"{function}: {name} has shape {x.shape}; allowed: {wanted}")
    return x


def checked(function: str, v: Any, n_visible: int | None, binary: bool, name: str = "v") -> Array:
    """The same with every value in [0, 1], or finite where units are real."""
    x = rows(function, v, n_visible, name)
    good: Callable[[Array], Array] = (lambda a: (a >= 0) & (a <= 1)) if binary else np.isfinite
    if x.size and not good(np.array([x.min(), x.max()])).all():  # NaN is both
        row, column = (int(i) for i in np.argwhere(~good(x))[0])
        allowed = "0 and 1, and probabilities" if binary else "finite numbers"
        raise DataError(f"{function}: {name}[{row}, {column}] = {x[row, column]}; allowed: {allowed}")
    return x


def hidden_states(function: str, h: Any, n_hidden: int) -> Array:
    """``h`` as float64 with ``n_hidden`` columns and values in [0, 1]."""
    x = floating(function, "h", h).astype(np.float64)
    if x.ndim != 2 or x.shape[1] != n_hidden:
        raise ShapeError(f"{function}: h has shape {x.shape}; allowed: (n, {n_hidden})")
    if not ((x >= 0) & (x <= 1)).all():
        row, column = (int(i) for i in np.argwhere(~((x >= 0) & (x <= 1)))[0])
        raise DataError(f"{function}: h[{row}, {column}] = {x[row, column]}; allowed: 0 and 1, and probabilities")
    return x


def whole(function: str, name: str, value: Any, least: int) -> int:
    """``value`` as an integer of at least ``least``."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ParameterError(f"{function}: {name} = {value!r}; allowed: an integer of at least {least}")
    return int(value)


def base_rates(v: Array, binary: bool) -> Array:
    """Visible biases of the machine without weights that fits ``v``; log-odds are smoothed by one row of each."""
    x = v.sum(0, dtype=np.float64)
    if not binary:
        return x / max(len(v), 1)
    return np.log((x + 1) / (len(v) - x + 1))
