"""SciPy's distributions."""

import numpy as np
from scipy import special, stats

NAME = "scipy.stats"

# the same law in SciPy's parameters
FROZEN = {
    "normal": stats.norm,
    "log_normal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
    "exponential": lambda scale: stats.expon(scale=scale),
    "gamma": lambda shape, scale: stats.gamma(shape, scale=scale),
    "weibull": lambda shape, scale: stats.weibull_min(shape, scale=scale),
    "gumbel": stats.gumbel_r,
    "gumbel_min": stats.gumbel_l,
    "gev": lambda shape, loc, scale: stats.genextreme(-shape, loc, scale),
    "generalized_pareto": lambda shape, scale: stats.genpareto(shape, scale=scale),
    "beta": stats.beta,
    "student_t": stats.t,
    "laplace": stats.laplace,
    "logistic": stats.logistic,
    "log_logistic": lambda shape, scale: stats.fisk(shape, scale=scale),
    "cauchy": stats.cauchy,
    "inverse_gaussian": lambda mean, shape: stats.invgauss(mean / shape, scale=shape),
    "inverse_gamma": lambda shape, scale: stats.invgamma(shape, scale=scale),
    "birnbaum_saunders": lambda shape, scale: stats.fatiguelife(shape, scale=scale),
    "burr_xii": lambda c, k, scale: stats.burr12(c, k, scale=scale),
    "rayleigh": lambda scale: stats.rayleigh(scale=scale),
    "rice": lambda nu, scale: stats.rice(nu / scale, scale=scale),
    "nakagami": lambda shape, spread: stats.nakagami(shape, scale=np.sqrt(spread)),
    "half_normal": lambda scale: stats.halfnorm(scale=scale),
    "chi2": stats.chi2,
    "generalized_gamma": lambda q, mu, sigma: stats.gengamma(
        1 / q**2, q / sigma, scale=np.exp(mu) * (q * q) ** (sigma / q)
    ),
    "pareto": lambda shape, scale: stats.pareto(shape, scale=scale),
    "uniform": lambda low, high: stats.uniform(low, high - low),
    "skew_normal": stats.skewnorm,
    "von_mises": lambda loc, concentration: stats.vonmises(concentration, loc),
    "normal_inverse_gaussian": stats.norminvgauss,
    "bernoulli": lambda logit: stats.bernoulli(special.expit(logit)),
    "binomial": stats.binom,
    "beta_binomial": stats.betabinom,
    "poisson": stats.poisson,
    "negative_binomial": stats.nbinom,
    "nb2": lambda mean, alpha: stats.nbinom(1 / alpha, 1 / (1 + alpha * mean)),
    "geometric": stats.geom,
}


def prepare(case, data):
    if case.task != "nll" or case.family not in FROZEN:
        return None
    frozen = FROZEN[case.family](*data.parameters)
    log_density = frozen.logpmf if hasattr(frozen, "logpmf") else frozen.logpdf
    return lambda: -log_density(data.y)
