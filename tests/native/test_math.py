"""Every card of native/math.hpp holds, on every instruction set of this machine."""

import json

import numpy as np
import pytest
from tests.native import math_cards

from neglog import _native


@pytest.fixture(scope="module", params=_native.available_isas())
def measured(request, on_isa):
    return json.loads(on_isa(request.param, math_cards.__file__))


def test_every_function_has_a_card_and_keeps_it(measured):
    stated = math_cards.cards()
    assert set(stated) == set(measured) - {"isa"}
    excess = {name: (measured[name], limit) for name, limit in stated.items() if measured[name] > limit}
    assert not excess


def test_cards_are_not_generous(measured):
    """A card that promises much less than is delivered says nothing."""
    assert all(limit < measured[name] * 1.6 for name, limit in math_cards.cards().items())


INF, NAN = np.inf, np.nan
EDGES = {
    "exp": [(0.0, 1.0), (-INF, 0.0), (INF, INF), (NAN, NAN), (-750.0, 0.0), (710.0, INF), (5e-324, 1.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (-INF, -1.0), (INF, INF), (NAN, NAN), (5e-324, 5e-324)],
    "log": [(0.0, -INF), (-0.0, -INF), (1.0, 0.0), (INF, INF), (NAN, NAN), (-1.0, NAN), (5e-324, -744.4400719213812)],
    "tanh": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (-INF, -1.0),
        (INF, 1.0),
        (NAN, NAN),
        (5e-324, 5e-324),
        (0.5, 0.46211715726000975),
    ],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (INF, INF), (NAN, NAN), (-2.0, NAN), (5e-324, 5e-324)],
    "log1pexp": [(-INF, 0.0), (INF, INF), (NAN, NAN), (-40.0, 4.248354255291589e-18), (800.0, 800.0), (-800.0, 0.0)],
    "log1mexp": [
        (0.0, -INF),
        (NAN, NAN),
        (1.0, NAN),
        (-1e-20, -46.051701859880914),
        (-0.5, -0.9327521295671886),
        (-50.0, -1.9287498479639178e-22),
    ],
    "sigmoid": [(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (NAN, NAN)],
}


@pytest.mark.parametrize("name", EDGES)
def test_edges(name):
    x, expected = np.array(EDGES[name]).T.copy()
    got = math_cards.call(name, x)
    np.testing.assert_allclose(got, expected, rtol=4e-16, atol=0)
    np.testing.assert_array_equal(np.signbit(got[~np.isnan(got)]), np.signbit(expected[~np.isnan(expected)]))


def test_a_value_does_not_depend_on_its_position():
    x = np.linspace(-30, 3, 67)
    whole = math_cards.call("exp", x)
    single = np.array([math_cards.call("exp", x[i : i + 1])[0] for i in range(len(x))])
    np.testing.assert_array_equal(whole, single)
