"""numba-stats as its documentation advises for speed: inside a function compiled with parallel and fastmath.

The first call, which compiles, is not timed.
"""

import importlib

import numpy as np

import neglog as nl

NAME = "numba-stats"

# module, and its parameters from ours
SAME = {
    "normal": ("norm", lambda loc, scale: (loc, scale)),
    "log_normal": ("lognorm", lambda mu, sigma: (sigma, 0.0, float(np.exp(mu)))),
    "exponential": ("expon", lambda scale: (0.0, scale)),
    "gamma": ("gamma", lambda shape, scale: (shape, 0.0, scale)),
    "student_t": ("t", lambda df, loc, scale: (df, loc, scale)),
    "laplace": ("laplace", lambda loc, scale: (loc, scale)),
    "chi2": ("chi2", lambda df: (df, 0.0, 1.0)),
    "uniform": ("uniform", lambda low, high: (low, high - low)),
    "skew_normal": ("skewnorm", lambda shape, loc, scale: (shape, loc, scale)),
    "poisson": ("poisson", lambda rate: (rate,)),
}


# the function to compile; numba takes no *args here
NEGATIVE = {
    1: lambda f: lambda y, a: -f(y, a),
    2: lambda f: lambda y, a, b: -f(y, a, b),
    3: lambda f: lambda y, a, b, c: -f(y, a, b, c),
}


def prepare(case, data):
    possible = case.task == "nll" and case.family in SAME and not case.per_row  # its parameters are numbers
    if not possible or importlib.util.find_spec("numba_stats") is None:
        return None
    import numba

    numba.set_num_threads(min(nl.get_num_threads(), numba.config.NUMBA_NUM_THREADS))
    name, translate = SAME[case.family]
    module = importlib.import_module(f"numba_stats.{name}")
    log_density = module.logpmf if hasattr(module, "logpmf") else module.logpdf
    parameters = tuple(data.y.dtype.type(p) for p in translate(*data.parameters))

    nll = numba.njit(parallel=True, fastmath=True)(NEGATIVE[len(parameters)](log_density))
    return lambda: nll(data.y, *parameters)
