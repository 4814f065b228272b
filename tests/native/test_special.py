"""The cards of native/special_gamma.hpp hold on every instruction set."""

import json

import numpy as np
import pytest
from tests.native import special_errors

from neglog import _native


@pytest.mark.parametrize("isa", _native.available_isas())
def test_cards(on_isa, isa):
    measured = json.loads(on_isa(isa, special_errors.__file__))
    assert measured.pop("isa") == isa
    assert measured["log1pmx"][1] < 6 * 2**-52
    for name in ("log_gamma", "digamma", "trigamma", "stirling_error"):
        largest, far = measured[name]
        assert largest < (8e-15 if name == "trigamma" else 4e-15), name
        assert far < 1e-15, name


def test_known_values():
    def at(name, x):
        return _native.math(name, np.array([x]), np.empty(1))[0]

    assert at("log_gamma", 1.0) == pytest.approx(0, abs=3e-15)
    assert at("log_gamma", 0.5) == pytest.approx(np.log(np.pi) / 2, rel=1e-14)
    assert at("digamma", 1.0) == pytest.approx(-np.euler_gamma, rel=1e-14)
    assert at("trigamma", 1.0) == pytest.approx(np.pi**2 / 6, rel=1e-14)
    assert at("stirling_error", 1e8) == pytest.approx(1 / 12e8, rel=1e-15)
