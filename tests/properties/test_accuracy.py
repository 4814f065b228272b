"""Against the mpmath numbers of tests/oracles, on every instruction set, alone and in a vector."""

import functools
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

import neglog as nl
from neglog import _native
from neglog.families import ScalarFamily

ORACLES = Path(__file__).parents[1] / "oracles"
LANES = 8  # of the widest instruction set


def read(name):
    return json.loads((ORACLES / f"{name}.json").read_text())


def evaluate(family, record, repeat=None):
    """Value, gradient and upper triangle of the Hessian; repeat = n: as the last of n equal rows."""
    arguments = (*record["data"], *record["params"])
    if repeat:
        arguments = tuple(np.full(repeat, x) for x in arguments)
    value, grad, hess = getattr(family, f"{record['kind']}_grad_hess")(*arguments)
    count = len(grad)
    out = [value, *grad, *(hess[i, j] for i, j in itertools.combinations_with_replacement(range(count), 2))]
    return np.array([np.ravel(x)[-1] for x in out])


def tolerances(family, record):
    """Relative error per max(1, condition number) of value, gradient and Hessian."""
    near = record["where"] == "bulk" and family.tail_accuracy <= 1e-12
    value = 1e-14 if record["kind"] == "nll" or near else family.tail_accuracy
    count = len(record["params"])
    return [value] + [family.tail_accuracy] * count + [100 * family.tail_accuracy] * (count * (count + 1) // 2)


def failures(name):
    family = nl.family(name)
    for record in read(name):
        got, among = evaluate(family, record), evaluate(family, record, LANES + 3)
        if not np.array_equal(got, among):
            yield f"{record}: alone {got.tolist()}, in a vector {among.tolist()}"
        exact = zip(got, record["values"], record["sensitivities"], tolerances(family, record), strict=True)
        for at, (g, v, s, tolerance) in enumerate(exact):
            if v is not None and not abs(g - v) <= tolerance * max(abs(v), s):
                yield f"{record['kind']}{record['data']} {record['params']} output {at}: {g!r}, exact {v!r}"


def test_every_scalar_family_has_an_oracle(scalar):
    assert (ORACLES / f"{scalar.name}.py").exists()
    assert (ORACLES / f"{scalar.name}.json").exists()


@functools.cache
def all_failures(on_isa, isa):
    return json.loads(on_isa(isa, __file__))


@pytest.mark.parametrize("isa", _native.available_isas())
def test_against_mpmath(scalar, on_isa, isa):
    found = all_failures(on_isa, isa)
    assert found["isa"] == isa
    assert found[scalar.name] == []


def test_float32_is_the_rounded_float64_answer(family, rows):
    r = rows(family, (200,))
    single = [np.float32(x) for x in r.args]
    double = [np.float64(x) for x in single]
    for got, want in zip(family.nll_grad_hess(*single), family.nll_grad_hess(*double), strict=True):
        assert got.dtype == np.float32
        if family.name != "categorical":  # row kernels accumulate float32 rows in float32
            np.testing.assert_array_equal(got, want.astype(np.float32))
        np.testing.assert_allclose(got, want, rtol=8 * 2**-24, atol=8 * 2**-24)


if __name__ == "__main__":
    scalar = (name for name in nl.families.names() if isinstance(nl.family(name), ScalarFamily))
    found = {name: list(failures(name)) for name in scalar}
    print(json.dumps({"isa": _native.isa()} | found))
