"""nlt.nll of every registered family: values, derivatives and ways, against the NumPy methods and differences."""

import numpy as np
import pytest
import torch
from tests.properties.conftest import ALL, SCALAR, draw_rows
from torch.autograd import gradcheck, gradgradcheck

import neglog as nl
import neglog.torch as nlt
from neglog.families import ScalarFamily

COMPOSED = [
    nl.Truncated("normal", -0.5, 2.0),
    nl.Mixture("normal", 2),
    nl.ZeroInflated("poisson"),
    nl.Hurdle("poisson"),
    nl.Fixed("weibull", shape=1.5),
]
every_family = pytest.mark.parametrize("family", [*SCALAR, *COMPOSED], ids=lambda f: f.name)


def rows_of(family, n=12, seed=3):
    """(y, parameters) as tensors."""
    rows = draw_rows(family, (n,), seed)
    return torch.from_numpy(rows.y), tuple(torch.from_numpy(np.array(p)) for p in rows.params)


def continuous(family):
    """Parameters that may move: known numbers, such as Binomial's n, are whole."""
    return [i for i, p in enumerate(family.parameters) if not p.domain.integer]


def from_zero(*tensors):
    """What to add to the tensors, as multiples of them: steps of differences then fit every magnitude."""
    zeros = [torch.zeros_like(t).requires_grad_() for t in tensors]
    return zeros, lambda *steps: [t + t.abs() * step for t, step in zip(tensors, steps, strict=True)]


def in_parameters(family, y, params, **options):
    """``nll`` as a function of steps in the parameters that may move, and these."""
    moving = continuous(family)
    live, stepped = from_zero(*(params[i] for i in moving))

    def function(*steps):
        values = list(params)
        for i, value in zip(moving, stepped(*steps), strict=True):
            values[i] = value
        return nlt.nll(family, y, *values, **options)

    return function, live


@every_family
def test_value_and_gradient_are_those_of_the_family(way, family):
    y, params = rows_of(family)
    live = [p.clone().requires_grad_() for p in params]
    value = nlt.nll(family, y, *live, reduction="none")
    want, slopes = family.nll_grad(y.numpy(), *[p.numpy() for p in params])
    np.testing.assert_allclose(value.detach(), want, rtol=1e-12, atol=1e-12)
    gradients = torch.autograd.grad(value.sum(), live)
    np.testing.assert_allclose(np.stack(gradients), slopes, rtol=1e-9, atol=1e-9)


@every_family
def test_derivatives_in_the_parameters(way, family):
    y, params = rows_of(family, 3)
    function, live = in_parameters(family, y, params, reduction="none")
    checks = {"check_batched_grad": True, "atol": 1e-5, "rtol": 1e-4}
    assert gradcheck(function, live, check_forward_ad=True, **checks)
    assert gradgradcheck(function, live, check_fwd_over_rev=True, **checks)


@every_family
def test_double_backward_is_the_exact_hessian(family):
    y, params = rows_of(family)
    live = [p.clone().requires_grad_() for p in params]
    hess = family.nll_grad_hess(y.numpy(), *[p.numpy() for p in params])[2]
    first = torch.autograd.grad(nlt.nll(family, y, *live, reduction="sum"), live, create_graph=True)
    for i, slope in enumerate(first):
        second = torch.autograd.grad(slope.sum(), live, retain_graph=True)
        np.testing.assert_array_equal(np.stack(second), hess[i])


@pytest.mark.parametrize(
    "family",
    [
        nl.Normal(),
        nl.StudentT(),
        nl.GEV(),
        nl.Poisson(),
        nl.Mixture("normal", k=2),
        nl.ZeroInflated("poisson"),
        nl.Truncated("normal", -1.0, 2.0),
        nl.Hurdle("poisson"),
    ],
    ids=lambda f: f.name,
)
def test_third_derivatives(family):
    """Beyond the kernels: a double backward that is differentiated again; windows have no reference to do it."""
    y, params = rows_of(family, 2)
    function, live = in_parameters(family, y, params, reduction="sum")

    def slope(*given):
        (g,) = torch.autograd.grad(function(*given), given[:1], create_graph=True)
        return g

    if isinstance(family, nl.Truncated | nl.Hurdle):
        with pytest.raises(NotImplementedError, match="a derivative of order 3 of an interval; allowed: up to 2"):
            gradgradcheck(slope, live)
        return
    assert gradgradcheck(slope, live, atol=1e-4, rtol=1e-3)


@every_family
def test_derivative_in_the_data(way, family):
    """By the reference; for counts it is that of the formula continued between them."""
    y, params = rows_of(family, 5)
    if family.discrete:
        leaf = y.clone().requires_grad_()
        (slope,) = torch.autograd.grad(nlt.nll(family, leaf, *params, reduction="sum"), leaf)
        assert slope.isfinite().all()
        return
    everything, stepped = from_zero(y, *params)

    def function(*steps):
        return nlt.nll(family, *stepped(*steps), reduction="none")

    checks = {"atol": 1e-5, "rtol": 1e-4, "fast_mode": True}
    assert gradcheck(function, everything, check_forward_ad=True, **checks)
    assert gradgradcheck(function, everything, **checks)


@every_family
def test_functional_transforms(family):
    y, params = rows_of(family, 6)

    def loss(*params):
        return nlt.nll(family, y, *params, reduction="sum")

    places = tuple(range(len(params)))
    _, grad, hess = family.nll_grad_hess(y.numpy(), *[p.numpy() for p in params])
    close = {"rtol": 1e-9, "atol": 1e-9}
    for transform in (torch.func.grad, torch.func.jacfwd):
        torch.testing.assert_close(torch.stack(transform(loss, places)(*params)), torch.from_numpy(grad), **close)
    found = torch.func.hessian(loss, places)(*params)
    for i, row in enumerate(found):
        for j, block in enumerate(row):
            # torch's trigamma, on which references with a gamma function rest, is good to 5e-10
            torch.testing.assert_close(block.diagonal(), torch.from_numpy(hess[i, j]), rtol=1e-8, atol=1e-8)

    def each(y, *params):
        return torch.func.grad(lambda *p: nlt.nll(family, y, *p), places)(*params)

    per_row = torch.func.vmap(each)(y, *params)
    torch.testing.assert_close(torch.stack(per_row), torch.from_numpy(grad), **close)


def censored(family, n=8, seed=5):
    """Rows of every kind around the bulk, and the parameters; some of them exact."""
    y, params = rows_of(family, n, seed)
    numbers = [p.numpy() for p in params]
    lower = torch.from_numpy(family.ppf(0.3, *numbers)) - float(family.discrete)
    upper = torch.from_numpy(family.ppf(0.8, *numbers))
    kind = torch.arange(n) % 4
    lower = torch.where(kind == 0, y, torch.where(kind == 2, -torch.inf, lower))
    upper = torch.where(kind == 0, y, torch.where(kind == 1, torch.inf, upper))
    return lower, upper, params


@every_family
def test_censored_rows(family):
    lower, upper, params = censored(family)
    rows = nlt.interval(lower, upper)
    observations = nl.interval(lower.numpy(), upper.numpy())
    value, grad, hess = family.nll_grad_hess(observations, *[p.numpy() for p in params])
    for data in (rows, observations):
        live = [p.clone().requires_grad_() for p in params]
        found = nlt.nll(family, data, *live, reduction="none")
        first = torch.autograd.grad(found.sum(), live, create_graph=True)
        np.testing.assert_array_equal(found.detach(), value)
        np.testing.assert_array_equal([f.detach() for f in first], grad)
        for i, slope in enumerate(first):
            second = torch.autograd.grad(slope.sum(), live, retain_graph=True)
            np.testing.assert_array_equal(np.stack(second), hess[i])

    def loss(*params):
        return nlt.nll(family, rows, *params, reduction="sum")

    places = tuple(range(len(params)))
    torch.testing.assert_close(torch.stack(torch.func.grad(loss, places)(*params)), torch.from_numpy(grad))
    found = torch.func.hessian(loss, places)(*params)
    for i, row in enumerate(found):
        for j, block in enumerate(row):
            torch.testing.assert_close(block.diagonal(), torch.from_numpy(hess[i, j]))
    tangents = tuple(torch.ones_like(p) for p in params)
    _, tangent = torch.func.jvp(loss, params, tangents)
    torch.testing.assert_close(tangent, torch.tensor(grad.sum()))


@every_family
def test_derivatives_in_the_ends(family):
    lower, upper, params = censored(family, 4)  # one of each kind
    moving = continuous(family)
    exact = lower == upper
    live, stepped = from_zero(
        torch.where(lower.isfinite(), lower, 0.0),
        torch.where(upper.isfinite(), upper, 0.0),
        *(params[i] for i in moving),
    )

    def function(*steps):
        low, high, *moved = stepped(*steps)
        values = list(params)
        for i, value in zip(moving, moved, strict=True):
            values[i] = value
        # an infinite end does not move, and an exact row moves as a whole
        low = torch.where(lower.isfinite(), low, lower)
        high = torch.where(exact, low, torch.where(upper.isfinite(), high, upper))
        return nlt.nll(family, nlt.Censored(low, high), *values, reduction="none")

    if family.discrete:
        with pytest.raises(nl.InputKindError, match="counts does not vary smoothly"):
            function(*live)
        still = [t.detach() for t in live[1:]]
        with pytest.raises(nl.InputKindError, match="counts does not vary smoothly"):
            torch.func.grad(lambda low: function(low, *still).sum())(still[0])
        with pytest.raises(nl.InputKindError, match="counts does not vary smoothly"):
            torch.func.jvp(lambda low: function(low, *still), (still[0],), (torch.ones_like(lower),))
        return
    checks = {"atol": 1e-5, "rtol": 1e-4}
    assert gradcheck(function, live, check_forward_ad=True, check_batched_grad=True, **checks)
    assert gradgradcheck(function, live, check_fwd_over_rev=True, check_batched_grad=True, **checks)


@every_family
def test_rows_that_take_no_part_are_not_read(way, family):
    y, params = rows_of(family, 6)
    mask = torch.tensor([True, False, True, True, False, True])
    weight = torch.tensor([1.0, 2.0, 0.0, 3.0, 0.0, 1.5], dtype=torch.float64)
    spoiled = torch.where(mask & (weight != 0), y, torch.nan)
    for bad in (torch.nan, torch.inf, -7.5):
        live = [torch.where(mask & (weight != 0), p, bad).requires_grad_() for p in params]
        losses = nlt.nll(family, spoiled, *live, mask=mask, sample_weight=weight, reduction="none")
        gradients = torch.autograd.grad(losses.sum(), live)
        keep = mask & (weight != 0)
        clean = nlt.nll(family, y, *params, reduction="none")
        torch.testing.assert_close(losses.detach(), torch.where(keep, clean * weight, 0.0))
        assert all((g[~keep] == 0).all() and g[keep].isfinite().all() for g in gradients)
        mean = nlt.nll(family, spoiled, *live, mask=mask, sample_weight=weight)
        torch.testing.assert_close(mean.detach(), (clean * weight)[keep].sum() / weight[mask].sum())


@every_family
def test_compiled(compiled, family):
    y, params = rows_of(family)
    live = [p.clone().requires_grad_() for p in params]
    fast = compiled(lambda y, *p: nlt.nll(family, y, *p), backend="aot_eager")
    value, want = fast(y, *live), nlt.nll(family, y, *live)
    torch.testing.assert_close(value, want, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(torch.autograd.grad(value, live), torch.autograd.grad(want, live), rtol=1e-9, atol=1e-9)


# ------------------------------------------------------------------------------------------------ whatever the family


def test_classes():
    logits = torch.tensor([[2.0, 1.0, 0.1], [0.5, -1.0, 0.3], [-0.2, 0.4, 3.0]], requires_grad=True)
    y = torch.tensor([0, 2, 1])
    torch.testing.assert_close(nlt.nll("categorical", y, logits), nlt.cross_entropy(logits, y))
    images = logits.reshape(1, 3, 3).expand(4, 3, 3)
    found = nlt.nll(nl.Categorical(), y.expand(4, 3), logits, reduction="none")  # the logits broadcast to y
    torch.testing.assert_close(found, nlt.cross_entropy(images, y.expand(4, 3), dim=-1, reduction="none"))
    with pytest.raises(nl.TargetError, match=r"target\[1\] = -100; allowed: 0 <= target < 3$"):
        nlt.nll("categorical", torch.tensor([0, -100, 1]), logits)
    with pytest.raises(nl.InputKindError, match=r"y has dtype torch\.float32; allowed: an integer dtype"):
        nlt.nll("categorical", torch.tensor([0.0, 1.0, 1.0]), logits)


@pytest.mark.parametrize(
    ("y", "loc", "scale"),
    [((4,), (4, 1), ()), ((4, 1), (4,), ()), ((), (4,), ()), ((4, 1), (4, 1), (4,)), ((4,), (3,), ())],
)
def test_the_data_are_never_broadcast(y, loc, scale):
    with pytest.raises(nl.ShapeError, match=r"nll: (loc|scale) has shape .* the shape of y"):
        nlt.nll("normal", torch.zeros(y), torch.zeros(loc), torch.ones(scale))


def test_parameters_broadcast_to_the_data():
    y, loc = torch.randn(4, 3), torch.randn(4, 1, requires_grad=True)
    scale = torch.tensor([0.5, 1.0, 2.0], requires_grad=True)
    value = nlt.nll("normal", y, loc, scale=scale, reduction="sum")
    want = -torch.distributions.Normal(loc, scale).log_prob(y).sum()
    torch.testing.assert_close(value, want)
    torch.testing.assert_close(torch.autograd.grad(value, (loc, scale)), torch.autograd.grad(want, (loc, scale)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("counts", [torch.int64, torch.uint8, torch.bool, None])
def test_dtypes(way, dtype, counts):
    y = torch.tensor([0, 1, 1], dtype=counts or dtype)
    rate = torch.tensor([0.5, 1.5, 0.25], dtype=dtype, requires_grad=True)
    value = nlt.nll("poisson", y, rate)
    assert value.dtype == (torch.float64 if dtype is torch.float64 else torch.float32)
    (gradient,) = torch.autograd.grad(value, rate)
    assert gradient.dtype == dtype
    torch.testing.assert_close(gradient.double(), (1 - y.double() / rate.detach().double()) / 3, rtol=4e-3, atol=0)


def test_float32_counts_keep_their_digits(way):
    """In float32 arithmetic, rate - y log(rate) + lgamma(y + 1) of a million is off by one."""
    y = torch.tensor([1_000_003, 16_777_217])  # the second is no float32
    rate = torch.tensor([1e6, 16_777_216.0])
    want = nl.Poisson().nll(y.numpy(), rate.double().numpy())
    np.testing.assert_allclose(nlt.nll("poisson", y, rate, reduction="none"), want, rtol=8 * 2**-23)


def test_parameters_outside_their_domain(way):
    y, scale = torch.tensor([0.5, 1.0, 2.0]), torch.tensor([1.0, -1.0, torch.nan])
    found = nlt.nll("normal", y, 0.0, scale, reduction="none")
    assert found[0].isfinite() and found[1] == torch.inf and found[2].isnan()
    with pytest.raises(nl.ParameterError, match=r"nll: scale\[1\] = -1\.0 is outside its domain \(0, inf\)"):
        nlt.nll("normal", y, 0.0, scale, check=True)
    assert nlt.nll("normal", y, 0.0, scale, mask=torch.tensor([True, False, False]), check=True).isfinite()


def test_weights_that_learn(way):
    y, loc = torch.tensor([0.5, torch.inf, 2.0]), torch.zeros(3)
    weight = torch.tensor([0.0, 0.0, 2.0], requires_grad=True)
    value = nlt.nll("normal", y, loc, 1.0, sample_weight=weight, reduction="sum")
    (slope,) = torch.autograd.grad(value, weight)
    each = nlt.nll("normal", y, loc, 1.0, reduction="none")
    torch.testing.assert_close(slope, torch.tensor([each[0], 0.0, each[2]]))


def test_nothing_takes_part(way):
    loc = torch.zeros(2, requires_grad=True)
    none = torch.tensor([False, False])
    value = nlt.nll("normal", torch.ones(2), loc, 1.0, mask=none)
    assert value == 0 and (torch.autograd.grad(value, loc)[0] == 0).all()
    assert nlt.nll("normal", torch.ones(0), torch.zeros(0), 1.0) == 0
    assert nlt.nll("normal", torch.ones(2), loc, 1.0, mask=none, empty="nan").isnan()
    with pytest.raises(nl.DataError, match="nll: the mean of nothing"):
        nlt.nll("normal", torch.ones(2), loc, 1.0, mask=none, empty="raise")


def test_parts_of_a_batch_add_up(way):
    y, loc, weight = torch.randn(7), torch.randn(7), torch.rand(7)
    whole = nlt.nll("normal", y, loc, 1.0, sample_weight=weight)
    parts = [
        nlt.nll("normal", a, b, 1.0, sample_weight=w, denominator=weight.sum())
        for a, b, w in zip(y.split(3), loc.split(3), weight.split(3), strict=True)
    ]
    torch.testing.assert_close(sum(parts), whole)
    torch.testing.assert_close(
        nlt.nll("normal", y, loc, 1.0, sample_weight=weight, denominator="count") * 7 / weight.sum(), whole
    )


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_censored_rows_compiled(compiled, backend):
    """Several families in one graph, with the derivatives in their ends."""
    families = [nl.Normal(), nl.Weibull(), nl.Truncated("normal", -0.5, 2.0), nl.DiscretizedLogistic(17)]
    cases = [censored(family) for family in families]

    def every(*groups):
        return [
            nlt.nll(family, nlt.Censored(*group[:2]), *group[2:], reduction="sum")
            for family, group in zip(families, groups, strict=True)
        ]

    def run(function):
        groups = [[t.clone().requires_grad_() for t in (low, high, *p)] for low, high, p in cases]
        groups[3][:2] = [t.detach() for t in groups[3][:2]]  # counts
        values = function(*groups)
        leaves = [t for group in groups for t in group if t.requires_grad]
        return [v.detach() for v in values], torch.autograd.grad(sum(values), leaves)

    torch.testing.assert_close(run(compiled(every, backend=backend)), run(every), rtol=1e-12, atol=1e-12)


@every_family
def test_fake_and_meta_tensors(family):
    from torch._subclasses.fake_tensor import FakeTensorMode

    y, params = rows_of(family, 4)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        fakes = [mode.from_tensor(p).requires_grad_() for p in params]
        losses = nlt.nll(family, mode.from_tensor(y), *fakes, reduction="none")
        slopes = torch.autograd.grad(losses.sum(), fakes)
    assert losses.shape == (4,) and losses.dtype is torch.float64 and all(s.shape == (4,) for s in slopes)
    if isinstance(family, nl.Truncated | nl.Hurdle):
        with pytest.raises(nl.InputKindError, match="truncated rows"):
            nlt.nll(family, y.to("meta"), *[p.to("meta") for p in params])
        return
    on_meta = nlt.nll(family, y.to("meta"), *[p.to("meta") for p in params])
    assert on_meta.shape == () and on_meta.device.type == "meta"


def test_censored_rows_elsewhere():
    rows = nlt.Censored(torch.zeros(2, device="meta"), torch.ones(2, device="meta"))
    with pytest.raises(nl.InputKindError, match=r"nll: .*censored.* on meta; allowed: the CPU"):
        nlt.nll("normal", rows, torch.zeros(2, device="meta"), 1.0)


def test_intervals_and_events_that_contradict():
    with pytest.raises(nl.DataError, match=r"interval: lower\[1\] = 2 is above upper\[1\] = 1"):
        nlt.interval(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 1.0]))
    with pytest.raises(nl.ShapeError, match="interval: lower has shape"):
        nlt.interval(torch.zeros(2), torch.zeros(3))
    with pytest.raises(nl.DataError, match=r"right_censored: event\[0\] = 2"):
        nlt.right_censored(torch.zeros(1), torch.tensor([2]))
    with pytest.raises(nl.ShapeError, match="right_censored: time has shape"):
        nlt.right_censored(torch.zeros(2), torch.zeros(3))


def test_a_survival_time_that_learns():
    """dV/dt of an event is the slope of -log f, of a censored row the hazard."""
    time = torch.tensor([1.7, 1.7], dtype=torch.float64, requires_grad=True)
    rows = nlt.right_censored(time, torch.tensor([True, False]))
    (slope,) = torch.autograd.grad(nlt.nll("weibull", rows, 1.5, 2.0, reduction="sum"), time)
    hazard = 1.5 / 2.0 * (1.7 / 2.0) ** 0.5
    torch.testing.assert_close(slope, torch.tensor([hazard - 0.5 / 1.7, hazard], dtype=torch.float64))


# -------------------------------------------------------------------------------------------------- vector parameters


def vector_rows(family, n=5):
    """(y, parameters) of a family whose parameters have axes of their own."""
    g = torch.Generator().manual_seed(1)
    shapes = {"loc": (n, *(3,) * family.parameters[0].event_ndim), "thresholds": (n, 3), "cholesky": (n, 3, 3)}
    params = [torch.randn(shapes[p.name], dtype=torch.float64, generator=g) for p in family.parameters]
    for i, p in enumerate(family.parameters):
        if p.form == "increasing":
            params[i] = params[i].exp().cumsum(-1)
        if p.form == "cholesky":
            params[i] = params[i].tril(-1) + torch.diag_embed(params[i].diagonal(dim1=1, dim2=2).exp())
    y = torch.from_numpy(family.sample(*[p.numpy() for p in params], rng=0))
    return y, params


VECTOR = [f for f in ALL if not isinstance(f, ScalarFamily) and f.name != "categorical"]


@pytest.mark.parametrize("family", VECTOR, ids=lambda f: f.name)
def test_vector_parameters(compiled, family):
    y, params = vector_rows(family)
    numbers = [p.numpy() for p in params]
    value, grad = family.nll_grad(y.numpy(), *numbers)
    live = [p.clone().requires_grad_() for p in params]
    losses = nlt.nll(family, y, *live, reduction="none")
    np.testing.assert_allclose(losses.detach(), value, rtol=1e-12)
    slopes = torch.autograd.grad(losses.sum(), live)
    flat = [
        s[..., *torch.tril_indices(3, 3)] if p.form == "cholesky" else s.reshape(5, -1)
        for s, p in zip(slopes, family.parameters, strict=True)
    ]
    np.testing.assert_allclose(np.concatenate(flat, -1), grad, rtol=1e-9, atol=1e-12)
    mask = torch.tensor([True, False, True, True, False])
    spoiled = [torch.where(mask.reshape(-1, *(1,) * (p.dim() - 1)), p, torch.nan).requires_grad_() for p in params]
    loss = nlt.nll(family, y, *spoiled, mask=mask)
    torch.testing.assert_close(loss, losses[mask].mean())
    for slope in torch.autograd.grad(loss, spoiled):
        assert slope.isfinite().all() and (slope[~mask] == 0).all()
    wrong = [-p if f.form else p for f, p in zip(family.parameters, params, strict=True)]
    assert (nlt.nll(family, y, *wrong, reduction="none") == torch.inf).all()
    with pytest.raises(nl.ParameterError, match=r"\[0\] = \[.* is outside its domain"):
        nlt.nll(family, y, *wrong, check=True)
    with pytest.raises(nl.ShapeError):
        nlt.nll(family, y[:3], *params)
    fast = compiled(lambda *p: nlt.nll(family, y, *p), backend="aot_eager")
    eager = torch.autograd.grad(nlt.nll(family, y, *live), live)
    torch.testing.assert_close(torch.autograd.grad(fast(*live), live), eager)
    with pytest.raises(nl.InputKindError, match=f"censored rows of {family.name}"):
        nlt.nll(family, nlt.interval(y, y), *params)
