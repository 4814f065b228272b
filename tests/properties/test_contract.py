"""What a number means and what bad input gets, for every family."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neglog as nl
from neglog.families import LINKS, Family, ScalarFamily


def test_registry_and_public_names(family):
    assert nl.family(family.name) is nl.family(family.name)
    assert getattr(nl, type(family).__name__) is type(family)
    assert nl.family(family) is family
    assert family.name in nl.families.names()


def test_unknown_family():
    with pytest.raises(nl.InputError, match="did you mean 'weibull'"):
        nl.family("weibul")


def test_frozen_hashable_picklable(family):
    other = type(family)()
    assert other == family
    assert len({other, family}) == 1
    assert pickle.loads(pickle.dumps(family)) == family
    with pytest.raises(AttributeError):
        family.name = "other"


def test_facts(family):
    assert family.location in [p.name for p in family.parameters]
    assert family.support.integer == family.discrete
    for p in family.parameters:
        assert p.link is LINKS[p.link.name]
        assert pickle.loads(pickle.dumps(p)) == p
        eta = np.linspace(-30, 30, 601)
        theta, first, second = p.link.inverse_derivatives(eta)
        assert np.all(replace(p.domain, integer=False).contains(theta))  # links go between whole numbers
        if not p.link.name.startswith("logit"):  # near 1 a probability does not determine its logit
            np.testing.assert_allclose(p.link.apply(theta), eta, rtol=1e-13, atol=1e-13)
        step = 1e-4
        slope = (p.link.inverse(eta + step) - p.link.inverse(eta - step)) / (2 * step)
        np.testing.assert_allclose(first, slope, rtol=1e-6, atol=1e-9)
        bend = (p.link.inverse_derivatives(eta + step)[1] - p.link.inverse_derivatives(eta - step)[1]) / (2 * step)
        np.testing.assert_allclose(second, bend, rtol=1e-6, atol=1e-9)


def test_outside_the_support_is_impossible(family, rows):
    r = rows(family, ())
    params = r.params
    bad = [y for y in (-1.0, -0.5, 0.5, 2.5, 1e300, np.inf, -np.inf) if not family.support.contains(y)]
    assert bad
    for y in bad:
        assert family.nll(np.full_like(r.y, y), *params) == np.inf
    assert np.isnan(family.nll(np.full_like(r.y, np.nan), *params))


def test_windows_outside_the_support(scalar, rows):
    params = rows(scalar, ()).params
    low, high = scalar.support.low, scalar.support.high
    below = low - 1 if np.isfinite(low) else -np.inf
    assert scalar.log_cdf(below, *params) == -np.inf
    assert scalar.log_sf(below, *params) == 0
    assert scalar.log_cdf(high, *params) == 0
    assert scalar.log_sf(high, *params) == -np.inf
    assert scalar.log_interval(-np.inf, np.inf, *params) == 0
    if np.isfinite(low):
        assert scalar.log_interval(low - 2, low - 1, *params) == -np.inf
        assert scalar.nll(nl.interval(low - 2, low - 1), *params) == np.inf
        y = float(scalar.ppf(0.4, *params))
        assert scalar.log_interval(low - 2, y, *params) == scalar.log_cdf(y, *params)
    assert scalar.log_interval(0.25, 0.25, *params) == -np.inf  # empty, while an Observation of 0.25 is exact
    if scalar.discrete:
        assert scalar.log_interval(0.25, 0.75, *params) == -np.inf
        assert scalar.log_cdf(0.75, *params) == scalar.log_cdf(0.0, *params)


def test_certain_rows_have_no_slope(scalar, rows):
    params = rows(scalar, ()).params
    value, grad, hess = scalar.nll_grad_hess(nl.interval(-np.inf, np.inf), *params)
    assert value == 0
    assert not np.signbit(value)
    assert not grad.any()
    assert not hess.any()


def bad_values(parameter):
    domain = parameter.domain
    return [x for x in (-1.0, 0.0, np.inf, -np.inf, np.nan) if not domain.contains(x)]


def test_parameters_outside_their_domain(family, rows):
    for i, p in enumerate(family.parameters):
        for bad in bad_values(p):
            r = rows(family, (3,))
            params = [q.copy() for q in r.params]
            params[i][1] = bad
            with pytest.raises(nl.ParameterError, match=rf"nll: {p.name} = {bad:g} at position \(1"):
                family.nll(r.y, *params)
            for method in (family.mean, family.var, family.fisher, family.sample):
                with pytest.raises(nl.ParameterError):
                    method(*params)
            if isinstance(family, ScalarFamily):
                value, grad, hess = family.nll_grad_hess(r.y, *params, check=False)
                assert np.isnan(value[1]) if np.isnan(bad) else value[1] == np.inf
                assert np.isfinite(value[[0, 2]]).all()
                assert np.isfinite(grad[:, [0, 2]]).all()
                assert np.isfinite(hess[:, :, [0, 2]]).all()
                censored = nl.interval(np.full(3, 0.5), np.full(3, np.inf))
                value = family.nll(censored, *params, check=False)
                assert np.isnan(value[1]) if np.isnan(bad) else value[1] == np.inf
                assert np.isnan(family.log_sf(0.5, *params, check=False)[1])


def test_parameters_by_name(family, rows):
    r = rows(family, (4,))
    named = {p.name: value for p, value in zip(family.parameters, r.params, strict=True)}
    np.testing.assert_array_equal(family.nll(r.y, **named), family.nll(*r.args))
    with pytest.raises(nl.ParameterError, match="'nonsense', which is no parameter"):
        family.nll(r.y, *r.params, nonsense=1.0)
    with pytest.raises(nl.ParameterError, match="twice"):
        family.nll(r.y, *r.params, **{family.parameters[0].name: 1.0})
    with pytest.raises(nl.ParameterError, match=f"no '{family.parameters[-1].name}'"):
        family.nll(r.y, *r.params[:-1])
    with pytest.raises(nl.ParameterError, match="the parameters are"):
        family.nll(r.y, *r.params, 1.0)


def test_shapes_broadcast(family, rows):
    r = rows(family, (3, 1, 4))
    y = np.broadcast_to(r.y, (3, 5, 4, *r.y.shape[3:]))
    value, grad, hess = family.nll_grad_hess(y, *r.params)
    assert value.shape == (3, 5, 4)
    count = len(family.parameters) if isinstance(family, ScalarFamily) else grad.shape[-1]
    if not isinstance(family, ScalarFamily):
        assert grad.shape == (3, 5, 4, count)
        assert hess.shape == (3, 5, 4, count, count)
    else:
        assert grad.shape == (count, 3, 5, 4)
        assert hess.shape == (count, count, 3, 5, 4)
    np.testing.assert_array_equal(value, np.repeat(family.nll(*r.args), 5, axis=1))


def test_scalars_give_scalars_and_empty_gives_empty(family, rows):
    r = rows(family, ())
    value = family.nll(*r.args)
    assert isinstance(value, np.float64)
    assert family.nll(np.empty((0, 3, *r.y.shape)), *r.params).shape == (0, 3)


def test_shapes_that_do_not_broadcast(family, rows):
    r = rows(family, (3,))
    with pytest.raises(nl.ShapeError, match=r"nll: .*y \(4,\)"):
        family.nll(np.zeros((4, *r.y.shape[1:])), *r.params)


def test_dtypes(family, rows):
    r = rows(family, (4,))
    single = [np.float32(p) for p in r.params]
    assert family.nll(r.y.astype(np.float32), *single).dtype == np.float32
    half = [x.astype(np.float16) for x in r.args]
    for got, want in zip(family.nll_grad_hess(*half), (np.float32, np.float16, np.float32), strict=True):
        assert got.dtype == want
    exact = family.nll_grad_hess(*[x.astype(np.float64) for x in half])
    np.testing.assert_allclose(family.nll(*half), exact[0], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(family.nll_grad(*half)[1], exact[1].astype(np.float16), rtol=1e-3, atol=1e-7)
    assert family.nll(r.y, *r.params).dtype == np.float64
    if family.discrete:
        assert family.nll(r.y.astype(np.int32), *single).dtype == np.float32  # counts do not decide
    swapped = [p.astype(p.dtype.newbyteorder()) for p in r.params]
    np.testing.assert_array_equal(family.nll(r.y, *swapped), family.nll(*r.args))
    with pytest.raises(nl.InputKindError, match="dtype"):
        family.nll(r.y, *[np.array(["a"] * 4)] * len(r.params))


def test_inputs_are_read_only_and_any_layout(family, rows):
    r = rows(family, (6, 4))
    expected = family.nll_grad_hess(*r.args)
    for view in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2], lambda a: a[::-1][::-1]):
        arrays = [view(a.copy()) for a in r.args]
        before = [a.copy() for a in arrays]
        for a in arrays:
            a.flags.writeable = False
        for got, want in zip(family.nll_grad_hess(*arrays), expected, strict=True):
            np.testing.assert_array_equal(got, want)
        for a, b in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("start", range(1, 9))  # 8 lanes at most: every alignment and every remainder
def test_a_row_does_not_depend_on_its_position(family, rows, start):
    r = rows(family, (23,))
    part = family.nll_grad_hess(r.y[start:], *[p[start:] for p in r.params])
    whole = family.nll_grad_hess(*r.args)
    if not isinstance(family, ScalarFamily):
        cut = [whole[0][start:], whole[1][start:], whole[2][start:]]
    else:
        cut = [whole[0][start:], whole[1][:, start:], whole[2][:, :, start:]]
    for got, want in zip(part, cut, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 15, 17, 23])  # fewer than the lanes, a group more, and a rest
def test_a_row_does_not_depend_on_how_many_there_are(scalar, rows, count):
    r = rows(scalar, (23,))
    one_law = [p[0] for p in r.params]
    y = np.asarray(scalar.sample(*one_law, size=23, rng=0), np.float64)
    for whole, part in (
        (scalar.nll(*r.args), scalar.nll(*[a[:count] for a in r.args])),
        (scalar.nll(y, *one_law), scalar.nll(y[:count], *one_law)),
        *zip(scalar.nll_grad_hess(y, *one_law), scalar.nll_grad_hess(y[:count], *one_law), strict=True),
    ):
        np.testing.assert_array_equal(part, whole[..., :count])


def test_many_rows_are_the_few(rows):
    r = rows(nl.Normal(), (1000,))
    many = nl.Normal().nll(*[np.tile(a, 600) for a in r.args])  # slices of more than 1024 rows
    np.testing.assert_array_equal(many, np.tile(nl.Normal().nll(*r.args), 600))


def test_threads_do_not_change_results(family, rows):
    r = rows(family, (5000,))  # several grains of 1024 rows
    before = nl.get_num_threads()
    try:
        results = []
        for n in (1, 2, 5):
            nl.set_num_threads(n)
            results.append(family.nll_grad_hess(*r.args))
    finally:
        nl.set_num_threads(before)
    for other in results[1:]:
        for got, want in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(got, want)


def test_mixed_rows_are_each_row_by_itself(scalar, rows, ends):
    params = rows(scalar, (64,)).params
    y = scalar.sample(*params, rng=1)
    lower, upper = (np.array(x) for x in ends(scalar, params))
    kind = np.arange(64) % 4
    lower = np.where(kind == 0, y, np.where(kind == 2, -np.inf, lower))
    upper = np.where(kind == 0, y, np.where(kind == 1, np.inf, upper))
    together = scalar.nll_grad_hess(nl.interval(lower, upper), *params)
    for i in range(64):
        alone = [p[i] for p in params]
        if kind[i] == 0:
            one = scalar.nll_grad_hess(float(y[i]), *alone)
            sign = 1
        else:
            one = scalar.log_interval_grad_hess(lower[i], upper[i], *alone)
            sign = -1
        for got, want in zip(together, one, strict=True):
            np.testing.assert_array_equal(got[..., i], sign * want)


def test_reversed_windows(scalar, rows):
    params = rows(scalar, (3,)).params
    with pytest.raises(nl.DataError, match=r"lower = 2 is above upper = 1 at position \(1,\)"):
        scalar.log_interval([0.0, 2.0, 0.0], [1.0, 1.0, 1.0], *params)
    assert scalar.log_interval(2.0, 1.0, *params, check=False)[0] == -np.inf


def test_classes_are_not_censored(rows):
    f = nl.Categorical()
    r = rows(f, (3,))
    np.testing.assert_array_equal(f.nll(nl.interval(r.y, r.y), *r.params), f.nll(*r.args))
    with pytest.raises(nl.InputKindError, match="censored"):
        f.nll(nl.interval(r.y, r.y + 1), *r.params)


def start_is_usable(family: Family, start):
    assert len(start) == len(family.parameters)
    for p, value in zip(family.parameters, start, strict=True):
        assert np.all(p.domain.contains(value))
        assert np.all(np.isfinite(p.link.apply(value)))


def test_start_values(family, rows):
    r = rows(family, ())
    y = np.atleast_1d(family.sample(*r.params, size=500, rng=2)).astype(float)
    start = family.start(y)
    start_is_usable(family, start)
    assert np.all(np.isfinite(family.nll(y, *start)))
    # weights are repeats, and what is not read does not count
    weights = np.arange(500) % 3
    same = family.start(np.append(y, np.full_like(y[:1], np.nan), axis=0), np.append(weights, 5))
    for other in (family.start(np.repeat(y, weights, axis=0)), family.start(y, weights)):
        for value, expected in zip(other, same, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-12)
    with pytest.raises(nl.DataError, match="no row"):
        family.start(np.full_like(y[:1], np.nan))


@given(st.lists(st.tuples(st.floats(-5, 50), st.sampled_from("erli"), st.floats(0, 9)), min_size=1, max_size=6))
def test_start_values_of_any_censoring(rows):
    lower = np.array([-np.inf if kind == "l" else y for y, kind, _ in rows])
    upper = np.array([np.inf if kind == "r" else y + (width if kind == "i" else 0) for y, kind, width in rows])
    for name in nl.families.names():
        family = nl.family(name)
        if isinstance(family, ScalarFamily):
            start_is_usable(family, family.start(nl.interval(lower, upper)))
