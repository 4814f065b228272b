"""Discretized logistic mixtures: published vectors, and against the family."""

import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import neglog as nl
import neglog.torch as nlt

F64 = torch.float64


def f64(*values):
    return torch.tensor(values, dtype=F64)


def one_logistic(mean, log_scale, rows=1):
    """K = C = 1."""
    shape = (rows, 1, 1)
    return (
        torch.zeros(rows, 1, dtype=F64),
        torch.full(shape, mean, dtype=F64, requires_grad=True),
        torch.full(shape, log_scale, dtype=F64, requires_grad=True),
    )


def test_discretized_vectors(way):
    y = torch.tensor([[0], [128], [255]])
    mixture = one_logistic(0.1, -2.0, 3)
    losses = nlt.discretized_logistic_mixture_nll_loss(mixture, y, reduction="none")
    torch.testing.assert_close(
        losses.detach(), f64(8.099288819468578, 4.357895735226383, 6.6225047789905185), rtol=1e-13, atol=0
    )
    h, e = 1 / 255, math.exp(2.0)
    slopes = torch.autograd.grad(losses.sum(), mixture[1:])

    def sigma(v):
        return 1 / (1 + math.exp(-v))

    def ends(level):
        x = 2 * level / 255 - 1
        return (x + h - 0.1) * e, (x - h - 0.1) * e

    (u, _), (v, w), (_, top) = ends(0), ends(128), ends(255)
    in_mean = [e * sigma(-u), e * (1 - sigma(v) - sigma(w)), -e * sigma(top)]
    in_scale = [u * sigma(-u), v * sigma(-v) - w * sigma(w) + (v - w) / math.expm1(v - w), -top * sigma(top)]
    torch.testing.assert_close(slopes[0].flatten(), f64(*in_mean), rtol=1e-11, atol=0)
    torch.testing.assert_close(slopes[1].flatten(), f64(*in_scale), rtol=1e-11, atol=1e-13)


def test_narrow_bins_are_exact(way):
    """PixelCNN++'s code gives 511.7605 here, by the density in the middle of the bin."""
    loss = nlt.discretized_logistic_mixture_nll_loss(one_logistic(0.1, -7.0), torch.tensor([[200]]))
    assert loss.item() == pytest.approx(509.61206343552135, rel=1e-13)


def test_all_levels_sum_to_one(way):
    torch.manual_seed(0)
    for bins in (2, 17, 256):
        y = torch.arange(bins).unsqueeze(1)
        shape = (bins, 3, 1)
        row = [torch.randn(3, dtype=F64), torch.randn(3, 1, dtype=F64), torch.randn(3, 1, dtype=F64) - 2]
        mixture = tuple(t.expand(bins, *t.shape) for t in row)
        assert mixture[1].shape == shape
        losses = nlt.discretized_logistic_mixture_nll_loss(mixture, y, bins, reduction="none")
        assert torch.exp(-losses).sum().item() == pytest.approx(1.0, abs=1e-12)


def test_channels_that_follow_each_other():
    """RGB: green moves with red, blue with both; the parts by hand."""
    torch.manual_seed(0)
    a, m, s, c = (torch.randn(4, *shape, dtype=F64) for shape in ((2,), (2, 3), (2, 3), (2, 3)))
    y = torch.randint(0, 256, (4, 3))
    x = 2 * y.double() / 255 - 1
    t = c.tanh()
    moved = m.clone()
    moved[..., 1] += t[..., 0] * x[:, None, 0]
    moved[..., 2] += t[..., 1] * x[:, None, 0] + t[..., 2] * x[:, None, 1]
    f = nl.DiscretizedLogistic(256)
    each = sum(f.nll(y[:, None, i].numpy(), moved[..., i].numpy(), s[..., i].exp().numpy()) for i in range(3))
    want = -np.logaddexp.reduce(a.log_softmax(-1).numpy() - each, axis=-1)
    found = nlt.discretized_logistic_mixture_nll_loss((a, m, s), y, coefficients=c, reduction="none")
    np.testing.assert_allclose(found, want, rtol=1e-12)
    with pytest.raises(nl.ShapeError, match="coefficients has shape"):
        nlt.discretized_logistic_mixture_nll_loss((a, m, s), y, coefficients=c[..., :2])
    with pytest.raises(nl.ShapeError, match="log_scale has shape"):
        nlt.discretized_logistic_mixture_nll_loss((a, m, s[..., :1]), y)


def test_derivatives_of_discretized_mixtures(way):
    torch.manual_seed(0)
    live = [torch.randn(2, *shape, dtype=F64).requires_grad_() for shape in ((2,), (2, 3), (2, 3), (2, 3))]
    y = torch.tensor([[0, 130, 255], [17, 250, 0]])

    def loss(a, m, s, c):
        return nlt.discretized_logistic_mixture_nll_loss((a, m, s), y, coefficients=c)

    assert gradcheck(loss, live, check_forward_ad=True)
    assert gradgradcheck(loss, live, fast_mode=True)
    # a uniform model of 8 bits is 8 bits, whatever the number of components
    wide = (torch.zeros(1, 3, dtype=F64), torch.zeros(1, 3, 2, dtype=F64), torch.full((1, 3, 2), 30.0, dtype=F64))
    bits = nlt.discretized_logistic_mixture_nll_loss(wide, torch.tensor([[0, 255]])) / (2 * math.log(2))
    assert bits.item() == pytest.approx(1.0, rel=1e-10)  # all mass in the outer bins: one bit each
