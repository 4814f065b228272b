"""Without the extras: the base works, and a feature that needs one says which and how to get it."""

import subprocess
import sys

import pytest

EXTRAS = ["pyarrow", "rich", "cyclopts", "formulaic", "torch", "pandas", "sklearn", "matplotlib", "ml_dtypes"]

HIDE = """
import sys

class Hidden:
    names = {names!r}
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
import numpy as np
import neglog as nl
"""


def run_without(names, program):
    """Standard output of a program in a fresh interpreter in which ``names`` are not installed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", HIDE.format(names=set(names)) + program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


BASE = {
    "losses": """
z, y = np.array([[2.0, 1.0, 0.1], [0.5, -1.0, 0.3]]), [0, 2]
loss, gradient = nl.losses.cross_entropy_grad(z, y)
assert abs(loss - 0.6654458) < 1e-7
nl.losses.log_loss(["a", "b"], [[0.5, 0.5], [0.1, 0.9]])
nl.losses.binary_cross_entropy_with_logits([0.5], [1])
nl.losses.prob_to_logodds(0.3)
""",
    "families": """
f = nl.family("weibull")
value, gradient, hessian = f.nll_grad_hess(np.array([1.0, 2.0]), 1.5, 2.0)
assert np.isfinite(hessian).all()
assert abs(f.ppf(f.cdf(1.3, 1.5, 2.0), 1.5, 2.0) - 1.3) < 1e-12
""",
    "fit": """
rng = np.random.default_rng(0)
x = rng.normal(size=(200, 2))
r = nl.fit("normal", x @ [1.0, -2.0] + rng.normal(size=200), x, intercept=True)
assert r.ok
r.summary()
t = rng.weibull(2.0, 100)
r = nl.fit("weibull", nl.right_censored(np.minimum(t, 1.0), t < 1.0))
assert r.ok
""",
    "score": """
s = nl.Score.classification(input="probs", classes=[0, 1])
s.update([0, 1, 1], [[0.7, 0.3], [0.2, 0.8], [0.6, 0.4]])
other = nl.Score.from_bytes(s.to_bytes())
s.merge(other)
assert s.result().nobs == 6
""",
    "every public name": "assert all(getattr(nl, name) is not None for name in nl.__all__ if name != 'torch')",
}


@pytest.mark.parametrize("part", BASE)
def test_the_base_works(part):
    run_without(EXTRAS, BASE[part])


FEATURES = {
    "torch": """
try:
    import neglog.torch
except nl.MissingDependencyError as error:
    print(error)
""",
    "pyarrow": """
from neglog.evaluation.sources import Tables
try:
    Tables(["data.parquet"])
except nl.MissingDependencyError as error:
    print(error)
""",
    "formulaic": """
try:
    nl.fit("normal", "y ~ x", data={"x": np.arange(5.0), "y": np.arange(5.0) ** 2})
except nl.MissingDependencyError as error:
    print(error)
""",
    "sklearn": """
try:
    import neglog.sklearn
except nl.MissingDependencyError as error:
    print(error)
""",
    "cyclopts": """
import contextlib
from neglog.cli import main
with contextlib.redirect_stderr(sys.stdout):
    assert main(["families"]) == 2
""",
}


@pytest.mark.parametrize("package", FEATURES)
def test_a_missing_extra_is_named_with_its_command(package):
    said = run_without([package], FEATURES[package])
    assert len(said.splitlines()) == 1
    assert f"'{package}'" in said
    assert f"pip install 'neglog[{package if package in ('torch', 'sklearn') else 'cli'}]'" in said


def test_a_missing_dependency_is_an_import_error():
    program = """
from neglog._optional import require
try:
    require("torch", feature="a differentiable loss", extra="torch")
except ImportError as error:
    print(type(error).__name__, error)
"""
    said = run_without(["torch"], program)
    want = "MissingDependencyError a differentiable loss needs the package 'torch': pip install 'neglog[torch]'"
    assert said == want


def test_a_broken_extra_is_not_reported_as_missing():
    program = """
from neglog._optional import require
try:
    require("pandas", feature="tables", extra="cli")
except ImportError as error:
    print(type(error).__name__, error.name)
"""
    # pandas is there; something that it imports is not: that deserves its own message
    said = run_without(["dateutil"], program)
    assert said == "ImportError None" or said.endswith("dateutil")


def test_a_likelihood_of_ones_own_needs_torch():
    out = run_without(
        ["torch"],
        """
try:
    nl.Custom(lambda y, mu: (y - mu) ** 2, {"mu": nl.real})
except nl.MissingDependencyError as error:
    print(error)
""",
    )
    assert out == "a likelihood of your own (Custom) needs the package 'torch': pip install 'neglog[torch]'"
