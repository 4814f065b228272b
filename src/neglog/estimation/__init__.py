"""Estimating parameters.

Maximum likelihood for any family, with covariates, censoring, truncation and weights.
"""

from neglog.estimation.fitting import fit as fit
from neglog.estimation.result import Fit as Fit
from neglog.estimation.store import load as load

__all__ = ["Fit", "fit", "load"]
