"""neglog: the negative log-likelihood, done once and done right.

Three verbs: train with it (:mod:`neglog.losses`), estimate with it (:func:`neglog.fit`), judge predictions with
it (:class:`neglog.Score`). Importing this package imports numpy and nothing else; the rest loads when used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name -> module that defines it; a name equal to its module's last part is that module
_HOME = {
    "losses": "neglog.losses",
    "families": "neglog.families",
    "errors": "neglog.errors",
    "family": "neglog.families",
    "Normal": "neglog.families",
    "Weibull": "neglog.families",
    "Poisson": "neglog.families",
    "Bernoulli": "neglog.families",
    "Categorical": "neglog.families",
    "right_censored": "neglog.core.observations",
    "interval": "neglog.core.observations",
    "fit": "neglog.estimation",
    "load": "neglog.estimation",
    "Score": "neglog.evaluation",
    "set_num_threads": "neglog.core.threads",
    "get_num_threads": "neglog.core.threads",
    "NeglogError": "neglog.errors",
    "InputError": "neglog.errors",
    "ShapeError": "neglog.errors",
    "TargetError": "neglog.errors",
    "InputKindError": "neglog.errors",
    "ParameterError": "neglog.errors",
    "DataError": "neglog.errors",
    "MissingDependencyError": "neglog.errors",
}
__all__ = sorted([*_HOME, "__version__"])

if TYPE_CHECKING:
    from neglog import errors as errors
    from neglog import families as families
    from neglog import losses as losses


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'neglog' has no attribute {name!r}")
    module = importlib.import_module(home)
    value = module if home == f"neglog.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
