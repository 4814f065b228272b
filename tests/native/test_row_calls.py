"""The strided row kernels against their definitions, on every instruction set of this machine."""

import numpy as np
import pytest
from tests.native import row_calls
from tests.native.row_calls import STORAGES, WEIGHTS, Call

from neglog import _native


@pytest.mark.parametrize("isa", _native.available_isas())
def test_random_calls(isa, on_isa):
    """Sizes, layouts, dtypes, options: 700 draws meet every pair of options many times."""
    assert on_isa(isa, row_calls.__file__, "700").strip() == isa


F32 = STORAGES[2]


def rows_of(call):
    losses = np.full((call.logits.shape[0], call.logits.shape[2]), np.nan, call.storage.result)
    grad = np.full(call.logits.shape, np.nan, call.logits.dtype)
    return *row_calls.run(call, grad, losses), losses, grad


@pytest.mark.parametrize("classes", [2, 3, 600])
@pytest.mark.parametrize("options", [{}, {"smoothing": 0.1}, {"softcap": 5.0}, {"temperature": 2.0}, {"z_loss": 0.1}])
def test_a_masked_class_is_as_one_that_is_not_there(classes, options):
    rng = np.random.default_rng(3)
    z = rng.standard_normal((7, classes, 1), np.float32)
    more = np.full((7, classes + 9, 1), np.nan, np.float32)  # what is masked is not read
    class_mask = np.zeros(classes + 9, np.uint8)
    class_mask[4:-5] = 1
    more[:, 4:-5] = z
    target = rng.integers(0, classes, (7, 1))
    value, _, _, losses, grad = rows_of(Call(F32, z, target, **options))
    again, _, bad, more_losses, more_grad = rows_of(Call(F32, more, target + 4, class_mask=class_mask, **options))
    assert bad == -1
    np.testing.assert_allclose(again, value, rtol=1e-6)
    np.testing.assert_allclose(more_losses, losses, rtol=2e-6)
    np.testing.assert_allclose(more_grad[:, 4:-5], grad, atol=2e-7)
    np.testing.assert_array_equal(more_grad[:, class_mask == 0], 0)


@pytest.mark.parametrize("classes", [2, 5, 700])
def test_a_masked_target_costs_infinity(classes):
    z = np.zeros((1, classes, 1), np.float32)
    class_mask = np.ones(classes, np.uint8)
    class_mask[1] = 0
    value, *_, grad = rows_of(Call(F32, z, np.array([[1]]), class_mask=class_mask))
    assert value == np.inf
    np.testing.assert_allclose(grad[0, :, 0], np.where(np.arange(classes) == 1, 0, 1 / (classes - 1)), rtol=1e-6)


@pytest.mark.parametrize("classes", [2, 5, 700])
@pytest.mark.parametrize("softcap", [0.0, 3.0])
def test_minus_infinity_is_a_class_that_is_gone(classes, softcap):
    z = np.ones((1, classes, 1), np.float32)
    z[0, -1] = -np.inf
    value, *_, grad = rows_of(Call(F32, z, np.array([[0]]), softcap=softcap))
    np.testing.assert_allclose(value, np.log(classes - 1), rtol=1e-6)
    assert grad[0, -1] == 0
    value, *_, grad = rows_of(Call(F32, z, np.array([[classes - 1]]), softcap=softcap))
    assert value == np.inf
    assert grad[0, -1] == -1


@pytest.mark.parametrize("classes", [2, 5, 700])
@pytest.mark.parametrize("options", [{}, {"smoothing": 0.1}, {"temperature": 2.0}])
def test_undefined_rows_are_nan_and_alone(classes, options):
    z = np.zeros((4, classes, 1), np.float32)
    z[0], z[1, -1], z[2, 0] = -np.inf, np.inf, np.nan
    _, _, bad, losses, grad = rows_of(Call(F32, z, np.zeros((4, 1), np.int64), **options))
    assert bad == -1
    assert np.isnan(losses[:3]).all()
    assert np.isnan(grad[:3]).any(axis=1).all()
    assert np.isfinite(losses[3]).all() and np.isfinite(grad[3]).all()


@pytest.mark.parametrize("classes", [2, 3, 10, 600])
@pytest.mark.parametrize("ignored", [0, 1, 40, 999, 1000])
def test_the_mean_divides_by_what_takes_part(classes, ignored):
    """1,000 rows are several units of work at 600 classes; at 2 the divisor is first guessed."""
    rng = np.random.default_rng(5)
    target = rng.integers(0, classes, (1000, 1))
    target[rng.permutation(1000)[:ignored]] = -100
    call = Call(F32, rng.standard_normal((1000, classes, 1), np.float32), target, ignore_index=-100, divisor=WEIGHTS)
    value, divisor, bad, losses, grad = rows_of(call)
    assert (divisor, bad) == (1000 - ignored, -1)
    assert value == pytest.approx(losses.sum(dtype=np.float64) / max(divisor, 1), rel=1e-6)
    total = rows_of(Call(F32, call.logits, target, ignore_index=-100, scale=1 / max(divisor, 1)))[-1]
    np.testing.assert_array_equal(grad, total)


@pytest.mark.parametrize("classes", [2, 7, 600])
@pytest.mark.parametrize("beside", [False, True])
def test_the_first_bad_row_is_named(classes, beside):
    shape = (1, classes, 900) if beside else (900, classes, 1)
    target = np.zeros((shape[0], shape[2]), np.int64)
    target.flat[[321, 777]] = classes, -1
    assert rows_of(Call(F32, np.zeros(shape, np.float32), target))[2] == 321
    q = np.zeros(shape, np.float32)
    q.reshape(-1, classes)[[455, 700], 1] = 1.5 if not beside else 0
    if beside:
        q[0, 1, [455, 700]] = 1.5
    assert rows_of(Call(F32, np.zeros(shape, np.float32), q))[2] == 455


def test_results_do_not_depend_on_threads():
    rng = np.random.default_rng(6)
    call = Call(F32, rng.standard_normal((3, 40, 5000), np.float32), rng.integers(0, 40, (3, 5000)), divisor=WEIGHTS)
    one, *_, grad_one = rows_of(call)
    call.threads = 8
    many, *_, grad_many = rows_of(call)
    assert one == many
    np.testing.assert_array_equal(grad_one, grad_many)


@pytest.mark.parametrize("classes", [3, 100, 600])
@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 1, 0), (1, 0, 2)])
def test_logsumexp_on_strides(classes, order):
    rng = np.random.default_rng(8)
    z = rng.standard_normal([(5, classes, 7)[i] for i in order], np.float32)[:, ::-1].transpose(np.argsort(order))
    z[0, 0, 0] = -np.inf
    lse, out = np.empty((5, 7), np.float32), np.empty((7, classes, 5), np.float32).T
    _native.logsumexp_strided(
        2, 5, classes, 7, row_calls.address(z), row_calls.strides(z), row_calls.address(lse),
        row_calls.address(out), row_calls.strides(out), False, 2,
    )  # fmt: skip
    exact = np.log(np.exp(z.astype(np.float64)).sum(axis=1))
    np.testing.assert_allclose(lse, exact, rtol=5e-7)
    np.testing.assert_allclose(out, z - exact[:, None], rtol=1e-6)
