"""Compositions of several families; what holds for every family is asked of them too."""

from __future__ import annotations

import pytest
from tests.properties.conftest import *  # noqa: F403

import neglog as nl

COMPOSITIONS = [
    nl.Truncated("normal", -1.0, 2.0),
    nl.Truncated("normal", lower=0.5),
    nl.Truncated("weibull", 0.2, 3.0),
    nl.Truncated("poisson", lower=0),
    nl.Truncated("poisson", 0, 6),
    nl.Mixture("normal", k=2),
    nl.Mixture("poisson", k=3),
    nl.Mixture("normal", "weibull"),
    nl.ZeroInflated("poisson"),
    nl.Hurdle("poisson"),
    nl.Fixed("weibull", shape=1.5),
    nl.Fixed(nl.Mixture("normal", k=2), logit_1=0.3, scale_1=2.0),
    nl.Truncated(nl.Mixture("poisson", k=2), 0, 40),
    nl.Truncated(nl.Mixture("normal", k=2), -3.0),
    nl.Mixture(nl.Truncated("normal", lower=0.0), "weibull"),
    nl.ZeroInflated(nl.ZeroInflated("poisson")),
]
MIXED = [nl.ZeroInflated("weibull"), nl.Hurdle("weibull"), nl.Hurdle("normal"), nl.ZeroInflated("normal")]


@pytest.fixture(params=COMPOSITIONS, ids=lambda f: f.name)
def scalar(request):
    return request.param


@pytest.fixture
def family(scalar):
    return scalar


@pytest.fixture(params=MIXED, ids=lambda f: f.name)
def mixed(request):
    """An atom at zero and a density elsewhere."""
    return request.param
