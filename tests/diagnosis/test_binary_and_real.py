"""Yes-or-no targets on breast cancer, means and variances on diabetes: each mistake, and the same without it."""

import math

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

import neglog as nl


def test_honest_binary_predictions_are_in_order(cancer):
    x, t = cancer
    for output, kind in ((x, "logits"), (x, None), (expit(x), "probs")):
        assert nl.diagnose(output, t, kind).ok
        assert nl.diagnose(torch.tensor(output), torch.tensor(t), kind).ok
        assert nl.diagnose(torch.tensor(output).float(), torch.tensor(t).float(), kind).ok


def test_double_sigmoid(cancer):
    x, t = cancer
    for found in (nl.diagnose(expit(x), t, "logits"), nl.diagnose(expit(x), t)):
        assert found.codes == ("double_sigmoid",)
        numbers = found["double_sigmoid"].numbers
        lowest = t.mean() * math.log(1 + math.exp(-1)) + (1 - t.mean()) * math.log(2)
        assert numbers["floor"] == pytest.approx(lowest, rel=1e-12)
        assert numbers["loss"] == pytest.approx(nl.losses.binary_cross_entropy_with_logits(expit(x), t), rel=1e-12)
        assert numbers["nll"] == pytest.approx(nl.losses.binary_cross_entropy_with_logits(x, t), rel=1e-9)
    rng = np.random.default_rng(1)  # logits that lie in [0, 1] and mean it
    honest = rng.uniform(size=2000)
    assert nl.diagnose(honest, rng.uniform(size=2000) < expit(honest), "logits").ok


def test_wrong_kinds_of_binary_output(cancer):
    x, t = cancer
    assert nl.diagnose(x, t, "probs").codes == ("logits_as_probs",)
    assert nl.diagnose(np.log(expit(x)), t, "probs").codes == ("logprobs_as_probs",)
    hard = (x > 0).astype(float)
    assert nl.diagnose(hard, t, "probs").codes == ("impossible",)
    assert nl.diagnose(np.full_like(x, 0.4), t, "probs").codes == ("constant",)


def test_binary_targets(cancer):
    x, t = cancer
    assert nl.diagnose(x, 2 * t - 1, "logits").codes == ("signed_labels",)
    assert nl.diagnose(x, t + 1, "logits").codes == ("one_based",)
    assert nl.diagnose(x, 100 * t, "logits").codes == ("target_outside",)
    assert nl.diagnose(x, 2 * t - 1).codes == ("signed_labels",)


def test_multi_label(digits):
    z, y = digits
    several = np.column_stack([y % 2 == 0, y > 4, y == 0]).astype(float)
    scores = np.column_stack([z[:, ::2].max(1) - z[:, 1::2].max(1), z[:, 5:].max(1) - z[:, :5].max(1), z[:, 0] - 3])
    assert nl.diagnose(scores, several, "logits").ok
    assert nl.diagnose(expit(scores), several, "logits").codes == ("double_sigmoid",)


def test_honest_means_and_variances_are_in_order(diabetes):
    mean, variance, t = diabetes
    assert nl.diagnose(mean, t).ok
    assert nl.diagnose(mean, t).kind == "mean"
    assert nl.diagnose((mean, variance), t).ok
    assert nl.diagnose((mean, variance), t).kind == "mean_var"
    assert nl.diagnose((mean, np.sqrt(variance)), t, "mean_std").ok
    assert nl.diagnose((torch.tensor(mean), torch.tensor(variance)), torch.tensor(t), "mean_var").ok


def test_pairs_of_any_form(diabetes):
    mean, variance, t = diabetes
    std = np.sqrt(variance)
    side_by_side = np.column_stack([mean, std])
    for output in ([mean, std], (mean.tolist(), std.tolist()), side_by_side, torch.tensor(side_by_side)):
        assert nl.diagnose(output, t, "mean_var").codes == ("std_as_variance",)
        assert nl.diagnose(output, t, "mean_std").ok
    assert nl.diagnose(([2.0, 0.1], [0.3, 1.0]), [0, 1]).kind == "logits"  # two rows


def test_std_as_variance(diabetes):
    mean, variance, t = diabetes
    found = nl.diagnose((mean, np.sqrt(variance)), t)
    assert found.codes == ("std_as_variance",)
    numbers = found["std_as_variance"].numbers
    assert numbers["standardised"] == pytest.approx(((t - mean) ** 2 / np.sqrt(variance)).mean())
    assert numbers["standardised_swapped"] == pytest.approx(((t - mean) ** 2 / variance).mean())
    right = nl.Normal().nll(t, mean, np.sqrt(variance)).mean()
    assert numbers["nll"] - numbers["gain"] == pytest.approx(right)
    assert nl.diagnose((mean, variance), t, "mean_std").codes == ("variance_as_std",)


def test_std_as_variance_of_a_standardised_target(diabetes):
    mean, variance, t = diabetes
    m, s = t.mean(), t.std()
    small = (mean - m) / s, variance / s**2 / 4, (t - m) / s / 2  # sigma about 0.36
    honest = small[0] / 2, small[1], small[2]
    assert nl.diagnose(honest[:2], honest[2]).ok
    assert nl.diagnose((honest[0], np.sqrt(honest[1])), honest[2]).codes == ("std_as_variance",)


def test_log_variances_and_zeros(diabetes):
    mean, variance, t = diabetes
    s = 100.0  # so that some log-variances are negative
    found = nl.diagnose((mean / s, np.log(variance / s**2)), t / s)
    assert found.codes == ("negative_spread",)
    assert found["negative_spread"].numbers["standardised_as_log"] == pytest.approx(1, abs=0.3)
    assert nl.diagnose((mean, variance * (t > 100)), t).codes == ("zero_spread",)


def test_a_variance_of_another_size(diabetes):
    mean, variance, t = diabetes
    for factor in (0.01, 100.0):
        assert nl.diagnose((mean, factor * variance), t).codes == ("spread",)


def test_softmax_on_a_regression_mean(diabetes):
    mean, _, t = diabetes
    several = np.column_stack([t, t**2 / 300, 100 - t])
    outputs = np.column_stack([mean, mean**2 / 300, 100 - mean])
    assert nl.diagnose(outputs, several).ok
    found = nl.diagnose(softmax(outputs / 100, 1), several)
    assert found.codes == ("softmax_on_mean",)
    alone = torch.softmax(torch.tensor(mean)[:, None], 1)  # what a single output becomes: 1
    assert nl.diagnose(alone, torch.tensor(t)[:, None]).codes == ("softmax_on_mean",)
    shares = softmax(several / 100, 1)
    assert nl.diagnose(softmax(outputs / 100, 1), shares, "mean").ok  # shares predicted as shares


def test_sigmoid_on_a_regression_mean(diabetes):
    mean, _, t = diabetes
    z, y = (mean - t.mean()) / t.std(), (t - t.mean()) / t.std()
    assert nl.diagnose(np.tanh(8 * z), y).codes == ("bounded",)
    assert nl.diagnose(expit(10 * z), y).codes == ("bounded",)
    assert nl.diagnose(z, y).ok


def test_units(diabetes):
    mean, _, t = diabetes
    found = nl.diagnose((mean - t.mean()) / t.std(), t)  # 152 is 2 standard deviations: not off by enough
    assert found.ok
    found = nl.diagnose((mean + 300 - 452) / 77, t + 300)
    assert found.codes == ("units",)
    assert nl.diagnose(mean + 300, t + 300).ok
    assert nl.diagnose(1000 * mean, t).codes == ("units",)


@pytest.mark.parametrize("kind", [None, "mean"])
def test_a_column_of_predictions_against_a_row_of_targets(kind):
    """(n, 1) - (n,) is (n, n) in NumPy and torch: the mean squared error of every prediction with every target."""
    t = np.random.default_rng(0).normal(150, 16, 40)
    mean = (t + np.random.default_rng(1).normal(0, 4, 40))[:, None]
    found = nl.diagnose(mean, t, kind)
    assert found.codes == ("shapes",) and found.kind == "mean"
    assert "(40, 40)" in found["shapes"].evidence
    assert nl.diagnose(1000 * mean, t, kind).codes == ("shapes", "units")
    assert nl.diagnose(np.tile(mean, (1, 3)), t, kind).codes == ("shapes",)
    yes = (t > 150).astype(int)
    found = nl.diagnose(mean - 150, yes)
    assert found.codes == ("shapes",) and found.kind == "logits"
    assert "same shape" in found["shapes"].change
    image = np.random.default_rng(2).normal(size=(4, 3, 8, 1))
    assert nl.diagnose(image, np.zeros((4, 8, 1), int), axis=1).kind == "logits"


def test_constant_means_and_shapes(diabetes):
    mean, _, t = diabetes
    assert nl.diagnose(np.full_like(t, t.mean()), t).codes == ("constant",)
    found = nl.diagnose(mean[:, None], t, "mean")
    assert found.codes == ("shapes",)
    assert "(221, 221)" in found["shapes"].evidence
    assert nl.diagnose(mean[:, None], t[:, None]).ok
    broken = mean.copy()
    broken[3] = np.inf
    assert nl.diagnose(broken, t).codes == ("not_finite",)
