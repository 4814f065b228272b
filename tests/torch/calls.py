"""One small call for every combination of options that takes its own path through the code: the autograd matrix."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

import neglog.torch as nlt
from neglog.losses import DEFORMATIONS


class Call(NamedTuple):
    """``function(*tensors)`` of float64 tensors that are differentiable; the first is the input."""

    name: str
    function: Callable[..., Tensor]
    tensors: tuple[Tensor, ...]


def f64(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def positive(*shape: int, seed: int = 0) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.rand(shape, dtype=torch.float64, generator=g) * 1.5 + 0.3


def inside(*shape: int, seed: int = 0) -> Tensor:
    """Probabilities away from 0 and 1, so that finite differences stay inside."""
    g = torch.Generator().manual_seed(seed)
    return torch.rand(shape, dtype=torch.float64, generator=g) * 0.8 + 0.1


Y = torch.tensor([0, 2, -100, 1])
KEEP = torch.tensor([True, True, False])  # with targets 0 and 1 only
M = torch.tensor([True, True, True, False])


def _index(**options: Any) -> Callable[[Tensor], Tensor]:
    y = Y.clamp(max=1) if "class_mask" in options else Y
    return lambda z: nlt.cross_entropy(z, y, **options)


def _deformed(name: str, **options: Any) -> Callable[[Tensor], Tensor]:
    loss = getattr(nlt, name)
    return lambda z: loss(z, Y, **options)


def calls() -> list[Call]:
    z = f64(4, 3)
    made: list[Call] = []

    def add(name: str, function: Callable[..., Tensor], *tensors: Tensor) -> None:
        made.append(Call(name, function, tensors))

    w, s = positive(3, seed=1), positive(4, seed=2)
    for reduction in ("mean", "sum", "none"):
        add(f"index {reduction}", _index(reduction=reduction), z)
        add(f"index all options {reduction}", _index(
            reduction=reduction, weight=w, sample_weight=s, mask=M, label_smoothing=0.1, temperature=1.3, softcap=4.0,
            z_loss=0.01,
        ), z)  # fmt: skip
        add(
            f"probabilities {reduction}",
            lambda z, q, r=reduction: nlt.cross_entropy(z, q, reduction=r),
            z,
            inside(4, 3),
        )
    add("index weight", _index(weight=w), z)
    add("index smoothing", _index(label_smoothing=0.2), z)
    add("index class_mask", _index(class_mask=KEEP, label_smoothing=0.2), z)
    add("index count", _index(weight=w, denominator="count"), z)
    add("index number", _index(denominator=2.5), z)
    add("index temperature", _index(temperature=0.7), z)
    add("index softcap", _index(softcap=2.0), z)
    add("index z_loss", _index(z_loss=0.1), z)
    add("one row", lambda z: nlt.cross_entropy(z, torch.tensor(1, device=z.device)), f64(3))
    add("images", lambda z: nlt.cross_entropy(z, Y.view(2, 2)), f64(2, 3, 2))
    add("last dim", lambda z: nlt.cross_entropy(z, Y.view(2, 2), dim=-1), f64(2, 2, 3))
    add("transposed", lambda z: nlt.cross_entropy(z.mT, Y.view(2, 2)), f64(2, 2, 3))
    add("slice", lambda z: nlt.cross_entropy(z[:, ::2], Y), f64(4, 5))
    add("all ignored", lambda z: nlt.cross_entropy(z, torch.full((4,), -100, device=z.device)), z)
    # everything that may be a tensor, differentiated
    add("weight", lambda z, w: nlt.cross_entropy(z, Y, w, label_smoothing=0.1), z, w)
    add("sample_weight", lambda z, s: nlt.cross_entropy(z, Y, sample_weight=s), z, s)
    add("temperature", lambda z, t: nlt.cross_entropy(z, Y, temperature=t), z, positive(seed=3))
    add("z_loss", lambda z, c: nlt.cross_entropy(z, Y, z_loss=c), z, positive(seed=3))
    add("denominator", lambda z, d: nlt.cross_entropy(z, Y, denominator=d), z, positive(seed=3))
    add("everything", lambda z, q, w, s, t: nlt.cross_entropy(
        z, q, w, sample_weight=s, temperature=t, label_smoothing=0.1
    ), z, inside(4, 3), w, s, positive(seed=3))  # fmt: skip
    add("parts", lambda z, w: nlt.cross_entropy_parts(z, Y, w)[0], z, w)

    # every deformation at its defaults, each with another reduction; then with everything
    for i, name in enumerate(DEFORMATIONS):
        own = {"mislabel": {"rate": 0.1}, "alpha_loss": {"alpha": 0.7}, "gamma_divergence": {"gamma": 0.5}}.get(
            name, {}
        )
        add(name, _deformed(name, reduction=("mean", "sum", "none")[i % 3], **own), z)
    options = {"mask": M, "class_mask": KEEP, "softcap": 4.0, "temperature": 0.7}
    add("nllr options", lambda z, w, s: nlt.nllr(
        z, Y.clamp(max=1), w, epsilon=0.1, sample_weight=s, **options
    ), z, w, s)  # fmt: skip
    add("gamma_divergence temperature", lambda z, t: nlt.gamma_divergence(z, Y, gamma=0.5, temperature=t), z,
        positive(seed=3))  # fmt: skip
    add("focal images", lambda z: nlt.focal(z, Y.view(2, 2), denominator="count"), f64(2, 3, 2))

    x = z.log_softmax(1)
    for reduction in ("mean", "sum", "none"):
        add(f"nll {reduction}", lambda x, r=reduction: nlt.nll_loss(x, Y, reduction=r), x - 0.1)
    add("nll weight", lambda x, w, s: nlt.nll_loss(x, Y, w, sample_weight=s), x - 0.1, w, s)

    p, t = inside(4, 3, seed=4), inside(4, 3, seed=5)
    for reduction in ("mean", "none"):
        add(f"bce {reduction}", lambda p, t, r=reduction: nlt.binary_cross_entropy(p, t, reduction=r), p, t)
        add(f"bce input {reduction}", lambda p, r=reduction: nlt.binary_cross_entropy(p, t, reduction=r), p)
        add(f"logits {reduction}", lambda z, r=reduction: nlt.binary_cross_entropy_with_logits(z, t, reduction=r), z)
        add(f"multilabel {reduction}", lambda z, r=reduction: nlt.multilabel_soft_margin_loss(z, t, reduction=r), z)
        add(f"kl {reduction}", lambda x, r=reduction: _quietly(nlt.kl_div, x, t, reduction=r), x - 0.1)
    add("logits everything", lambda z, t, w, p, s: nlt.binary_cross_entropy_with_logits(
        z, t, w, pos_weight=p, sample_weight=s
    ), z, t, positive(4, 3, seed=6), positive(3, seed=7), positive(4, 3, seed=8))  # fmt: skip
    add("bce weights", lambda p, w, s: nlt.binary_cross_entropy(p, t, w, sample_weight=s), p, w, positive(4, 3))
    add("multilabel weights", lambda z, t, w, s: nlt.multilabel_soft_margin_loss(z, t, w, sample_weight=s), z, t, w, s)
    add("kl target", lambda x, t: nlt.kl_div(x, t, reduction="batchmean"), x - 0.1, t)
    add("kl log target", lambda x, t: nlt.kl_div(x, t, reduction="batchmean", log_target=True), x - 0.1, t.log())

    v, k = positive(4, 3, seed=9), positive(4, 3, seed=10)
    for reduction in ("mean", "none"):
        add(f"gaussian {reduction}", lambda m, y, v, r=reduction: nlt.gaussian_nll_loss(m, y, v, reduction=r), z, t, v)
        add(f"poisson {reduction}", lambda x, k, r=reduction: nlt.poisson_nll_loss(x, k, reduction=r), z, k)
        add(
            f"weibull {reduction}", lambda y, a, b, r=reduction: nlt.nll("weibull", y, a, b, reduction=r), k, v, v + 0.1
        )
    add("gaussian one variance", lambda m, v, s: nlt.gaussian_nll_loss(m, t, v, sample_weight=s), z, positive(4), v)
    add("natural gaussian", lambda e, y, c: nlt.natural_gaussian_nll_loss(e, y, -c, full=True), z, t, v)
    add("poisson exact", lambda x, k: nlt.poisson_nll_loss(x, k, full=True), z, k * 12)
    add("poisson exact rate", lambda x, k: nlt.poisson_nll_loss(x, k, False, True), v * 9, k * 12)
    add("family", lambda shape, scale, s: nlt.nll("weibull", k, shape, scale, sample_weight=s), v, positive(), v + 0.2)

    two = inside(2, 4, seed=6)  # nll of two draws of four rows
    add("gaussian_kl", lambda m, v: nlt.gaussian_kl(m, v), z, t)
    add("gaussian_kl weighted", lambda m, v, p, s: nlt.gaussian_kl(m, v, p, sample_weight=s), z, t, v, positive(4))
    add("elbo", lambda m, v, n: nlt.elbo_loss(n, m, v, beta=2.0), z, t, two)
    add("iwae", lambda m, v, n: nlt.iwae_loss(n, torch.stack([m + v, m - v]), m, v), z, t, two)
    for continuous in (False, True):
        add(f"pixels {continuous}", lambda x, y, c=continuous: nlt.pixel_nll_loss(x, y, continuous=c), z, inside(4, 3))

    add("log_softmax", lambda z: nlt.log_softmax(z, 1), z)
    add("log_softmax across", lambda z: nlt.log_softmax(z, 0), z)
    add("logsumexp", lambda z: nlt.logsumexp(z, 1), z)
    add("logsumexp all", lambda z: nlt.logsumexp(z, (0, 1), True), z)

    with_all = {"temperature": 1.3, "softcap": 4.0, "mask": M, "class_mask": KEEP}
    for field in ("log_prob", "logsumexp", "entropy"):
        add(f"stats {field}", lambda z, f=field: getattr(nlt.logit_stats(z, Y), f), z)
        add(f"stats options {field}", lambda z, f=field: getattr(nlt.logit_stats(z, Y.clamp(max=1), **with_all), f), z)
    return made


def _quietly(function: Callable[..., Tensor], *args: Any, **options: Any) -> Tensor:
    if not torch.compiler.is_compiling():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **options)
    return function(*args, **options)


CALLS = calls()
IDS = [call.name for call in CALLS]


def leaves(call: Call) -> list[Tensor]:
    return [t.detach().clone().requires_grad_() for t in call.tensors]
