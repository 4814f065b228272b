"""The kernel, the reference, and derivatives of both: what the nll of exact rows is."""

import numpy as np
import pytest

import neglog as nl
from neglog.families import ScalarFamily


def test_kernel_is_reference(family, rows):
    r = rows(family, (300,))
    np.testing.assert_allclose(family.nll(*r.args), family.reference(np, *r.args), rtol=1e-12, atol=1e-12)


def test_reference_knows_the_support(family, rows):
    y, params = (r := rows(family, (6,))).y.copy(), r.params
    for i, value in enumerate((np.nan, np.inf, -np.inf, -1.0, 0.5)):
        y[i] = value
    np.testing.assert_allclose(family.reference(np, y, *params), family.nll(y, *params), rtol=1e-12)


def test_derivatives_are_those_of_the_reference(family, rows):
    torch = pytest.importorskip("torch")
    r = rows(family, (40,))
    y = torch.from_numpy(r.y)
    value, grad, hess = family.nll_grad_hess(*r.args)
    params = tuple(torch.from_numpy(p).requires_grad_() for p in r.params)
    np.testing.assert_allclose(family.reference(torch, y, *params).detach(), value, rtol=1e-12, atol=1e-12)
    first = torch.autograd.grad(family.reference(torch, y, *params).sum(), params, create_graph=True)
    if isinstance(family, ScalarFamily):
        np.testing.assert_allclose(np.stack([g.detach() for g in first]), grad, rtol=1e-10, atol=1e-10)
        for i, g in enumerate(first):
            second = torch.autograd.grad(g.sum(), params, retain_graph=True, allow_unused=True, materialize_grads=True)
            np.testing.assert_allclose(np.stack([s.detach() for s in second]), hess[i], rtol=1e-9, atol=1e-9)
    else:  # (*batch, all entries of all parameters)
        batch = value.shape
        flat = torch.cat([entries(p, g, batch) for p, g in zip(family.parameters, first, strict=True)], -1)
        np.testing.assert_allclose(flat.detach(), grad, rtol=1e-10, atol=1e-10)
        for c in range(grad.shape[-1]):
            second = torch.autograd.grad(flat[..., c].sum(), params, retain_graph=True)
            second = torch.cat([entries(p, s, batch) for p, s in zip(family.parameters, second, strict=True)], -1)
            np.testing.assert_allclose(second, hess[..., c, :], rtol=1e-9, atol=1e-9)


def entries(p, derivative, batch):
    """The derivative in one parameter with all that can vary of it in one last axis."""
    if p.form == "cholesky":
        row, column = np.tril_indices(derivative.shape[-1])
        derivative = derivative[..., row, column]
    return derivative.reshape(*batch, -1)


def five_point(f, x, step):
    """Fourth-order central difference."""
    return (f(x - 2 * step) - 8 * f(x - step) + 8 * f(x + step) - f(x + 2 * step)) / (12 * step)


def room(domain, p):
    """Distance to the nearest end of the parameter's domain, where functions are singular; to 0 if there is none."""
    ends = [np.abs(p - end) for end in (domain.low, domain.high) if np.isfinite(end)]
    return np.minimum.reduce(ends) if ends else np.abs(p)


def check_differences(family, function, params, grad, hess):
    """function(*params) -> (value, gradient): its derivatives by differences against grad and hess."""
    for i, p in enumerate(params):
        # the error of differences is about (step / room)^4 and 1e-16 / step; numbers of trials are larger than 4, and
        # not smooth on their own scale
        step = 1e-3 * np.clip(room(family.parameters[i].domain, p), 1e-3, 4)

        def moved(x, i=i):
            return function(*params[:i], x, *params[i + 1 :])

        scale = 1 + np.abs(moved(p)[0])
        error = np.abs(five_point(lambda x, m=moved: m(x)[0], p, step) - grad[i])
        assert np.all(error <= 1e-7 * (scale + np.abs(grad[i])) / np.minimum(np.abs(p), 1)), (i, error.max())
        for j in range(len(params)):
            error = np.abs(five_point(lambda x, m=moved, j=j: m(x)[1][j], p, step) - hess[i, j])
            size = 1 + np.abs(grad[j]) + np.abs(hess[i, j])
            assert np.all(error <= 1e-7 * size / np.minimum(np.abs(p), 1) ** 2), (i, j, error.max())


def test_finite_differences_of_exact_rows(scalar, rows, clear_of_moving_ends):
    r = rows(scalar, (50,))
    clear = clear_of_moving_ends(scalar, r.y, r.params, 1e-3)
    assert clear.mean() > 0.5
    r = type(r)(r.y[clear], tuple(p[clear] for p in r.params))
    _, grad, hess = scalar.nll_grad_hess(*r.args)
    # unchecked: a number of trials is whole, and the formula goes on between
    check_differences(scalar, lambda *p: scalar.nll_grad(r.y, *p, check=False), r.params, grad, hess)


@pytest.mark.parametrize("kind", ["log_cdf", "log_sf", "log_interval", "observed"])
def test_finite_differences_of_tails(scalar, rows, ends, clear_of_moving_ends, kind):
    params = rows(scalar, (50,)).params
    lower, upper = ends(scalar, params)
    data = {
        "log_cdf": (upper,),
        "log_sf": (lower,),
        "log_interval": (lower, upper),
        "observed": (nl.interval(lower, upper),),
    }[kind]
    method = scalar.nll_grad_hess if kind == "observed" else getattr(scalar, f"{kind}_grad_hess")
    value, grad, hess = method(*data, *params)
    finite = np.isfinite(value)  # an interval that ends at the last possible value has no upper tail
    for y in (lower, upper):
        finite &= clear_of_moving_ends(scalar, y, params, 1e-3)
    assert finite.mean() > 0.5
    keep = [p[finite] for p in params]
    data = [d[finite] for d in data]
    check_differences(scalar, lambda *p: method(*data, *p, check=False)[:2], keep, grad[:, finite], hess[:, :, finite])


def test_hessian_is_symmetric_and_orders_agree(scalar, rows):
    r = rows(scalar, (100,))
    value, grad, hess = scalar.nll_grad_hess(*r.args)
    np.testing.assert_array_equal(hess, hess.swapaxes(0, 1))
    np.testing.assert_array_equal(scalar.nll(*r.args), value)
    np.testing.assert_array_equal(scalar.nll_grad(*r.args)[1], grad)


def test_hessian_vector_product(rows):
    f = nl.Categorical()
    r = rows(f, (20,))
    v = np.random.default_rng(1).normal(size=r.params[0].shape)
    hess = f.nll_grad_hess(*r.args)[2]
    np.testing.assert_allclose(f.hess_matvec(r.y, *r.params, v), (hess @ v[..., None])[..., 0], rtol=1e-12, atol=1e-15)
