"""The losses of the comparison, with the parameters of their papers, or round numbers: none was tuned here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
from torch import Tensor

import neglog as nl
import neglog.torch as nlt
from examples.label_noise.data import Noise

Array = np.ndarray[Any, np.dtype[np.float64]]
Criterion = Callable[[Tensor, Tensor], Tensor]  # logits (N, C), observed classes (N,) -> mean loss
WARM_UP = 0.5  # of the epochs, for a loss that has one


@dataclass(frozen=True)
class Loss:
    """A function of :mod:`neglog.torch` with its parameters, and what its minimiser says about probabilities.

    ``posterior``: what the network predicts is the probability of the labels as observed (``"proper"``), becomes it
    by :func:`neglog.losses.recover_posterior` (``"recovered"``) or by the noise that the loss assumes (``"model"``),
    or nothing of the kind is known (``"unknown"``).
    """

    name: str
    function: str
    posterior: Literal["proper", "recovered", "model", "unknown"]
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    assumed: Callable[[Noise], dict[str, Any]] | None = None  # parameters that come from the noise
    warm_up: Mapping[str, Any] | None = None  # parameters of the first epochs
    softcap: float | None = None
    weight_decay: float = 0.0

    def arguments(self, noise: Noise) -> dict[str, Any]:
        """What the function takes besides logits and classes."""
        return {**self.parameters, **(self.assumed(noise) if self.assumed else {})}

    def criterion(self, noise: Noise, share: float) -> Criterion:
        """The loss after the ``share`` of all epochs."""
        arguments = self.warm_up if self.warm_up is not None and share < WARM_UP else self.arguments(noise)
        cap = {} if self.softcap is None else {"softcap": self.softcap}
        return partial(getattr(nlt, self.function), **arguments, **cap)

    def call(self, noise: Noise) -> str:
        """The function with its arguments."""
        arguments = {k: "T" if isinstance(v, Tensor) else f"{v:.4g}" for k, v in self.arguments(noise).items()}
        words = [f"{key}={value}" for key, value in arguments.items()]
        words += [f"softcap={self.softcap:g}"] if self.softcap is not None else []
        return f"{self.function}({', '.join(words)})"

    def pull(self, noise: Noise) -> float:
        """Of a row whose label has probability 1/100, over that of one with 1/2; NaN where that is 0."""
        arguments = {k: v.numpy() if isinstance(v, Tensor) else v for k, v in self.arguments(noise).items()}
        return nl.losses.properties(self.function, classes=len(noise.transition), **arguments).pull

    @property
    def besides(self) -> str:
        """What else is peculiar to its runs."""
        if self.warm_up is not None:
            words = ", ".join(f"{key}={value:g}" for key, value in self.warm_up.items())
            return f"the first {100 * WARM_UP:.0f} % of the epochs: {words}"
        return f"weight decay {self.weight_decay:g}" if self.weight_decay else ""

    def recipe(self, noise: Noise) -> str:
        """What tells two runs apart."""
        return "; ".join(filter(None, (self.call(noise), self.besides)))

    def predict(self, logits: Array) -> Array:
        """Log-probabilities of the classes as the network gives them."""
        if self.function == "bi_tempered":
            return np.log(nl.losses.tempered_softmax(logits, self.parameters["t2"]))
        return nl.losses.log_softmax(self._capped(logits))

    def observed(self, logits: Array, noise: Noise) -> Array | None:
        """Log-probabilities of the labels as observed."""
        if self.posterior == "proper":
            return self.predict(logits)
        if self.posterior == "unknown":
            return None
        if self.function == "forward_correction":
            p = np.exp(self.predict(logits)) @ noise.transition.numpy()
        else:
            p = nl.losses.recover_posterior(
                self.function, self._capped(logits), input="logits", **self.arguments(noise)
            )
        with np.errstate(divide="ignore"):
            return np.log(p)

    def _capped(self, logits: Array) -> Array:
        return logits if self.softcap is None else self.softcap * np.tanh(logits / self.softcap)


REFERENCE = "cross-entropy"

LOSSES = (
    Loss(REFERENCE, "cross_entropy", "proper"),
    Loss("cross-entropy, capped", "cross_entropy", "proper", softcap=10.0),
    Loss("NLLR, weight decay", "nllr", "recovered", weight_decay=0.5),
    Loss("NLLR, capped", "nllr", "recovered", softcap=10.0),
    Loss("NLLR, epsilon", "nllr", "recovered", {"epsilon": 0.1}),
    Loss("competing ratio", "competing_ratio", "recovered", {"alpha": 1.5, "beta": 1.0}),
    Loss("MadaBoost", "madaboost", "recovered"),
    Loss("focal", "focal", "recovered", {"gamma": 2.0}),
    Loss("Poly-1", "poly1", "recovered", {"epsilon": 1.0}),
    Loss("symmetric CE", "symmetric_cross_entropy", "recovered", {"alpha": 0.1, "beta": 1.0}),
    Loss("Taylor CE", "taylor_cross_entropy", "unknown", {"order": 2}),
    Loss("generalised CE", "generalized_cross_entropy", "recovered", {"q": 0.7}),
    Loss(
        "truncated GCE",
        "generalized_cross_entropy",
        "unknown",
        {"q": 0.7, "truncation": 0.5},
        warm_up={"q": 0.7},
    ),
    Loss("density power", "density_power", "proper", {"beta": 0.5}),
    Loss("gamma divergence", "gamma_divergence", "proper", {"gamma": 0.5}),
    Loss("bi-tempered", "bi_tempered", "proper", {"t1": 0.8, "t2": 1.2}),
    Loss("mislabel, true rate", "mislabel", "model", assumed=lambda noise: {"rate": noise.replaced}),
    Loss(
        "mislabel, wrong rate",
        "mislabel",
        "model",
        assumed=lambda noise: {"rate": noise.replaced / 2 or 0.2},
    ),
    Loss("forward correction", "forward_correction", "model", assumed=lambda noise: {"transition": noise.transition}),
)
