"""The losses of logits with class indices by their names, as boosting and numerical checks take them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from neglog import losses
from neglog.core.arrays import Array
from neglog.core.deformations import DEFORMATIONS
from neglog.core.domain import Interval
from neglog.core.tempered import ROW_LOSSES
from neglog.errors import ParameterError
from neglog.losses.posterior import recover_posterior, why_not
from neglog.losses.primitives import softmax
from neglog.losses.tempered_probabilities import tempered_softmax

AT_LEAST_TWO = Interval(2.0, math.inf, low_closed=True, integer=True)  # classes
CLASS_LOSSES = ("cross_entropy", *DEFORMATIONS, *ROW_LOSSES)


def class_loss(function: str, name: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The loss, and the loss with its gradient."""
    if name not in CLASS_LOSSES:
        raise ParameterError(
            f"{function}: {name!r} is no loss of logits in neglog.losses; allowed: {', '.join(CLASS_LOSSES)}"
        )
    return getattr(losses, name), getattr(losses, f"{name}_grad")


def class_probabilities(name: str, logits: Array, parameters: Mapping[str, Any]) -> Array:
    """The probabilities of the classes ``(n, C)`` of which ``logits`` are the loss's scores.

    Of the true classes for ``mislabel`` and ``forward_correction``; the softmax where nothing can be recovered.
    """
    if name == "bi_tempered":
        return tempered_softmax(logits, parameters.get("t2", 1.2))
    if name in DEFORMATIONS and name != "mislabel":
        kind = DEFORMATIONS[name]
        loss = kind(**{key: value for key, value in parameters.items() if key in kind.__dataclass_fields__})
        if not why_not(loss):
            return recover_posterior(loss, logits, input="logits")
    return softmax(logits)
