"""Penalties that keep hidden units mostly off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from neglog.core.arrays import Array
from neglog.energy.model import RBM, Gradient, checked
from neglog.errors import ParameterError


@dataclass(frozen=True)
class Sparsity:
    r"""How often a hidden unit should be on, and what it costs when it is not so.

    With :math:`q_j` the mean of ``P(h_j = 1 | v)`` over the data:

    * ``squared``: :math:`\lambda \sum_j (p - q_j)^2` (Lee, Ekanadham & Ng, NIPS 2008). Training subtracts its gradient.
    * ``kl``: :math:`\lambda \sum_j p \log\frac{p}{q_j} + (1 - p) \log\frac{1 - p}{1 - q_j}` (Nair & Hinton, NIPS 2009).
      Training subtracts :math:`\lambda (q_j - p)` in the input of unit j, with a running mean for :math:`q_j`: the
      gradient where all inputs of a unit are alike (Hinton 2010, section 11).

    Parameters
    ----------
    target : float
        ``p``, in (0, 1).
    strength : float
        ``lambda >= 0``.
    form : {"squared", "kl"}
    weights : bool
        Whether training moves the weights too; without, the hidden biases alone, as Lee et al. do.
    decay : float
        Of the running mean, ``q <- decay q + (1 - decay) q_batch``, in [0, 1); of the form ``kl`` alone.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.energy.Sparsity(target=0.05, strength=0.5, form="kl").target
    0.05
    """

    target: float = 0.02
    strength: float = 1.0
    form: Literal["squared", "kl"] = "squared"
    weights: bool = False
    decay: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.target < 1:
            raise ParameterError(f"Sparsity: target = {self.target}; allowed: between 0 and 1")
        if not 0 <= self.strength < np.inf:
            raise ParameterError(f"Sparsity: strength = {self.strength}; allowed: at least 0")
        if self.form not in ("squared", "kl"):
            raise ParameterError(f"Sparsity: form = {self.form!r}; allowed: 'squared', 'kl'")
        if not 0 <= self.decay < 1:
            raise ParameterError(f"Sparsity: decay = {self.decay}; allowed: at least 0, below 1")

    def of_means(self, q: Array) -> float:
        """The penalty of the mean probabilities ``q`` (hidden units,); infinite in the form ``kl`` where one is 0 or 1.

        Examples
        --------
        >>> import neglog as nl
        >>> round(nl.energy.Sparsity(target=0.1, strength=2.0).of_means([0.1, 0.3]), 6)
        0.08
        """
        p, q = self.target, np.asarray(q, np.float64)
        if self.form == "squared":
            return float(self.strength * ((p - q) ** 2).sum())
        with np.errstate(divide="ignore"):
            return float(self.strength * (p * (np.log(p) - np.log(q)) + (1 - p) * (np.log1p(-p) - np.log1p(-q))).sum())

    def penalty_grad(self, model: RBM, v: Any) -> tuple[float, Gradient]:
        """Penalty on the rows ``v`` and its exact gradient in all parameters (that of visible biases is 0).

        Parameters
        ----------
        model : BernoulliBernoulli or GaussianBernoulli
        v : (n, visible units) array

        Returns
        -------
        (penalty, gradient)
        """
        x = checked("Sparsity.penalty_grad", v, model.n_visible, model.binary).astype(np.float64)
        h = model.hidden_mean(x)
        q = h.mean(0)
        slope = h * (1 - h) * (self._slope(q) / len(x))
        return self.of_means(q), Gradient(x.T @ slope, np.zeros(model.n_visible), slope.sum(0))

    def _slope(self, q: Array) -> Array:
        """d penalty / d q."""
        by_q = 2 * (q - self.target) if self.form == "squared" else (q - self.target) / (q * (1 - q))
        return self.strength * by_q

    def descent(self, v: Array, h: Array, running: Array) -> tuple[Array, Array | None]:
        """What training subtracts from hidden biases and weights, per unit of learning rate.

        ``running`` (hidden units,) is the running mean, which is brought up to date; NaN before the first batch.
        """
        q = h.mean(0)
        if self.form == "squared":
            by_input = h * (1 - h) * (self._slope(q) / len(v)).astype(h.dtype)
            return by_input.sum(0), v.T @ by_input if self.weights else None
        first = np.isnan(running[0])
        running[:] = q if first else self.decay * running + (1 - self.decay) * q
        excess = (self.strength * (running - self.target)).astype(h.dtype)
        return excess, np.outer(v.mean(0), excess) if self.weights else None
