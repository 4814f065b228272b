"""Losses of means, variances and counts: published vectors, torch's numbers, and what is not torch's."""

import math

import mpmath
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import neglog as nl
import neglog.torch as nlt

F64 = torch.float64


def f64(*values):
    return torch.tensor(values, dtype=F64, requires_grad=True)


def close(actual, *expected, rtol=1e-9):
    torch.testing.assert_close(
        torch.stack(list(actual)).flatten().detach().double(), torch.tensor(expected, dtype=F64), rtol=rtol, atol=1e-12
    )


# ------------------------------------------------------------------------------------------------------------ vectors


def test_gaussian_vector():
    m, v, y = f64(0.4), f64(0.5), torch.tensor([1.3], dtype=F64)
    close([nlt.gaussian_nll_loss(m, y, v, full=True)], 1.382364942925)
    loss = nlt.gaussian_nll_loss(m, y, v)
    close([loss], 0.46342640972002740)
    close(torch.autograd.grad(loss, (m, v)), -1.8, -0.62)
    s = v.detach().log().requires_grad_()
    close(torch.autograd.grad(nlt.gaussian_nll_loss(m, y, s.exp()), (m, s)), -1.8, -0.31)


def test_the_mean_squared_error_is_a_cross_entropy():
    """Of a normal model with known variance: half of it over the variance, and what does not depend on the mean."""
    torch.manual_seed(2)
    y, mean, var = torch.randn(50, dtype=F64), torch.randn(50, dtype=F64, requires_grad=True), 0.7
    squares = F.mse_loss(mean, y) / (2 * var)
    loss = nlt.gaussian_nll_loss(mean, y, var, full=True)
    numpy = nl.Normal().nll(y.numpy(), mean.detach().numpy(), var**0.5).mean()
    close([loss, torch.tensor(numpy)], *2 * [squares.item() + 0.5 * math.log(math.tau * var)])
    assert torch.allclose(*(torch.autograd.grad(of, mean)[0] for of in (loss, squares)), rtol=1e-13)


def test_beta_vectors():
    y = torch.tensor([1.3], dtype=F64)
    for beta, value, slopes in (
        (0.5, 0.32769195689396674, (-1.2727922061, -0.4384062043)),
        (1.0, 0.2317132048600137, (-0.9, -0.31)),
        (0.0, 0.46342640972002740, (-1.8, -0.62)),
    ):
        m, v = f64(0.4), f64(0.5)
        loss = nlt.beta_nll_loss(m, y, v, beta)
        close([loss], value)
        close(torch.autograd.grad(loss, (m, v)), *slopes, rtol=1e-9)


def test_natural_vector():
    eta, curvature, y = f64(0.8), f64(-1.0), torch.tensor([1.3], dtype=F64)
    loss = nlt.natural_gaussian_nll_loss(eta, y, curvature, full=True)
    close([loss], 1.382364942925)
    slopes = torch.autograd.grad(loss, (eta, curvature), create_graph=True)
    close(slopes, -0.9, -1.03)
    mean, var = 0.4, 0.5
    fisher = [[var, 2 * mean * var], [2 * mean * var, 4 * mean**2 * var + 2 * var**2]]
    for slope, row in zip(slopes, fisher, strict=True):  # for every y: the observed Hessian is the expected one
        close(torch.autograd.grad(slope, (eta, curvature), retain_graph=True), *row)


def test_poisson_vectors():
    rate, k = f64(2.5), torch.tensor([3.0], dtype=F64)
    close([nlt.poisson_nll_loss(rate, k, False, True)], 1.5428872736)
    close([nlt.poisson_nll_loss(rate, k, False, "exact")], 1.5428872736)
    close([nlt.poisson_nll_loss(rate, k, False, "stirling")], 1.5152093479)
    close([nlt.poisson_nll_loss(rate.log(), k, True, True)], 1.5428872736)


# --------------------------------------------------------------------------------------------------- beside torch


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("shape", [(4, 3), (4, 1), (4,), (1, 3), None])
def test_gaussian_numbers_are_those_of_torch(reduction, full, shape):
    torch.manual_seed(0)
    m, y = torch.randn(4, 3, requires_grad=True), torch.randn(4, 3)
    v = 0.7 if shape is None else (torch.rand(shape) + 0.1).requires_grad_()
    options = {"full": full, "reduction": reduction}
    ours, theirs = nlt.gaussian_nll_loss(m, y, v, **options), F.gaussian_nll_loss(m, y, v, **options)
    torch.testing.assert_close(ours, theirs)
    tensors = [t for t in (m, v) if isinstance(t, torch.Tensor)]
    torch.testing.assert_close(
        torch.autograd.grad(ours.sum(), tensors), torch.autograd.grad(theirs.sum(), tensors), rtol=1e-5, atol=1e-6
    )
    torch.testing.assert_close(nlt.GaussianNLLLoss(**options)(m, y, v), nn.GaussianNLLLoss(**options)(m, y, v))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("log_input", [True, False])
@pytest.mark.parametrize("full", [False, "stirling"])
def test_poisson_numbers_are_those_of_torch(reduction, log_input, full):
    torch.manual_seed(0)
    x, k = torch.rand(5, 3, dtype=F64) * 4 + 0.1, torch.poisson(torch.full((5, 3), 3.0, dtype=F64))
    theirs = F.poisson_nll_loss(x, k, log_input, bool(full), reduction=reduction)
    ours = nlt.poisson_nll_loss(x, k, log_input, full, eps=1e-8, reduction=reduction)
    torch.testing.assert_close(ours, theirs)
    module = nlt.PoissonNLLLoss(log_input, full, eps=1e-8, reduction=reduction)
    torch.testing.assert_close(module(x, k), theirs)
    for old in ({"reduce": False}, {"size_average": False}):
        with pytest.warns(UserWarning, match="size_average"):
            torch.testing.assert_close(
                nlt.poisson_nll_loss(x, k, eps=1e-8, **old), nlt.poisson_nll_loss(x, k, reduction=_meant(old))
            )


def _meant(old):
    return "none" if "reduce" in old else "sum"


# ------------------------------------------------------------------------------------------------------ honest numbers


def test_the_gradient_below_the_floor_is_that_of_the_value():
    """torch's is ½/eps = 500000 there: of log(var), which is not what it computes."""
    v = f64(1e-9, 1e-3)
    loss = nlt.gaussian_nll_loss(torch.zeros(2, dtype=F64), torch.zeros(2, dtype=F64), v, reduction="none")
    close([loss[0]], -6.907755278982137)
    (slope,) = torch.autograd.grad(loss.sum(), v)
    assert slope.tolist() == [0.0, 500.0]


def test_no_floor_no_lower_bound():
    """Why a variance that learns needs one: a residual of 0 rewards any shrinking."""
    var = torch.tensor([1e-2, 1e-20, 1e-200], dtype=F64)
    zero = torch.zeros(3, dtype=F64)
    losses = nlt.gaussian_nll_loss(zero, zero, var, eps=0.0, reduction="none")
    close([losses], *[0.5 * math.log(v) for v in var.tolist()])
    assert nlt.gaussian_nll_loss(zero, zero, var).item() == pytest.approx((math.log(1e-2) + 2 * math.log(1e-6)) / 6)


@pytest.mark.parametrize(
    "call",
    [
        lambda m, y, v: nlt.gaussian_nll_loss(m, y, v),
        lambda m, y, v: nlt.beta_nll_loss(m, y, v),
        lambda m, y, v: nlt.faithful_gaussian_nll_loss(m, y, v),
        lambda m, y, v: nlt.natural_gaussian_nll_loss(m, y, -v),
        lambda m, y, v: nlt.poisson_nll_loss(m, y),
    ],
)
def test_nothing_is_broadcast(call):
    with pytest.raises(nl.ShapeError, match=r"target has shape \(4,\); allowed: that of input, \(4, 1\)"):
        call(torch.zeros(4, 1), torch.ones(4), torch.ones(4, 1))
    assert issubclass(nl.ShapeError, ValueError)


@pytest.mark.parametrize("shape", [(3,), (1, 1), (4, 3, 1), (2, 3)])
def test_variances_that_fit_nowhere(shape):
    with pytest.raises(nl.ShapeError, match="var has shape"):
        nlt.gaussian_nll_loss(torch.zeros(4, 3), torch.zeros(4, 3), torch.ones(shape))


def test_impossible_values():
    zero, one = torch.zeros(2), torch.ones(2)
    bad = torch.tensor([1.0, -0.5])
    with pytest.raises(nl.InputKindError, match=r"gaussian_nll_loss: var\[1\] = -0.5; allowed: var >= 0"):
        nlt.gaussian_nll_loss(zero, zero, bad)
    with pytest.raises(nl.InputKindError, match=r"curvature\[0\] = 1"):
        nlt.natural_gaussian_nll_loss(zero, zero, bad)
    with pytest.raises(nl.InputKindError, match=r"poisson_nll_loss: target\[1\] = -0.5; allowed: counts >= 0"):
        nlt.poisson_nll_loss(zero, bad)
    with pytest.raises(nl.InputKindError, match=r"poisson_nll_loss: input\[1\] = -0.5; allowed: rates >= 0"):
        nlt.poisson_nll_loss(bad, one, log_input=False)
    keep = torch.tensor([True, False])
    for loss in (
        nlt.gaussian_nll_loss(zero, zero, bad, mask=keep),
        nlt.poisson_nll_loss(bad, one, False, mask=keep),
        nlt.poisson_nll_loss(zero, bad, sample_weight=torch.tensor([1.0, 0.0])),
    ):
        assert loss.isfinite()


def test_entries_that_take_no_part():
    nan = torch.nan
    m = torch.tensor([0.5, nan, 0.1], requires_grad=True)
    v = torch.tensor([0.5, nan, -1.0], requires_grad=True)
    y = torch.tensor([1.0, nan, nan])
    mask, weight = torch.tensor([True, False, True]), torch.tensor([2.0, 1.0, 0.0])
    loss = nlt.gaussian_nll_loss(m, y, v, mask=mask, sample_weight=weight)
    torch.testing.assert_close(loss, nlt.gaussian_nll_loss(m[:1], y[:1], v[:1]))
    for slope in torch.autograd.grad(loss, (m, v)):
        assert slope[0] != 0 and slope[1:].tolist() == [0.0, 0.0]


def test_the_constant_of_counts():
    """Exact to rounding where three terms of 1e8 cancel to 9, with the slopes; integers or not."""
    for rate, k in ((2.5, 3.0), (1e-3, 0.0), (9.0, 10.0), (1e4, 10100.0), (5e6, 5000123.0), (0.5, 11.5), (1e3, 2.0)):
        with mpmath.workdps(40):
            exact = mpmath.mpf(rate) - k * mpmath.log(rate) + mpmath.loggamma(mpmath.mpf(k) + 1)
            inputs = abs(rate - k) + abs(k * (mpmath.digamma(k + 1) - mpmath.log(rate)))
        condition = max(1.0, float(inputs / exact))
        x = f64(rate)
        value = nlt.poisson_nll_loss(x, torch.tensor([k], dtype=F64), False, True)
        assert abs(value.item() / float(exact) - 1) <= 4e-15 * condition, (rate, k)
        close(torch.autograd.grad(value, x), 1 - k / rate)
        log_rate = f64(math.log(rate))
        value = nlt.poisson_nll_loss(log_rate, torch.tensor([k], dtype=F64), True, True)
        # the logarithm itself is rounded: its error times the slope
        allowed = 4e-15 * condition + abs(math.log(rate) * (rate - k)) * 2.3e-16 / float(exact)
        assert abs(value.item() / float(exact) - 1) <= allowed, (rate, k)


def test_the_family_and_the_loss_agree():
    torch.manual_seed(0)
    rate = torch.rand(50, dtype=F64) * 40
    k = torch.poisson(rate)
    m, v, y = torch.randn(50, dtype=F64), rate + 0.1, torch.randn(50, dtype=F64)
    normal = nlt.nll("normal", y, m, v.sqrt())
    for ours, family in (
        (nlt.poisson_nll_loss(rate, k, False, True), nlt.nll("poisson", k, rate)),
        (nlt.gaussian_nll_loss(m, y, v, True), normal),
        (nlt.natural_gaussian_nll_loss(m / v, y, -0.5 / v, True), normal),
    ):
        torch.testing.assert_close(ours, family, rtol=1e-13, atol=0)


def test_rates_at_the_ends():
    inf = torch.inf
    rate, k = torch.tensor([0.0, 0.0, inf]), torch.tensor([0.0, 3.0, 2.0])
    assert nlt.poisson_nll_loss(rate, k, False, reduction="none").tolist() == [0.0, inf, inf]
    assert nlt.poisson_nll_loss(rate.log(), k, reduction="none").tolist() == [0.0, inf, inf]
    assert nlt.poisson_nll_loss(rate, k, False, True, reduction="none").tolist() == [0.0, inf, inf]
    many = torch.tensor([0.0, 30.0, 30.0])
    assert nlt.poisson_nll_loss(rate, many, False, True, reduction="none").tolist() == [0.0, inf, inf]
    assert nlt.poisson_nll_loss(rate.log(), many, True, True, reduction="none").tolist() == [0.0, inf, inf]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtypes(dtype):
    m = torch.randn(4).to(dtype).requires_grad_()
    v = torch.rand(4).add(0.5).to(dtype).requires_grad_()
    for loss in (
        nlt.gaussian_nll_loss(m, torch.randn(4).to(dtype), v),
        nlt.beta_nll_loss(m, torch.randn(4).to(dtype), v),
        nlt.faithful_gaussian_nll_loss(m, torch.randn(4).to(dtype), v),
        nlt.natural_gaussian_nll_loss(m, torch.randn(4).to(dtype), -v),
        nlt.poisson_nll_loss(m, torch.tensor([0, 1, 2, 30]), full=True) + 0 * v.sum().to(torch.float32),
    ):
        assert loss.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
        gradients = torch.autograd.grad(loss, (m, v))
        assert all(g.dtype == dtype and g.isfinite().all() for g in gradients)


# ---------------------------------------------------------------------------------------------- losses to train with


def test_beta_weighs_the_plain_gradient():
    """∂mean = v^(beta - 1) (mean - y), ∂var = v^beta (1/v - r²/v²) / 2; nothing of the factor itself."""
    torch.manual_seed(0)
    m, y = torch.randn(9, dtype=F64, requires_grad=True), torch.randn(9, dtype=F64)
    v = (torch.rand(9, dtype=F64) + 0.1).requires_grad_()
    r = (y - m).detach()
    for beta in (0.0, 0.3, 1.0):
        slopes = torch.autograd.grad(nlt.beta_nll_loss(m, y, v, beta, reduction="sum"), (m, v))
        w = v.detach()
        torch.testing.assert_close(slopes[0], -(w ** (beta - 1)) * r)
        torch.testing.assert_close(slopes[1], w**beta * 0.5 * (1 / w - r**2 / w**2))
        tangent = torch.func.jvp(lambda m, v, b=beta: nlt.beta_nll_loss(m, y, v, b), (m.detach(), w), (r, w))[1]
        torch.testing.assert_close(tangent, (slopes[0] * r + slopes[1] * w).mean())
    with pytest.raises(nl.ParameterError, match=r"beta=1\.5"):
        nlt.BetaNLLLoss(1.5)(m, y, v)


def _network(head):
    torch.manual_seed(7)
    trunk = nn.Sequential(nn.Linear(2, 16), nn.Tanh())
    return trunk, head()


def test_a_faithful_head_predicts_what_the_squared_error_would():
    """Bit for bit, after training: the property that the loss is named for."""
    torch.manual_seed(1)
    x, y = torch.randn(64, 2), torch.randn(64, 1)
    trunk, head = _network(lambda: nlt.GaussianHead(16, faithful=True))
    plain_trunk, plain = _network(lambda: nn.Linear(16, 1))
    models = (nn.ModuleList([trunk, head]), nn.ModuleList([plain_trunk, plain]))
    optimizers = [torch.optim.Adam(model.parameters(), 1e-2) for model in models]
    for _ in range(50):
        for optimizer in optimizers:
            optimizer.zero_grad()
        mean, var = head(trunk(x))
        nlt.FaithfulGaussianNLLLoss()(mean, y, var).backward()
        (0.5 * F.mse_loss(plain(plain_trunk(x)), y)).backward()
        for optimizer in optimizers:
            optimizer.step()
    assert torch.equal(head(trunk(x))[0], plain(plain_trunk(x)))
    assert not torch.allclose(head(trunk(x))[1], torch.ones(64, 1))  # while the variance did learn


def test_faithful_gradients():
    m, v, y = f64(0.4), f64(0.5), torch.tensor([1.3], dtype=F64)
    loss = nlt.faithful_gaussian_nll_loss(m, y, v, full=True)
    close([loss], 0.5 * 0.81 + 0.5 * math.log(2 * math.pi) + 1.382364942925, rtol=1e-11)
    close(torch.autograd.grad(loss, (m, v)), -0.9, -0.62)


def test_heads_start_where_they_say():
    features = torch.zeros(3, 5)
    for start, floor in ((1.0, 1e-6), (0.01, 1e-3), (50.0, 1.0)):
        mean, var = nlt.GaussianHead(5, 2, initial_var=start, min_var=floor)(features)
        torch.testing.assert_close(var, torch.full((3, 2), start))
        assert mean.shape == (3, 2)
        head = nlt.GaussianHead(5, 2, initial_var=start, min_var=floor)
        with torch.no_grad():
            head.raw_var.bias.fill_(-1000.0)
        assert (head(features)[1] == floor).all()
        _, var = nlt.NaturalGaussianHead(5, 2, initial_var=start).moments(features)
        torch.testing.assert_close(var, torch.full((3, 2), start))
    with pytest.raises(nl.ParameterError, match=r"GaussianHead: min_var=0\.0"):
        nlt.GaussianHead(5, min_var=0.0)
    with pytest.raises(nl.ParameterError, match="NaturalGaussianHead: min_precision=-1"):
        nlt.NaturalGaussianHead(5, min_precision=-1.0)


def test_a_natural_head_learns_mean_and_variance():
    """y | x ~ N(x, 0.25): convex in both parameters, so plain descent gets there."""
    torch.manual_seed(0)
    x = torch.rand(4000, 1, dtype=F64) * 2 - 1
    y = x + 0.5 * torch.randn(4000, 1, dtype=F64)
    head = nlt.NaturalGaussianHead(1).double()
    loss_of = nlt.NaturalGaussianNLLLoss(full=True)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        eta, curvature = head(x)
        loss = loss_of(eta, y, curvature)
        loss.backward()
        return loss

    optimizer.step(closure)
    mean, var = head.moments(x)
    # four standard errors of 4000 rows: of a slope 0.014, of a variance 0.006
    assert (mean - x).abs().max() < 0.08 and (var - 0.25).abs().max() < 0.04
    torch.testing.assert_close(closure(), nlt.gaussian_nll_loss(mean, y, var, full=True))
