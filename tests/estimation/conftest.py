"""Tables that several tests read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def cancer() -> dict[str, np.ndarray]:
    """R's survival::cancer as columns; ``event`` is 1 for a death."""
    table = np.genfromtxt(DATA / "cancer.csv", delimiter=",", names=True, deletechars="")
    columns = {name: table[name] for name in table.dtype.names}
    columns["event"] = (columns["status"] == 2).astype(int)
    return columns


@pytest.fixture(scope="session")
def spector():
    """Spector and Mazzeo (1980): 32 rows, GRADE on GPA, TUCE, PSI."""
    from statsmodels.datasets import spector

    return spector.load_pandas()


@pytest.fixture(scope="session")
def randhie():
    """RAND health insurance experiment: 20,190 counts of visits."""
    from statsmodels.datasets import randhie

    return randhie.load_pandas()


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread():
    """OpenBLAS threads wait for one another by spinning.

    On a busy machine a digits fit takes 20 s instead of 0.6.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
