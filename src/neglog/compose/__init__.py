"""Families made of families: they take families and are families, with nothing to write for any of them.

>>> import neglog as nl
>>> f = nl.ZeroInflated(nl.Truncated("poisson", upper=20))
>>> float(f.nll(0, rate=2.0, zero=0.3))
0.92954138969...
"""

from neglog.compose.custom import Custom
from neglog.compose.fixed import Fixed
from neglog.compose.hurdle import Hurdle
from neglog.compose.mixture import Mixture
from neglog.compose.truncated import Truncated
from neglog.compose.zero_inflated import ZeroInflated
from neglog.families import family
from neglog.families.domains import Domain, between, positive, real, unit

__all__ = [
    "Custom",
    "Domain",
    "Fixed",
    "Hurdle",
    "Mixture",
    "Truncated",
    "ZeroInflated",
    "between",
    "family",
    "positive",
    "real",
    "unit",
]
