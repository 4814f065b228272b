"""Bi-tempered, density power and forward correction for tensors: the NumPy losses, autograd, the compiler, edges."""

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy.integrate import quad

import neglog as nl
import neglog.torch as nlt
from neglog import losses
from neglog.torch.routing import Way

TRANSITION = 0.8 * np.eye(4) + 0.05
CASES = {
    "bi_tempered": (nlt.bi_tempered, losses.bi_tempered_grad, {"t1": 0.6, "t2": 1.4}),
    "bi_tempered, short tails": (nlt.bi_tempered, losses.bi_tempered_grad, {"t1": 0.6, "t2": 0.7}),
    "bi_tempered, smoothed": (
        nlt.bi_tempered,
        losses.bi_tempered_grad,
        {"t1": 0.6, "t2": 1.4, "label_smoothing": 0.2},
    ),
    "density_power": (nlt.density_power, losses.density_power_grad, {"beta": 0.4}),
    "forward_correction": (nlt.forward_correction, losses.forward_correction_grad, {"transition": TRANSITION}),
}


def given(options):
    return {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}


def data(rows=12, seed=0):
    rng = np.random.default_rng(seed)
    return 2 * rng.standard_normal((rows, 4)), rng.integers(0, 4, rows)


@pytest.fixture
def by_reference(monkeypatch):
    monkeypatch.setattr("neglog.torch.fused.way_for", lambda *_: Way.REFERENCE)


def computed(loss, z, y, options, **more):
    input = torch.from_numpy(z).requires_grad_()
    value = loss(input, torch.from_numpy(y), **given(options), **more)
    (gradient,) = torch.autograd.grad(value.sum(), input)
    return value.detach().numpy(), gradient.numpy()


@pytest.mark.parametrize("case", CASES)
def test_value_and_gradient_are_those_of_numpy(case):
    loss, exact, options = CASES[case]
    z, y = data()
    for reduction in ("mean", "sum", "none"):
        value, gradient = computed(loss, z, y, options, reduction=reduction)
        expected = exact(z, y, reduction=reduction, **options)
        np.testing.assert_allclose(value, expected[0], rtol=1e-14)
        np.testing.assert_allclose(gradient, expected[1], rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("case", CASES)
def test_the_reference_is_the_kernel(case, by_reference):
    loss, exact, options = CASES[case]
    z, y = data()
    z[0] *= 15  # confident, right or wrong
    z[1, 2] = -np.inf
    y[1] = 0
    weight = np.array([1.0, 0.0, 2.0, 0.5])
    more = {"weight": torch.from_numpy(weight), "ignore_index": 3}
    value, gradient = computed(loss, z, y, options, **more)
    expected = exact(z, y, weight=weight, ignore_index=3, **options)
    np.testing.assert_allclose(value, expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("t1", [1.0, 0.7, 0.0])
@pytest.mark.parametrize("t2", [1.0, 1.5, 0.8])
def test_probabilities_as_targets(t1, t2, by_reference):
    z, _ = data()
    q = np.random.default_rng(1).dirichlet(np.ones(4), 12)
    q[0] = [0.0, 0.5, 0.5, 0.0]
    value, gradient = computed(nlt.bi_tempered, z, q, {"t1": t1, "t2": t2}, reduction="none")
    expected = losses.bi_tempered_grad(z, q, t1=t1, t2=t2, reduction="none")
    np.testing.assert_allclose(value, expected[0], atol=1e-12)
    np.testing.assert_allclose(gradient, expected[1], atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_twice_differentiable(case):
    loss, _, options = CASES[case]
    z, y = data(4)
    input, target = torch.from_numpy(z / 2).requires_grad_(), torch.from_numpy(y)
    torch.autograd.gradcheck(lambda x: loss(x, target, **given(options)), input)
    torch.autograd.gradgradcheck(lambda x: loss(x, target, **given(options)), input)
    hessian = torch.func.hessian(lambda x: loss(x, target[:1], **given(options)))(input[:1].detach())
    np.testing.assert_allclose(hessian.sum((0, 1, 2)), 0.0, atol=1e-10)  # nothing changes with a shift of all logits


@pytest.mark.parametrize("case", ["bi_tempered", "density_power", "forward_correction"])
def test_compiled(case):
    loss, exact, options = CASES[case]
    z, y = data()
    torch._dynamo.reset()
    own = given(options)
    compiled = torch.compile(lambda x, t: loss(x, t, **own), fullgraph=True, backend="aot_eager")
    input = torch.from_numpy(z).requires_grad_()
    value = compiled(input, torch.from_numpy(y))
    value.backward()
    expected = exact(z, y, **options)
    np.testing.assert_allclose(value.item(), expected[0], rtol=1e-12)
    np.testing.assert_allclose(input.grad, expected[1], rtol=1e-9, atol=1e-15)


MODULES = {
    "bi_tempered": (nlt.BiTemperedLoss, {"t1": 0.6, "t2": 1.4, "label_smoothing": 0.2}),
    "density_power": (nlt.DensityPowerLoss, {"beta": 0.4}),
    "forward_correction": (nlt.ForwardCorrectionLoss, {"transition": torch.from_numpy(TRANSITION)}),
}


@pytest.mark.parametrize("name", MODULES)
def test_modules(name):
    module, options = MODULES[name]
    z, y = (torch.from_numpy(a) for a in data())
    weight, mask = torch.tensor([1.0, 2.0, 0.5, 1.0]), torch.arange(12) > 3
    criterion = module(**options, weight=weight, ignore_index=2, reduction="sum", temperature=2.0)
    expected = getattr(nlt, name)(
        z, y, **options, weight=weight, ignore_index=2, reduction="sum", temperature=2.0, mask=mask
    )
    torch.testing.assert_close(criterion(z, y, mask=mask), expected)
    assert name.split("_")[0] in repr(criterion).lower()
    again = module(**options, weight=torch.ones(4))
    if name == "forward_correction":
        again.load_state_dict(criterion.state_dict())
        torch.testing.assert_close(again.transition, criterion.transition)


def test_images_and_half_precision():
    rng = np.random.default_rng(4)
    z, y = rng.standard_normal((2, 4, 3, 5)), rng.integers(0, 4, (2, 3, 5))
    value = nlt.density_power(torch.from_numpy(z), torch.from_numpy(y), beta=0.3)
    np.testing.assert_allclose(value, losses.density_power(z, y, axis=1, beta=0.3), rtol=1e-14)
    half = torch.from_numpy(z).bfloat16().requires_grad_()
    value = nlt.bi_tempered(half, torch.from_numpy(y))
    value.backward()
    assert value.dtype == torch.float32
    assert half.grad.dtype == torch.bfloat16
    np.testing.assert_allclose(value.item(), losses.bi_tempered(half.detach().double().numpy(), y, axis=1), rtol=1e-6)


def test_bad_input_is_named():
    z, y = (torch.from_numpy(a) for a in data())
    with pytest.raises(nl.ParameterError, match="t1=2"):
        nlt.bi_tempered(z, y, t1=2.0)
    with pytest.raises(nl.ParameterError, match="BiTemperedLoss: t2=0"):
        nlt.BiTemperedLoss(t2=0.0)
    with pytest.raises(nl.ParameterError, match="beta"):
        nlt.density_power(z, y, beta=-0.1)
    with pytest.raises(nl.ShapeError, match=r"\(4, 4\)"):
        nlt.forward_correction(z, y, torch.eye(3))
    with pytest.raises(nl.ParameterError, match="row 0 of transition sums to 2"):
        nlt.forward_correction(z, y, torch.eye(4) + torch.eye(4).roll(1, 0))
    with pytest.raises(nl.ParameterError, match="no probability"):
        nlt.forward_correction(z, y, -torch.eye(4))
    with pytest.raises(nl.TargetError, match="4"):
        nlt.density_power(z, torch.full_like(y, 4))
    with pytest.raises(nl.InputKindError, match="integer"):
        nlt.forward_correction(z, torch.softmax(z, 1), torch.eye(4))


@pytest.mark.parametrize("beta", [0.1, 0.5, 1.0, 2.0])
def test_the_reference_where_one_class_leads_by_far(beta, by_reference):
    """mpmath, the definition: no entry is a difference of ones, whether the leader is right or wrong."""
    rng = np.random.default_rng(8)
    for gap in (16.0, 40.0, 90.0):
        z = rng.standard_normal(5)
        z[2] += gap
        for y in (2, 0):
            found = computed(nlt.density_power, z[None], np.array([y]), {"beta": beta})[1][0]
            with mpmath.workdps(200):
                e = [mpmath.exp(mpmath.mpf(float(x))) for x in z]
                p, b = [x / sum(e) for x in e], mpmath.mpf(beta)
                whole = sum(x ** (1 + b) for x in p)
                want = [(1 + b) * (x ** (1 + b) - x * whole - p[y] ** b * ((k == y) - x)) for k, x in enumerate(p)]
            np.testing.assert_allclose(found, [float(x) for x in want], rtol=1e-13 * gap)


@pytest.mark.parametrize("beta", [0.1, 0.5, 2.0])
def test_the_slope_of_a_gaussian_outlier_keeps_its_digits(beta):
    for distance in (3.0, 12.0, 30.0):
        mean = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        nlt.gaussian_density_power(mean, torch.full_like(mean, distance), torch.ones_like(mean), beta).backward()
        f = mpmath.npdf(distance) ** beta
        assert mean.grad.item() == pytest.approx(
            float(-(1 + beta) * f * distance), rel=1e-12 * (1 + beta * distance**2)
        )


@pytest.mark.parametrize("options", [{"t1": 0.6, "t2": 1.4}, {"t1": 0.3, "t2": 0.7}])
def test_targets_are_differentiable_where_they_are_zero(options):
    z = torch.from_numpy(data()[0])[:2]
    slopes = []
    for least in (0.0, 1e-14):
        q = torch.tensor(
            [[1.0, least, least, least], [0.5, 0.5, least, least]], dtype=torch.float64, requires_grad=True
        )
        slopes.append(torch.autograd.grad(nlt.bi_tempered(z, q, **options), q)[0])
    torch.testing.assert_close(*slopes, rtol=1e-3, atol=1e-4)


def test_a_transition_in_half_precision_and_what_is_none():
    """Sixteen-bit rows sum to one within their own rounding; criteria check when they are made."""
    z, y = (torch.from_numpy(a) for a in data())
    criterion = nlt.ForwardCorrectionLoss(torch.from_numpy(TRANSITION))
    expected = criterion(z, y)
    for dtype in (torch.float16, torch.bfloat16):
        torch.testing.assert_close(criterion.to(dtype)(z, y), expected, rtol=1e-2, atol=0)
    with pytest.raises(nl.ParameterError, match=r"sums to 1\.2; allowed: 1 \(the columns do: rows are true classes"):
        nlt.ForwardCorrectionLoss(torch.tensor([[0.9, 0.3], [0.1, 0.7]]))
    with pytest.raises(nl.ParameterError, match=r"ForwardCorrectionLoss: row 0 of transition sums to 0\.5"):
        nlt.ForwardCorrectionLoss(torch.eye(4) / 2)
    with pytest.raises(
        nl.ParameterError, match=r"transition\[1, 2\] = 1\.5 is no probability; allowed: 0 <= transition"
    ):
        nlt.forward_correction(z, y, torch.eye(4) + 1.5 * torch.eye(4).roll(1, 1) * (torch.arange(4) == 2))
    with pytest.raises(nl.ShapeError, match=r"\(2, 4\); allowed: \(2, 2\)"):
        nlt.ForwardCorrectionLoss(torch.full((2, 4), 0.25))
    with pytest.raises(nl.InputKindError, match="transition is of type ndarray; allowed: a tensor"):
        nlt.forward_correction(z, y, TRANSITION)


def test_a_transition_learns():
    """The definition by autograd, exact zeros in the transition and classes that are gone included."""
    z, y = (torch.from_numpy(a) for a in data())
    z[0], z[1, 2] = torch.tensor([900.0, 0.0, -900.0, 3.0]), -torch.inf
    for start in (TRANSITION, np.eye(4), np.roll(np.eye(4), 1, 1)):
        one, other = (torch.tensor(start, requires_grad=True) for _ in range(2))
        keep = torch.einsum("nk,kn->n", z.softmax(1), other[:, y]) > 0  # elsewhere the definition is log 0
        value = nlt.forward_correction(z[keep], y[keep], one, reduction="sum")
        expected = -torch.log((z.softmax(1) @ other)[keep, y[keep]]).sum()
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(torch.autograd.grad(value, one), torch.autograd.grad(expected, other))
    logits = torch.nn.Parameter(torch.randn(4, 4, dtype=torch.float64))
    call = lambda a: nlt.forward_correction(z[2:], y[2:], a.softmax(1))  # noqa: E731
    assert torch.autograd.gradcheck(call, logits) and torch.autograd.gradgradcheck(call, logits)


# ---- Gaussian density power


@pytest.mark.parametrize("beta", [0.1, 0.5, 2.0])
def test_gaussian_density_power_is_its_integral(beta):
    mean, var, y = 0.3, 1.7, 1.1

    def density(x):
        return math.exp(-0.5 * (x - mean) ** 2 / var) / math.sqrt(2 * math.pi * var)

    integral = quad(lambda x: density(x) ** (1 + beta), -30, 30, epsabs=1e-13)[0]
    expected = integral - (1 + 1 / beta) * density(y) ** beta + 1 / beta
    arguments = [torch.tensor([x], dtype=torch.float64) for x in (mean, y, var)]
    np.testing.assert_allclose(nlt.gaussian_density_power(*arguments, beta).item(), expected, rtol=1e-11)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("beta", [1e-6, 0.1, 0.5, 2.0])
def test_gaussian_density_power_of_outliers_whose_square_overflows(beta, dtype):
    """The residual does nothing any more: value and slope are those of the integral alone, never NaN."""
    large = torch.finfo(dtype).max / 4
    y = torch.tensor([0.0, 1e3, large**0.5 * 4, large, -large], dtype=dtype)
    for variance in (1e-10, 1.0, 1e10):
        mean = torch.zeros(5, dtype=dtype, requires_grad=True)
        var = torch.full((5,), variance, dtype=dtype, requires_grad=True)
        value = nlt.gaussian_density_power(mean, y, var, beta, reduction="none")
        slopes = torch.autograd.grad(value.sum(), (mean, var))
        assert value.isfinite().all() and slopes[0].isfinite().all() and slopes[1].isfinite().all()
        if beta >= 0.1 or dtype is torch.float64:
            whole = (2 * math.pi * variance) ** (-beta / 2) / math.sqrt(1 + beta)
            assert value[3:].tolist() == pytest.approx([whole + 1 / beta] * 2, rel=1e-5)
            assert slopes[0][3:].tolist() == [0.0, 0.0]
            assert slopes[1][3:].tolist() == pytest.approx([-beta / 2 * whole / variance] * 2, rel=1e-5)


def test_gaussian_density_power_limit_influence_and_edges():
    rng = np.random.default_rng(2)
    mean, y = (torch.from_numpy(rng.standard_normal(20)).requires_grad_() for _ in range(2))
    var = torch.from_numpy(rng.uniform(0.5, 2, 20)).requires_grad_()
    nll = nlt.gaussian_nll_loss(mean, y, var, full=True)
    for step in (1e-3, 1e-6, 1e-9):
        assert abs(nlt.gaussian_density_power(mean, y, var, step) - nll) < 3 * step
    assert nlt.gaussian_density_power(mean, y, var, 0.0).item() == pytest.approx(nll.item(), rel=1e-14)
    torch.autograd.gradcheck(lambda *a: nlt.gaussian_density_power(*a, 0.3), (mean, y, var))
    outlier = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    nlt.gaussian_density_power(outlier, torch.tensor([50.0]).double(), torch.ones(1).double()).backward()
    assert abs(outlier.grad.item()) < 1e-100
    with pytest.raises(nl.InputKindError, match="var"):
        nlt.gaussian_density_power(mean, y, -var)
    with pytest.raises(nl.ShapeError):
        nlt.gaussian_density_power(mean[:, None], y, var)
    with pytest.raises(nl.InputKindError, match="gaussian_density_power: var is of type float; allowed: a tensor"):
        nlt.gaussian_density_power(mean, y, 1.0)
    for wrong in ("a", -0.1, torch.tensor(0.5, requires_grad=True)):
        with pytest.raises(nl.ParameterError, match="gaussian_density_power: beta"):
            nlt.gaussian_density_power(mean, y, var, wrong)
    masked = nlt.gaussian_density_power(mean, torch.where(y > 0, y, math.nan), var, mask=y > 0)
    assert masked.isfinite()
