"""Bounds of a likelihood with latent variables: the pieces of variational autoencoders."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from neglog.errors import ParameterError, ShapeError
from neglog.families.continuous_bernoulli import ContinuousBernoulli
from neglog.torch.arguments import Empty, Reduction, floating, integer
from neglog.torch.elementwise import elementwise
from neglog.torch.entries import Entries, same_shape
from neglog.torch.likelihood import nll
from neglog.torch.reference import widened

_LOG_2_PI = math.log(2 * math.pi)


def pixel_nll_loss(
    input: Tensor,
    target: Tensor,
    *,
    continuous: bool = False,
    reduction: Reduction = "mean",
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
) -> Tensor:
    r"""Negative log-likelihood of images of bits or grey levels, given the logits of their pixels.

    .. math:: \sum_d \log(1 + e^{x_d}) - t_d x_d \quad\text{or}\quad \sum_d \log\frac{e^{x_d} - 1}{x_d} - t_d x_d

    Parameters
    ----------
    input : (..., D) tensor
        ``x``, one logit a pixel; or ``(K, ..., D)``, those of K draws of the latent variables.
    target : (..., D) tensor
        ``t`` in [0, 1].
    continuous : bool
        False: Bernoulli, the usual sum of binary cross-entropies. It is a likelihood of bits only; of grey levels its
        sum over all images is not 1. True: continuous Bernoulli, which adds the constant that makes it one.
    reduction : "mean", "sum" or "none"
        Over images: ``"none"`` has the shape of ``input`` without its last axis.
    sample_weight, mask : tensors of that shape, optional
    denominator, empty
        As in :func:`gaussian_nll_loss`.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    ShapeError
        Shapes that do not match; only the axis of draws may be missing in ``target``.
    InputKindError
        A Bernoulli target outside [0, 1]. Outside [0, 1] the continuous loss is ``inf``.

    Notes
    -----
    Source: Kingma and Welling (2014), appendix C.1; Loaiza-Ganem and Cunningham (2019) for the constant.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> x, t = torch.zeros(1, 3), torch.tensor([[0.0, 0.5, 1.0]])
    >>> nlt.pixel_nll_loss(x, t), nlt.pixel_nll_loss(x, t, continuous=True)  # 3 log 2; a density that is 1 everywhere
    (tensor(2.0794), tensor(0.))
    """
    function = "pixel_nll_loss"
    floating(function, "input", input)
    if input.dim() == target.dim() + 1:
        target = target.expand(input.shape)
    same_shape(function, "target", target, input)
    if not input.dim() or not input.shape[-1]:
        raise ShapeError(f"{function}: input has shape {tuple(input.shape)}; allowed: (..., D) with a pixel or more")
    entries = Entries(function, input.shape[:-1], sample_weight, mask, reduction, denominator, empty)
    entries.check()
    return entries.reduce(_grey if continuous else _bits, (widened(input), target), (0.0, 0.0))


def _bits(x: Tensor, target: Tensor) -> Tensor:
    means = elementwise(
        "pixel_nll_loss", "bce_with_logits", x, target, None, None, None, None, "none", None, "zero", False, by_row=True
    )
    return means * x.shape[-1]


def _grey(x: Tensor, target: Tensor) -> Tensor:
    return nll(ContinuousBernoulli(), target.to(x.dtype), x, reduction="none").sum(-1)


def gaussian_kl(
    mu: Tensor,
    log_var: Tensor,
    prior_mu: Tensor | float = 0.0,
    prior_log_var: Tensor | float = 0.0,
    *,
    reduction: Reduction = "mean",
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
) -> Tensor:
    r"""Kullback-Leibler divergence of independent normals from those of a prior, summed over the last axis.

    .. math:: \tfrac12\sum_l e^{d_l} - 1 - d_l + (\mu_l - m_l)^2 / e^{s_l}, \qquad d_l = \log\sigma_l^2 - s_l

    Parameters
    ----------
    mu, log_var : (..., L) tensors
        Means and logarithms of the variances.
    prior_mu, prior_log_var : numbers or tensors that broadcast to them
        ``m`` and ``s``; the default is the standard normal.
    reduction : "mean", "sum" or "none"
        Over rows: ``"none"`` has the shape ``(...)``.
    sample_weight, mask : tensors of that shape, optional
    denominator, empty
        As in :func:`gaussian_nll_loss`.

    Returns
    -------
    Tensor in nats, at least 0: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    ShapeError, InputKindError

    Notes
    -----
    Nothing cancels where the variances are nearly equal: there ``e^d - 1 - d`` is summed as a series. Source: Kingma
    and Welling, "Auto-encoding variational Bayes" (2014), appendix B.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.gaussian_kl(torch.tensor([0.5, -1.0]), torch.tensor([0.2, -0.3]))
    tensor(0.6561)
    """
    function = "gaussian_kl"
    tensors = _posterior(function, mu, log_var, prior_mu, prior_log_var)
    entries = Entries(function, mu.shape[:-1], sample_weight, mask, reduction, denominator, empty)
    entries.check()
    return entries.reduce(_kl, tensors, (0.0, 0.0, 0.0, 0.0))


def elbo_loss(
    nll: Tensor,
    mu: Tensor,
    log_var: Tensor,
    prior_mu: Tensor | float = 0.0,
    prior_log_var: Tensor | float = 0.0,
    *,
    beta: float = 1.0,
    reduction: Reduction = "mean",
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
) -> Tensor:
    r"""Negative evidence lower bound: an upper bound of :math:`-\log p(x)` in expectation over the draws.

    .. math:: \frac1K\sum_k -\log p(x \mid z_k) + \beta\,\mathrm{KL}(q(z\mid x)\,\|\,p(z)), \qquad z_k \sim q(z\mid x)

    Parameters
    ----------
    nll : (...) or (K, ...) tensor
        :math:`-\log p(x\mid z)` of each row by any likelihood, with its constants, of one draw or of K.
    mu, log_var : (..., L) tensors
        Means and logarithms of the variances of :math:`q`.
    prior_mu, prior_log_var
        As in :func:`gaussian_kl`.
    beta : float
        Weight of the divergence (Higgins et al. 2017); only with 1 is this a bound.
    reduction, sample_weight, mask, denominator, empty
        As in :func:`gaussian_kl`.

    Returns
    -------
    Tensor in nats.

    Raises
    ------
    ShapeError, InputKindError

    Notes
    -----
    It equals :math:`-\log p(x)` in expectation if and only if :math:`q` is the exact posterior. Draw with
    :func:`gaussian_draws`, through which gradients pass.

    Source: Kingma and Welling (2014), equation 10.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> mu, log_var = torch.zeros(5, 2), torch.zeros(5, 2)
    >>> z = nlt.gaussian_draws(mu, log_var)  # (1, 5, 2); a decoder makes logits of it
    >>> logits, x = z @ torch.zeros(2, 784), torch.rand(5, 784).round()
    >>> nlt.elbo_loss(nlt.pixel_nll_loss(logits, x, reduction="none"), mu, log_var)  # 784 log 2
    tensor(543.4274)
    """
    function = "elbo_loss"
    mu, log_var, *prior = _posterior(function, mu, log_var, prior_mu, prior_log_var)
    draws = _draws_last(function, nll, mu)
    if not 0 <= beta < math.inf:
        raise ParameterError(f"{function}: beta={beta}; allowed: finite and at least 0")

    def bound(each: Tensor, *others: Tensor) -> Tensor:
        return each.mean(-1) + beta * _kl(*others)

    entries = Entries(function, mu.shape[:-1], sample_weight, mask, reduction, denominator, empty)
    entries.check()
    return entries.reduce(bound, (draws, mu, log_var, *prior), (0.0,) * 5)


def iwae_loss(
    nll: Tensor,
    z: Tensor,
    mu: Tensor,
    log_var: Tensor,
    prior_mu: Tensor | float = 0.0,
    prior_log_var: Tensor | float = 0.0,
    *,
    reduction: Reduction = "mean",
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
) -> Tensor:
    r"""Importance-weighted bound of :math:`-\log p(x)` from K draws: it falls with K towards the likelihood itself.

    .. math:: -\log \frac1K \sum_k \frac{p(x \mid z_k)\, p(z_k)}{q(z_k \mid x)}, \qquad z_k \sim q(z\mid x)

    Parameters
    ----------
    nll : (K, ...) tensor
        :math:`-\log p(x\mid z_k)` of each row and draw.
    z : (K, ..., L) tensor
        The draws, :func:`gaussian_draws`.
    mu, log_var : (..., L) tensors
        Of the :math:`q` that they came from.
    prior_mu, prior_log_var
        As in :func:`gaussian_kl`.
    reduction, sample_weight, mask, denominator, empty
        As in :func:`gaussian_kl`.

    Returns
    -------
    Tensor in nats.

    Raises
    ------
    ShapeError, InputKindError

    Notes
    -----
    With K = 1 it is the negative evidence lower bound with the divergence estimated from the draw. With the exact
    posterior every weight is p(x), and the bound is exact for any draws.

    Source: Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders" (2016), equation 8.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> mu, log_var = torch.zeros(5, 2), torch.zeros(5, 2)
    >>> z = nlt.gaussian_draws(mu, log_var, samples=10)
    >>> nlt.iwae_loss(torch.full((10, 5), 3.0), z, mu, log_var)  # draws from the prior, a likelihood that is constant
    tensor(3.)
    """
    function = "iwae_loss"
    if z.dim() != mu.dim() + 1 or z.shape[1:] != mu.shape or nll.shape != z.shape[:-1]:
        raise ShapeError(
            f"{function}: nll has shape {tuple(nll.shape)}, z {tuple(z.shape)} and mu {tuple(mu.shape)}; "
            f"allowed: (K, ...), (K, ..., L) and (..., L){_unreduced(nll)}"
        )
    mu, log_var, *prior = _posterior(function, mu, log_var, prior_mu, prior_log_var)
    draws = _draws_last(function, nll, mu)
    places = widened(z).movedim(0, -2)
    entries = Entries(function, mu.shape[:-1], sample_weight, mask, reduction, denominator, empty)
    entries.check()
    return entries.reduce(_importance, (draws, places, mu, log_var, *prior), (0.0,) * 6)


def gaussian_draws(mu: Tensor, log_var: Tensor, samples: int = 1, generator: torch.Generator | None = None) -> Tensor:
    r"""Draws :math:`z = \mu + \sigma\varepsilon`, through which gradients pass to both parameters.

    Parameters
    ----------
    mu, log_var : (..., L) tensors
    samples : int
        K.
    generator : torch.Generator, optional

    Returns
    -------
    (K, ..., L) tensor

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.gaussian_draws(torch.zeros(5, 2), torch.zeros(5, 2), samples=3).shape
    torch.Size([3, 5, 2])
    """
    same_shape("gaussian_draws", "log_var", log_var, mu)
    integer("gaussian_draws", "samples", samples)
    if samples < 1:
        raise ParameterError(f"gaussian_draws: samples={samples}; allowed: at least 1")
    noise = torch.randn((samples, *mu.shape), generator=generator, dtype=mu.dtype, device=mu.device)
    return mu + torch.exp(0.5 * log_var) * noise


def _posterior(
    function: str, mu: Tensor, log_var: Tensor, prior_mu: Tensor | float, prior_log_var: Tensor | float
) -> tuple[Tensor, ...]:
    """Both normals in one dtype and shape."""
    floating(function, "mu", mu)
    if not mu.dim():
        raise ShapeError(f"{function}: mu is a scalar; allowed: (..., L)")
    if log_var.shape != mu.shape:
        raise ShapeError(
            f"{function}: log_var has shape {tuple(log_var.shape)}; allowed: that of mu, {tuple(mu.shape)}"
        )
    mu = widened(mu)
    prior: list[Tensor] = []
    for name, value in (("prior_mu", prior_mu), ("prior_log_var", prior_log_var)):
        value = torch.as_tensor(value, dtype=mu.dtype, device=mu.device)
        try:
            prior.append(value.expand(mu.shape))
        except RuntimeError:
            raise ShapeError(
                f"{function}: {name} has shape {tuple(value.shape)}; allowed: what broadcasts to {tuple(mu.shape)}"
            ) from None
    return mu, log_var.to(mu.dtype), *prior


def _draws_last(function: str, nll: Tensor, mu: Tensor) -> Tensor:
    """``(..., K)`` from ``(...)`` or ``(K, ...)``."""
    rows = mu.shape[:-1]
    if nll.shape == rows:
        return widened(nll).unsqueeze(-1)
    if nll.dim() == len(rows) + 1 and nll.shape[1:] == rows and len(nll):
        return widened(nll).movedim(0, -1)
    raise ShapeError(
        f"{function}: nll has shape {tuple(nll.shape)}; allowed: {tuple(rows)}, or that after an axis of draws"
        + _unreduced(nll)
    )


def _unreduced(nll: Tensor) -> str:
    return "" if nll.dim() else "; give the nll of each row (reduction='none')"


# 1 / n! for n from 2 on: e^d - 1 - d to 1e-17 of its first term for |d| <= 1/2
_FACTORIALS = [1 / math.factorial(n) for n in range(2, 16)]


def _kl(mu: Tensor, log_var: Tensor, prior_mu: Tensor, prior_log_var: Tensor) -> Tensor:
    d = log_var - prior_log_var
    near = d.abs() <= 0.5
    small, far = torch.where(near, d, 0.0), torch.where(near, 1.0, d)
    series = torch.zeros_like(d)
    for factor in reversed(_FACTORIALS):
        series = series * small + factor
    excess = torch.where(near, small * small * series, torch.expm1(far) - far)
    return 0.5 * (excess + (mu - prior_mu) ** 2 * torch.exp(-prior_log_var)).sum(-1)


def _importance(nll: Tensor, z: Tensor, mu: Tensor, log_var: Tensor, prior_mu: Tensor, prior_log_var: Tensor) -> Tensor:
    def log_density(mean: Tensor, log_variance: Tensor) -> Tensor:
        apart = z - mean.unsqueeze(-2)
        spread = log_variance.unsqueeze(-2)
        return -0.5 * (apart * apart * torch.exp(-spread) + spread + _LOG_2_PI).sum(-1)

    log_weight = log_density(prior_mu, prior_log_var) - log_density(mu, log_var) - nll
    return math.log(nll.shape[-1]) - torch.logsumexp(log_weight, -1)
