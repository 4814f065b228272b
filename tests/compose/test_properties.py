"""What tests/properties asks of every registered family, asked of compositions."""

import pickle

import numpy as np
import pytest
from tests.properties.test_contract import (  # noqa: F401
    test_a_row_does_not_depend_on_its_position,
    test_certain_rows_have_no_slope,
    test_dtypes,
    test_facts,
    test_inputs_are_read_only_and_any_layout,
    test_mixed_rows_are_each_row_by_itself,
    test_outside_the_support_is_impossible,
    test_parameters_by_name,
    test_parameters_outside_their_domain,
    test_reversed_windows,
    test_scalars_give_scalars_and_empty_gives_empty,
    test_shapes_broadcast,
    test_shapes_that_do_not_broadcast,
    test_start_values,
    test_threads_do_not_change_results,
    test_windows_outside_the_support,
)
from tests.properties.test_definition import (  # noqa: F401
    test_derivatives_are_those_of_the_reference,
    test_finite_differences_of_exact_rows,
    test_finite_differences_of_tails,
    test_hessian_is_symmetric_and_orders_agree,
    test_kernel_is_reference,
    test_reference_knows_the_support,
)
from tests.properties.test_probability import (  # noqa: F401
    point,
    test_densities_are_limits_of_intervals,
    test_draws_follow_the_distribution,
    test_draws_have_the_shape_asked_for,
    test_intervals_of_every_width_are_consistent,
    test_masses_are_intervals,
    test_quantiles_at_the_ends,
    test_quantiles_invert_the_cdf,
)

import neglog as nl
from neglog.compose import Fixed, Mixture, Truncated


def test_frozen_hashable_picklable_and_known_by_name(scalar):
    other = pickle.loads(pickle.dumps(scalar))
    assert other == scalar == nl.family(scalar.name)
    assert len({other, scalar, nl.family(scalar.name)}) == 1
    assert (other.parameters, other.support, other.name) == (scalar.parameters, scalar.support, scalar.name)
    with pytest.raises(AttributeError):
        scalar.name = "other"


def test_tails_and_intervals_add_up(scalar, rows, ends):
    """To the digits that the data have: near a window far out a value moves the probability by its condition number."""
    params = rows(scalar, (200,)).params
    lower, upper = ends(scalar, params)
    inside = scalar.log_interval(lower, upper, *params)
    whole = scalar.cdf(lower, *params) + np.exp(inside) + scalar.sf(upper, *params)
    condition = 1 + np.abs(upper) * np.exp(-scalar.nll(upper, *params))
    assert np.max(np.abs(whole - 1) / condition) < 1e-14
    assert np.max(np.abs(scalar.cdf(upper, *params) + scalar.sf(upper, *params) - 1)) < 1e-14


def pieces(f, params):
    """Families and their parameters between whose quantiles the density of ``f`` is smooth."""
    if isinstance(f, Fixed):
        return pieces(f.family, f._all(params))
    if isinstance(f, Truncated):
        return [(f, params), *pieces(f.family, params)]
    if isinstance(f, Mixture):
        return [piece for g, span in zip(f.families, f.spans, strict=True) for piece in pieces(g, params[span])]
    return [(f, params)]


def expectation(f, function, params):
    """Tanh-sinh rules in y between quantiles of the pieces, or a plain sum."""
    if f.discrete:
        y = np.arange(float(f.ppf(0.0, *params)), float(f.ppf(1 - 1e-14, *params)) + 1)
        return np.sum(function(y) * np.exp(-f.nll(y, *params)), axis=-1)
    cuts = [[np.ravel(end)[0] for end in f._ends(*map(np.asarray, params))]]
    levels = -np.array([0.4, 1.0, 2.3, 5.0, 10.0, 20.0, 35.0, 60.0])  # logarithms of either tail
    for g, values in pieces(f, params):
        at = [np.full(levels.shape, float(value)) for value in values]
        cuts += [g.quantile_of_log(levels, upper, at) for upper in (False, True)]
    cuts = np.unique(np.clip(np.concatenate(cuts), *cuts[0]))
    low, high = cuts[np.isfinite(cuts)][:-1, None], cuts[np.isfinite(cuts)][1:, None]
    t = np.arange(-4.5, 4.5, 1 / 16)
    share = 1 / (1 + np.exp(-np.pi * np.sinh(t)))  # of each piece
    weight = (high - low) / 16 * np.pi * np.cosh(t) * share / (1 + np.exp(np.pi * np.sinh(t)))
    y = np.where(
        share < 0.5, low + (high - low) * share, high - (high - low) / (1 + np.exp(np.pi * np.sinh(t)))
    ).ravel()
    terms = function(y) * np.exp(-f.nll(y, *params)) * weight.ravel()
    return np.sum(np.where(np.isfinite(terms), terms, 0.0), axis=-1)


def test_sums_to_one_and_moments(scalar, point):  # noqa: F811
    mean, var = float(scalar.mean(*point)), float(scalar.var(*point))

    def powers(y):
        return np.stack([np.ones_like(y), y, (y - mean) ** 2])

    np.testing.assert_allclose(expectation(scalar, powers, point), [1, mean, var], rtol=1e-8, atol=1e-9)


def test_fisher_is_the_variance_of_the_score(scalar, point):  # noqa: F811
    fisher = scalar.fisher(*point)
    size = np.sqrt(np.outer(np.diag(fisher), np.diag(fisher)))
    first, second = np.triu_indices(len(point))

    def products(y):
        score = scalar.nll_grad(y, *point)[1]
        return score[first] * score[second]

    error = np.abs(expectation(scalar, products, point) - fisher[first, second])
    np.testing.assert_array_less(error, 1e-6 * size[first, second])


def test_expected_curvature_is_fisher(scalar, point):  # noqa: F811
    fisher = scalar.fisher(*point)
    size = np.sqrt(np.outer(np.diag(fisher), np.diag(fisher)))
    first, second = np.triu_indices(len(point))

    def curvature(y):
        return scalar.nll_grad_hess(y, *point)[2][first, second]

    error = np.abs(expectation(scalar, curvature, point) - fisher[first, second])
    np.testing.assert_array_less(error, 1e-6 * size[first, second])
