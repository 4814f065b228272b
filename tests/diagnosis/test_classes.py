"""Each mistake with classes is found on held-out digits, and only where it was made."""

import math

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, softmax

import neglog as nl


def test_honest_logits_probabilities_and_log_probabilities_are_in_order(digits):
    z, y = digits
    for output, kind in ((z, "logits"), (z, None), (softmax(z, 1), "probs"), (log_softmax(z, 1), "logprobs")):
        for cast in (np.asarray, torch.tensor, lambda a: torch.tensor(a).float(), lambda a: torch.tensor(a).bfloat16()):
            found = nl.diagnose(cast(output), torch.tensor(y), kind)
            assert found.ok, found
            assert found.kind == (kind or "logits")
    assert nl.diagnose(log_softmax(z, 1), y).ok  # of no declared kind: cross_entropy of log-probabilities is right, too
    assert nl.diagnose(log_softmax(z, 1), y, "logits").ok


@pytest.mark.parametrize("cast", [np.asarray, torch.tensor, lambda a: torch.tensor(a).bfloat16()])
def test_double_softmax(digits, cast):
    z, y = digits
    found = nl.diagnose(cast(softmax(z, 1)), y, "logits")
    assert found.codes == ("double_softmax",)
    finding = found["double_softmax"]
    assert finding.certain
    assert finding.numbers["floor"] == pytest.approx(math.log(1 + 9 / math.e), abs=1e-12)
    loss = torch.nn.functional.cross_entropy(torch.tensor(softmax(z, 1)), torch.tensor(y)).item()
    assert finding.numbers["cross_entropy"] == pytest.approx(loss, rel=2e-3)
    assert finding.numbers["nll"] == pytest.approx(nl.losses.cross_entropy(z, y), rel=2e-2)
    unknown = nl.diagnose(cast(softmax(z, 1)), y)
    assert unknown.codes == ("double_softmax",)
    assert unknown.kind == "probs"
    assert not unknown["double_softmax"].certain


def test_softmax_twice_in_what_is_taken_for_probabilities(digits):
    z, y = digits
    twice = softmax(softmax(z, 1), 1)
    found = nl.diagnose(twice, y, "probs")
    assert found.codes == ("softmax_twice",)
    numbers = found["softmax_twice"].numbers
    assert numbers["nll"] - numbers["gain"] == pytest.approx(nl.losses.cross_entropy(z, y), rel=1e-3)
    # probabilities that are spread as widely and mean it: drawn labels that follow them
    rng = np.random.default_rng(0)
    drawn = np.array([rng.choice(10, p=row) for row in twice])
    assert nl.diagnose(twice, drawn, "probs").ok


def test_probabilities_as_log_probabilities(digits):
    z, y = digits
    found = nl.diagnose(softmax(z, 1), y, "logprobs")
    assert found.codes == ("probs_as_logprobs",)
    wrong = torch.nn.functional.nll_loss(torch.tensor(softmax(z, 1)), torch.tensor(y)).item()
    assert found["probs_as_logprobs"].numbers["nll_loss"] == pytest.approx(wrong)
    assert wrong < 0


def test_the_published_vector_of_probabilities_in_nll_loss():
    z = [[2.0, 1.0, 0.1], [0.5, -1.0, 0.3], [-0.2, 0.4, 3.0], [5.0, 4.0, 2.0]]
    found = nl.diagnose(softmax(z, 1), [0, 2, 1, 0], "logprobs")
    assert found["probs_as_logprobs"].numbers["nll_loss"] == pytest.approx(-0.45799235515875870, rel=1e-12)


def test_logits_as_log_probabilities(digits):
    z, y = digits
    assert nl.diagnose(z, y, "logprobs").codes == ("logits_as_logprobs",)


def test_log_probabilities_as_probabilities(digits):
    z, y = digits
    assert nl.diagnose(log_softmax(z, 1), y, "probs").codes == ("logprobs_as_probs",)


def test_logits_as_probabilities(digits):
    z, y = digits
    assert nl.diagnose(z, y, "probs").codes == ("logits_as_probs",)


def test_sigmoids_as_probabilities_of_classes(digits):
    z, y = digits
    found = nl.diagnose(expit(z), y, "probs")
    assert found.codes == ("unnormalised",)
    assert found["unnormalised"].numbers["rows"] == 898
    rounded = softmax(z, 1).round(4)  # what a CSV holds: sums are off by less than the tolerance
    rounded[np.arange(898), y] = np.maximum(rounded[np.arange(898), y], 1e-4)
    assert nl.diagnose(rounded, y, "probs").ok


def test_sigmoids_as_logits_cannot_reach_zero(digits):
    z, y = digits
    found = nl.diagnose(expit(z), y, "logits")
    assert found.codes == ("bounded",)
    numbers = found["bounded"].numbers
    assert numbers["floor"] == pytest.approx(math.log(1 + 9 / math.e), rel=1e-2)
    assert numbers["nll_at_temperature"] < 0.5 * numbers["nll"]


def test_cosines_without_a_temperature(digits):
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = x - x.mean(0)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    centers = np.stack([x[::2][y[::2] == k].mean(0) for k in range(10)])
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    cosines = x[1::2] @ centers.T
    assert nl.diagnose(cosines, y[1::2], "logits").codes == ("bounded",)
    assert nl.diagnose(10 * cosines, y[1::2], "logits").ok


def test_a_scale_that_the_labels_do_not_support(digits):
    z, y = digits
    found = nl.diagnose(20 * z, y)
    assert found.codes == ("overconfident",)
    numbers = found["overconfident"].numbers
    plain = nl.diagnose(z, y)
    assert plain.ok
    assert 10 < numbers["temperature"] < 40
    assert numbers["nll_at_temperature"] < nl.losses.cross_entropy(z, y)
    assert nl.diagnose(2 * z, y).ok  # only half again as bad


def test_predictions_in_another_order_than_the_rows(digits):
    z, y = digits
    assert nl.diagnose(np.random.default_rng(0).permutation(z), y).codes == ("overconfident",)


def test_one_hot_labels_as_integers():
    z, y = np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 3
    found = nl.diagnose(z, np.eye(3, dtype=int)[y], "logits")["one_hot"]
    assert not found.certain and found.numbers == {"rows": 50}
    with pytest.raises(nl.ShapeError):  # what it warns of
        nl.losses.cross_entropy(z, np.eye(3, dtype=int)[y])
    assert "one_hot" not in nl.diagnose(z, np.eye(3)[y], "logits").codes


def test_one_based_labels(digits):
    z, y = digits
    found = nl.diagnose(z, y + 1)
    assert "one_based" in found.codes
    assert found["one_based"].certain
    assert found["one_based"].numbers == {"lowest": 1.0, "highest": 10.0, "classes": 10.0}
    assert nl.diagnose(z[y > 0], y[y > 0]).ok  # class 0 does not occur


def test_one_based_labels_that_fit_in_another_output(digits):
    z, y = digits
    wider = np.column_stack([z, np.full(len(z), -9.0)])
    found = nl.diagnose(wider, y + 1)
    assert found.codes == ("class_order",)
    assert found["class_order"].numbers["shift"] == 1
    assert "one more" in found["class_order"].title
    assert nl.diagnose(wider, y).ok


def test_classes_in_another_order(digits):
    z, y = digits
    order = [0, 1, 9, 2, 3, 4, 5, 6, 7, 8]  # as strings sort: "0", "1", "10", "2"
    found = nl.diagnose(z[:, order], y)
    assert found.codes == ("class_order",)
    assert found["class_order"].numbers["accuracy_reordered"] == pytest.approx((z.argmax(1) == y).mean())


def test_labels_that_are_no_class(digits):
    z, y = digits
    padded = np.where(np.arange(len(y)) % 7 == 0, -1, y)
    found = nl.diagnose(z, padded)
    assert found.codes == ("target_outside",)
    assert "ignore_index=-1" in found["target_outside"].change
    assert found["target_outside"].numbers["rows"] == 129
    assert nl.diagnose(z, padded, ignore_index=-1).ok
    assert "255" in nl.diagnose(z, np.where(padded < 0, 255, y))["target_outside"].evidence


def test_everything_ignored_and_nothing_there(digits):
    z, y = digits
    assert nl.diagnose(z, np.full_like(y, -100)).codes == ("all_ignored",)
    assert nl.diagnose(z[:0], y[:0]).codes == ("empty",)
    half = np.where(np.arange(len(y)) % 2, y, -100)
    assert nl.diagnose(z, half).ok


def test_float_labels(digits):
    z, y = digits
    assert nl.diagnose(z, y.astype(np.float32)).codes == ("float_labels",)


def test_labels_with_an_axis_too_many(digits):
    z, y = digits
    assert nl.diagnose(z, y[:, None]).codes == ("shapes",)


def test_constant_predictions(digits):
    _, y = digits
    shares = np.bincount(y) / len(y)
    found = nl.diagnose(np.tile(np.log(shares), (len(y), 1)), y)
    assert found.codes == ("constant",)
    numbers = found["constant"].numbers
    assert numbers["nll"] == pytest.approx(numbers["entropy"])
    assert nl.diagnose(np.zeros((20, 10)), np.full(20, 3)).ok  # nor do the labels vary


def test_probability_zero_for_what_happened(digits):
    z, y = digits
    p = np.where(softmax(z, 1) > 0.05, softmax(z, 1), 0.0)
    p /= p.sum(1, keepdims=True)
    found = nl.diagnose(p, y, "probs")
    assert found.codes == ("impossible",)
    assert found["impossible"].numbers["rows"] == (p[np.arange(len(y)), y] == 0).sum() > 0
    masked = z.copy()
    masked[np.arange(len(y)), (y + 1) % 10] = -np.inf  # another class than the target's
    assert nl.diagnose(masked, y).ok


def test_nan(digits):
    z, y = digits
    broken = z.copy()
    broken[5, 2] = np.nan
    found = nl.diagnose(broken, y)
    assert found.codes == ("not_finite",)
    assert found["not_finite"].numbers == {"rows": 1.0, "nan": 1.0, "first": 5.0}


def test_softmax_over_the_rows(digits):
    z, y = digits
    assert nl.diagnose(softmax(z, 0), y, "probs").codes == ("normalised_axis",)
    assert nl.diagnose(log_softmax(z, 0), y, "logprobs").codes == ("normalised_axis",)


def test_the_class_axis(digits):
    z, y = digits
    assert nl.diagnose(z.T, y).codes == ("class_axis",)
    square, labels = z[:10], y[:10]
    assert nl.diagnose(square, labels).ok
    assert nl.diagnose(square.T, labels).codes == ("class_axis",)
    assert nl.diagnose(square.T, labels, axis=0).ok
    sequences, words = z[:890].reshape(89, 10, 10), y[:890].reshape(89, 10)  # batch, position, class
    assert nl.diagnose(sequences, words).ok  # NumPy: the last axis
    assert nl.diagnose(torch.tensor(sequences), words).codes == ("class_axis",)  # torch: axis 1, as long
    assert nl.diagnose(torch.tensor(sequences).movedim(-1, 1), words).ok
    images, pixels = z[:896].reshape(8, 112, 10).swapaxes(1, 2).reshape(8, 10, 16, 7), y[:896].reshape(8, 16, 7)
    assert nl.diagnose(images, pixels).ok
    assert nl.diagnose(torch.tensor(images), torch.tensor(pixels)).ok


def test_targets_that_are_distributions(digits):
    z, y = digits
    smooth = 0.9 * np.eye(10)[y] + 0.01
    assert nl.diagnose(z, smooth).ok
    found = nl.diagnose(softmax(z, 1), smooth, "logits")
    assert found.codes == ("double_softmax",)
    expected = nl.losses.cross_entropy(softmax(z, 1), smooth)
    assert found["double_softmax"].numbers["cross_entropy"] == pytest.approx(expected, rel=1e-12)


def test_a_million_rows_are_read_in_part():
    z = np.random.default_rng(0).normal(size=(400_000, 10))
    found = nl.diagnose(z, z.argmax(1))
    assert found.rows == 400_000
    assert found.read == 100_000
    assert "100,000 of 400,000 rows" in str(found)
