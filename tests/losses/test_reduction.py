"""core.reduce through every loss: who takes part, what a mean divides by, and what is never read."""

import numpy as np
import pytest

import neglog as nl
from neglog import losses

RNG = np.random.default_rng(7)
Z = RNG.normal(0, 2, (12, 5))
Y = RNG.integers(0, 5, 12)
Q = RNG.dirichlet(np.ones(5), 12)
W = np.array([1.0, 2.0, 0.5, 0.0, 3.0])
S = RNG.uniform(0.1, 2, 12)
MASK = RNG.random(12) < 0.7
X = RNG.normal(0, 2, 12)
T = RNG.random(12)


def cross_entropy_indices(rows=slice(None), **options):
    return losses.cross_entropy_grad(Z[rows], Y[rows], **options)


def cross_entropy_weighted(rows=slice(None), **options):
    return losses.cross_entropy_grad(Z[rows], Y[rows], weight=W, **options)


def cross_entropy_smoothed(rows=slice(None), **options):
    return losses.cross_entropy_grad(Z[rows], Y[rows], label_smoothing=0.2, **options)


def cross_entropy_probabilities(rows=slice(None), **options):
    return losses.cross_entropy_grad(Z[rows], Q[rows], **options)


def nll(rows=slice(None), **options):
    return losses.nll_loss_grad(losses.log_softmax(Z)[rows], Y[rows], **options)


def bce(rows=slice(None), **options):
    return losses.binary_cross_entropy_grad(T[rows], (X > 0)[rows], **options)


def bce_with_logits(rows=slice(None), **options):
    return losses.binary_cross_entropy_with_logits_grad(X[rows], T[rows], pos_weight=2.0, **options)


def kl_div(rows=slice(None), **options):
    return losses.kl_div_grad(np.log(T)[rows], T[::-1][rows], **options)


LOSSES = [
    cross_entropy_indices,
    cross_entropy_weighted,
    cross_entropy_smoothed,
    cross_entropy_probabilities,
    nll,
    bce,
    bce_with_logits,
    kl_div,
]
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)


@each_loss
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_sum_and_mean_follow_from_none(loss, masked, weighted):
    options = {"sample_weight": S if weighted else None, "mask": MASK if masked else None}
    none, slopes = loss(reduction="none", **options)
    plain, _ = loss(reduction="none")
    s, m = (S if weighted else np.ones(12)), (MASK if masked else np.ones(12, bool))
    np.testing.assert_allclose(none, np.where(m, s * plain, 0), rtol=1e-14)
    assert (none[~m] == 0).all()
    total, gradient = loss(reduction="sum", **options)
    np.testing.assert_allclose(total, none.sum(), rtol=1e-14)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-14)
    assert (gradient[~m] == 0).all()
    class_weight = W[Y] if loss is cross_entropy_weighted else np.ones(12)
    divisors = {
        None: (s * m * class_weight).sum(),
        "count": m.sum(),
        "weights": (s * m * class_weight).sum(),
        3.5: 3.5,
    }
    for denominator, divisor in divisors.items():
        mean, gradient = loss(denominator=denominator, **options)
        np.testing.assert_allclose(mean, none.sum() / divisor, rtol=1e-14)
        np.testing.assert_allclose(gradient, slopes / divisor, rtol=1e-13)


def test_probability_targets_with_class_weight_divide_by_the_count():
    none = losses.cross_entropy(Z, Q, weight=W, reduction="none")
    assert losses.cross_entropy(Z, Q, weight=W) == pytest.approx(none.sum() / 12, rel=1e-14)
    by_weight = losses.cross_entropy(Z, Q, weight=W, sample_weight=S, mask=MASK, denominator="weights")
    divisor = (S * (Q @ W))[MASK].sum()
    assert by_weight == pytest.approx((S * none)[MASK].sum() / divisor, rel=1e-14)


def test_one_hot_and_index_targets_agree_where_the_divisor_is_the_same():
    one_hot = np.eye(5)[Y]
    for denominator in ("weights", "count", 7.0):
        options = {"weight": W, "sample_weight": S, "mask": MASK, "denominator": denominator}
        index, gradient = losses.cross_entropy_grad(Z, Y, **options)
        soft, soft_gradient = losses.cross_entropy_grad(Z, one_hot, **options)
        assert index == pytest.approx(soft, rel=1e-14)
        np.testing.assert_allclose(gradient, soft_gradient, rtol=1e-12, atol=1e-16)


def test_elementwise_weight_is_not_divided_by_unless_asked():
    weight = np.abs(X)
    none = losses.binary_cross_entropy_with_logits(X, T, weight=weight, reduction="none")
    assert losses.binary_cross_entropy_with_logits(X, T, weight=weight) == pytest.approx(none.mean(), rel=1e-14)
    by_weight = losses.binary_cross_entropy_with_logits(X, T, weight=weight, denominator="weights")
    assert by_weight == pytest.approx(none.sum() / weight.sum(), rel=1e-14)


@each_loss
@pytest.mark.parametrize("seed", range(4))
def test_any_split_adds_up_to_the_whole(loss, seed):
    rng = np.random.default_rng(seed)
    whole, gradient = loss(denominator=S.sum(), sample_weight=S, mask=MASK)
    order = rng.permutation(12)
    cuts = np.sort(rng.integers(0, 13, 4))  # parts may be empty
    total, parts = 0.0, np.zeros_like(gradient)
    for rows in np.split(order, cuts):
        value, slopes = loss(rows, denominator=S.sum(), sample_weight=S[rows], mask=MASK[rows])
        total += value
        parts[rows] = slopes
    assert total == pytest.approx(whole, rel=1e-14)
    np.testing.assert_array_equal(parts, gradient)


@each_loss
def test_nothing_takes_part(loss):
    nothing = [{"mask": np.zeros(12, bool)}, {"sample_weight": np.zeros(12)}]
    cases = [(slice(None), options) for options in nothing] + [(slice(0, 0), {})]
    for rows, options in cases:
        value, gradient = loss(rows, **options)
        assert value == 0
        assert (gradient == 0).all()
        value, gradient = loss(rows, empty="nan", **options)
        assert np.isnan(value)
        assert (gradient == 0).all()
        with pytest.raises(nl.DataError, match="the mean of nothing"):
            loss(rows, empty="raise", **options)
        assert loss(rows, reduction="sum", empty="raise", **options)[0] == 0
        # a part of a split batch in which nothing takes part adds nothing
        assert loss(rows, denominator=5.0, empty="raise", **options)[0] == 0


def test_all_ignored_and_all_class_weights_zero():
    for options in ({"ignore_index": 1}, {"weight": np.zeros(5)}):
        value, gradient = losses.cross_entropy_grad(Z, np.ones(12, int), **options)
        assert value == 0
        assert (gradient == 0).all()
        assert np.isnan(losses.cross_entropy(Z, np.ones(12, int), empty="nan", **options))


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 5, 33, 1500])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_what_takes_no_part_is_never_read(poison, dtype, classes, smoothing):
    z = np.random.default_rng(0).normal(size=(30, classes)).astype(dtype)
    y = np.arange(30) % classes
    s, mask = np.ones(30), np.ones(30, bool)
    mask[3], s[7], y[11] = False, 0.0, 10**6
    idle = [3, 7, 11]
    options = {"ignore_index": 10**6, "label_smoothing": smoothing, "reduction": "none"}
    want = losses.cross_entropy(z, y, sample_weight=s, mask=mask, **options)
    z[idle] = poison
    y[[3, 7]] = -5
    loss, gradient = losses.cross_entropy_grad(z, y, sample_weight=s, mask=mask, **options)
    np.testing.assert_array_equal(loss, want)
    assert (loss[idle] == 0).all()
    assert (gradient[idle] == 0).all()
    assert np.isfinite(gradient).all()
    s[3] = np.nan  # a weight that is masked is not read either
    assert np.isfinite(losses.cross_entropy(z, y, sample_weight=s, mask=mask, ignore_index=10**6))
    logp = losses.log_softmax(z)
    logp[idle] = poison
    loss, gradient = losses.nll_loss_grad(logp, y, sample_weight=s, mask=mask, ignore_index=10**6)
    assert np.isfinite(loss)
    assert (gradient[idle] == 0).all()


@pytest.mark.parametrize("poison", [np.nan, np.inf, 17.0])
def test_elementwise_entries_that_take_no_part_are_never_read(poison):
    mask, s = np.ones(12, bool), np.ones(12)
    mask[2], s[5] = False, 0.0
    p, t = T.copy(), T.copy()
    p[[2, 5]] = t[[2, 5]] = poison
    calls = [
        losses.binary_cross_entropy_grad,
        losses.binary_cross_entropy_with_logits_grad,
        losses.kl_div_grad,
    ]
    for call in calls:
        x = np.where(p == T, np.log(T), poison) if call is losses.kl_div_grad else p
        loss, gradient = call(x, t, mask=mask, sample_weight=s, reduction="none")
        assert np.isfinite(loss).all()
        assert (loss[[2, 5]] == 0).all()
        assert (gradient[[2, 5]] == 0).all()
    weight = np.ones(12)
    weight[[2, 5]] = 0
    loss, gradient = losses.binary_cross_entropy_grad(p, t, weight=weight)
    assert np.isfinite(loss)
    assert (gradient[[2, 5]] == 0).all()


def test_class_of_zero_weight_is_not_read_but_counts():
    z = Z.copy()
    y = Y.copy()
    y[4] = 3  # W[3] = 0
    z[4] = np.nan
    z[Y == 3] = np.nan
    loss, gradient = losses.cross_entropy_grad(z, y, weight=W, reduction="none")
    assert (loss[y == 3] == 0).all()
    assert (gradient[y == 3] == 0).all()
    mean = losses.cross_entropy(z, y, weight=W, denominator="count")
    assert mean == pytest.approx(loss.sum() / 12, rel=1e-14)  # as with one-hot probabilities


def test_batchmean_counts_what_takes_part():
    x, q = np.log(Q), Q[::-1]
    mask = np.ones(Q.shape, bool)
    mask[3:6] = False
    total = losses.kl_div(x, q, mask=mask, reduction="sum")
    assert losses.kl_div(x, q, mask=mask, reduction="batchmean") == pytest.approx(total / 9, rel=1e-14)
    assert losses.kl_div(x, q, mask=~mask & mask, reduction="batchmean") == 0
    assert losses.kl_div(x[:0], q[:0], reduction="batchmean") == 0


def test_negative_weights():
    s = S.copy()
    s[0] = -1.0  # an advantage, say
    total = losses.cross_entropy(Z, Y, sample_weight=s, reduction="sum")
    none = losses.cross_entropy(Z, Y, reduction="none")
    assert total == pytest.approx((s * none).sum(), rel=1e-13)
    assert losses.cross_entropy(Z, Y, sample_weight=s, denominator=2.0) == pytest.approx(total / 2, rel=1e-14)
    with pytest.raises(nl.ParameterError, match=r"sum to 0; allowed for a weighted mean: a sum > 0"):
        losses.cross_entropy(Z[:2], Y[:2], sample_weight=[1.0, -1.0])


def test_a_weight_that_is_nan_is_read():
    s = S.copy()
    s[0] = np.nan
    assert np.isnan(losses.cross_entropy(Z, Y, sample_weight=s))


@pytest.mark.parametrize("denominator", [-1.0, np.nan, np.inf, "rows", [1.0, 2.0]])
def test_denominators_that_are_refused(denominator):
    with pytest.raises(
        nl.ParameterError, match=r"cross_entropy: denominator=.*allowed: 'count', 'weights', or a number"
    ):
        losses.cross_entropy(Z, Y, denominator=denominator)


def test_denominators_that_are_accepted():
    mean = losses.cross_entropy(Z, Y)
    for twelve in (12, 12.0, np.float32(12), np.array(12)):
        assert losses.cross_entropy(Z, Y, denominator=twelve) == mean
    with pytest.raises(nl.ParameterError, match="denominator=0 but entries took part"):
        losses.cross_entropy(Z, Y, denominator=0)
    assert losses.cross_entropy(Z, Y, denominator=0, mask=np.zeros(12, bool)) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reduction": "avg"}, "reduction='avg'; allowed: 'mean', 'sum', 'none'"),
        ({"reduction": "batchmean"}, "reduction='batchmean'; allowed: 'mean', 'sum', 'none'"),
        ({"empty": "skip"}, "empty='skip'; allowed: 'zero', 'nan', 'raise'"),
        (
            {"reduction": "sum", "denominator": 3},
            "denominator=3 with reduction='sum'; allowed with reduction='mean'",
        ),
        ({"label_smoothing": 1.5}, "label_smoothing=1.5; allowed: 0 <= label_smoothing <= 1"),
        ({"label_smoothing": float("nan")}, "label_smoothing=nan"),
        ({"ignore_index": 1.5}, "ignore_index=1.5; allowed: an integer"),
    ],
)
def test_options_that_are_refused(options, message):
    with pytest.raises(nl.ParameterError) as error:
        losses.cross_entropy(Z, Y, **options)
    assert str(error.value).startswith("cross_entropy: " + message)
