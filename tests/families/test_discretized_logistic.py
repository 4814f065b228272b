"""Hand values of DiscretizedLogistic(loc, scale)."""

import pickle

import numpy as np
import pytest

import neglog as nl

f = nl.DiscretizedLogistic(bins=256)


def test_bins_of_an_image():
    """loc = 0.1, log scale = -2: first, 129th and last of 256 bins."""
    value = f.nll([0, 128, 255], 0.1, np.exp(-2))
    np.testing.assert_allclose(value, [8.099288819468578, 4.357895735226383, 6.6225047789905185], rtol=1e-14)


def test_a_narrow_bin_far_out():
    """The floored formula of PixelCNN++'s code gives 511.76 here."""
    assert f.nll(200, 0.1, np.exp(-7)) == pytest.approx(509.61206343552135, rel=1e-14)


def test_gradient():
    """In closed form: loc (1 - s(u) - s(w)) / scale; the outer bins s(-u) / scale and -s(w) / scale."""
    loc, scale, half = 0.1, np.exp(-2), 1 / 255

    def s(x):
        return 1 / (1 + np.exp(-x))

    y = np.array([0, 128, 255])
    u, w = (2 * y / 255 - 1 + half - loc) / scale, (2 * y / 255 - 1 - half - loc) / scale
    in_loc = [s(-u[0]), 1 - s(u[1]) - s(w[1]), -s(w[2])]
    in_log_scale = [
        u[0] * s(-u[0]),
        u[1] * s(-u[1]) - w[1] * s(w[1]) + (u[1] - w[1]) / np.expm1(u[1] - w[1]),
        -w[2] * s(w[2]),
    ]
    _, grad = f.nll_grad(y, loc, scale)
    np.testing.assert_allclose(grad * scale, [in_loc, in_log_scale], rtol=1e-12)


@pytest.mark.parametrize("bins", [2, 17, 256])
@pytest.mark.parametrize("scale", [1e-4, 0.05, 3.0, 1e8])
def test_bins_sum_to_one(bins, scale):
    family = nl.DiscretizedLogistic(bins)
    y = np.arange(bins)
    assert np.exp(-family.nll(y, 0.1, scale)).sum() == pytest.approx(1, rel=1e-14)
    # down to exp(-700), whose rounding counts 700 times
    np.testing.assert_allclose(family.cdf(y, 0.1, scale), np.exp(-family.nll(y, 0.1, scale)).cumsum(), rtol=1e-12)


def test_wide_scales_keep_the_slope():
    """The slope in loc goes to -(x - loc) / (2 scale^2), where 1 - s(u) - s(w) has no digit left."""
    _, grad = f.nll_grad(150, 0.1, 1e8)
    x = 2 * 150 / 255 - 1
    assert grad[0] == pytest.approx(-(x - 0.1) / 2e16, rel=1e-13)


def test_two_bins_are_a_coin():
    y = np.array([0, 1])
    np.testing.assert_allclose(nl.DiscretizedLogistic(2).nll(y, 0.3, 0.5), nl.Bernoulli().nll(y, 0.6), rtol=1e-14)


def test_options_belong_to_the_instance():
    small = nl.DiscretizedLogistic(bins=17)
    assert small != f
    assert f == nl.family("discretized_logistic")
    assert str(small.support) == "integers in [0, 16]"
    assert pickle.loads(pickle.dumps(small)) == small
    assert pickle.loads(pickle.dumps(small)).support == small.support
    assert small.nll(17, 0.0, 1.0) == np.inf
    assert small.ppf(1.0, 0.0, 1.0) == 16
    for bins in (1, 2.5, np.inf):
        with pytest.raises(nl.ParameterError, match="bins"):
            nl.DiscretizedLogistic(bins)


@pytest.mark.parametrize("scale", [1e-250, 1e250])
def test_scales_of_any_size(scale):
    y = np.array([0, 140, 255])
    value, grad, hess = f.nll_grad_hess(y, 2 * 140 / 255 - 1, scale)
    # narrow: the distance to the bin; wide: the outer bins share everything
    narrow = [139.5 * 2 / 255 / scale, 0, 114.5 * 2 / 255 / scale]
    wide = [np.log(2), np.log(4 * 255 / 2) + np.log(scale), np.log(2)]
    np.testing.assert_allclose(value, narrow if scale < 1 else wide, rtol=1e-14)
    if scale > 1:
        assert np.all(np.isfinite(grad))
        assert np.all(np.isfinite(hess))
