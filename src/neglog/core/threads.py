"""How many threads the kernels may use."""

from __future__ import annotations

import numpy as np

from neglog import _native
from neglog._native import get_num_threads
from neglog.errors import ParameterError

__all__ = ["get_num_threads", "set_num_threads"]


def set_num_threads(n: int) -> None:
    """Limit the threads of neglog's kernels.

    Parameters
    ----------
    n : int
        At least 1; initially ``OMP_NUM_THREADS``, or the processors that this process may use.

    Raises
    ------
    ParameterError
        No positive integer.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.set_num_threads(nl.get_num_threads())
    """
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or not 1 <= n < 2**31:  # pyright: ignore
        raise ParameterError(f"set_num_threads: n = {n!r}; allowed: an integer of at least 1")
    _native.set_num_threads(int(n))
