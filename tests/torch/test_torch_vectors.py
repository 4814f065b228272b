"""What torch publishes for these losses: its operator samples, its module tests with their references, its examples."""

import warnings

import pytest
import torch
import torch.nn.functional as F

import neglog as nl
import neglog.torch as nlt

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db
    from torch.testing._internal.common_modules import module_db

FUNCTIONS = (
    "cross_entropy",
    "nll_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "multilabel_soft_margin_loss",
    "kl_div",
    "log_softmax",
)
MODULES = (
    "CrossEntropyLoss",
    "NLLLoss",
    "BCELoss",
    "BCEWithLogitsLoss",
    "MultiLabelSoftMarginLoss",
    "KLDivLoss",
    "LogSoftmax",
)
SAMPLES = [
    (info, name)
    for info in op_db
    for name in FUNCTIONS
    if info.name in (name, f"nn.functional.{name}") and not info.variant_test_name
]


def valid(name, x, args, options):
    """The sample with values that mean something: torch draws most of them from (-9, 9), whatever they stand for."""
    if name == "nll_loss":
        x = x.detach().log_softmax(min(x.ndim - 1, 1)).requires_grad_()
    if name == "multilabel_soft_margin_loss":
        args = (args[0].sigmoid(),)
    if name in ("nll_loss", "cross_entropy") and "weight" in options:
        options = {**options, "weight": options["weight"].abs()}  # a weighted mean over a negative sum is an error
    return x, args, options


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides", "ignore:size_average and reduce")
@pytest.mark.parametrize(("info", "name"), SAMPLES, ids=[name for _, name in SAMPLES])
def test_operator_samples(way, info, name):
    torch.manual_seed(0)
    samples = list(info.sample_inputs("cpu", torch.float64, requires_grad=True))
    assert len(samples) >= 4
    for sample in samples:
        as_published = (sample.input, sample.args, sample.kwargs)
        for repaired in (False, True):
            x, args, options = valid(name, *as_published) if repaired else as_published
            expected = getattr(F, name)(x, *args, **options)
            try:
                value = getattr(nlt, name)(x, *args, **options)
            except nl.InputError:  # e.g. a "log-probability" of 7: torch takes it
                assert not repaired
                continue
            torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-13)
            upstream = torch.randn_like(expected)
            wanted = [t for t in (x, *args) if isinstance(t, torch.Tensor) and t.requires_grad]
            torch.testing.assert_close(
                torch.autograd.grad(value, wanted, upstream),
                torch.autograd.grad(expected, wanted, upstream),
                rtol=1e-11,
                atol=1e-13,
            )


def test_every_function_has_samples():
    assert {name for _, name in SAMPLES} == set(FUNCTIONS)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("name", MODULES)
def test_module_vectors(way, name):
    (info,) = [i for i in module_db if i.module_cls.__name__ == name]
    torch.manual_seed(0)
    made = info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=False, training=True)
    assert len(made) >= 2
    for case in made:
        constructor, (x, *target) = case.constructor_input, case.forward_input.args
        if name in ("CrossEntropyLoss", "NLLLoss") and "weight" in constructor.kwargs:
            constructor.kwargs["weight"].abs_()  # in place: the reference holds the same tensor
        if name == "KLDivLoss" and not _log_probabilities(x, *target, **constructor.kwargs):
            continue
        module = getattr(nlt, name)(*constructor.args, **constructor.kwargs)
        twin = info.module_cls(*constructor.args, **constructor.kwargs)
        expected = [twin(x, *target)]
        if case.reference_fn is not None:
            expected.append(case.reference_fn(twin, x, *target))
        for value in expected:
            value = value if value.ndim else value.nan_to_num(0.0)  # the mean of nothing
            torch.testing.assert_close(module(x, *target), value, rtol=1e-11, atol=1e-13)


def _log_probabilities(x, target, reduction="mean", log_target=False):
    """Turns torch's logarithms of negative numbers into such of probabilities, in place; whether that was possible."""
    if x is target:  # one scalar in both places
        x.copy_(torch.rand(()).log())
        return log_target
    x.copy_(torch.rand(x.shape).log())
    target.copy_(torch.rand(x.shape).log() if log_target else torch.rand(x.shape))
    return True


# Literals that mpmath, NumPy in float64 or PyTorch 2.13 computed once; each to 1e-9.
Z = torch.tensor([[2.0, 1.0, 0.1], [0.5, -1.0, 0.3], [-0.2, 0.4, 3.0], [5.0, 4.0, 2.0]], dtype=torch.float64)
Y = torch.tensor([0, 2, 1, 0])
W = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
ONE_HOT = F.one_hot(Y, 3).double()
NONE = [0.4170300163, 0.9138616044, 2.7088864960, 0.3490122168]
X = torch.tensor([800.0, -800.0, 0.0, 2.0], dtype=torch.float64)
T = torch.tensor([0.0, 1.0, 0.3, 1.0], dtype=torch.float64)


@pytest.mark.parametrize(
    ("target", "options", "expected"),
    [
        (Y, {"reduction": "none"}, NONE),
        (Y, {"reduction": "none", "weight": W}, [NONE[0], 0.4569308022, 5.4177729921, NONE[3]]),
        (Y, {}, 1.097197583376247),
        (Y, {"reduction": "sum"}, 4.388790333504988),
        (Y, {"weight": W}, 1.4757213394111572),
        (Y, {"label_smoothing": 0.1}, 1.147197583376247),
        (Y, {"label_smoothing": 0.1, "weight": W}, 1.502303028931282),
        (Y, {"label_smoothing": 0.1, "reduction": "none"}, [0.5136966829, 0.9505282711, 2.6422198294, 0.4823455501]),
        (torch.tensor([0, 2, -100, 0]), {}, 0.5599679458183956),
        (torch.tensor([0, 2, -100, 0]), {"weight": W}, 0.4891892142001413),
        (torch.tensor([0, 2, -100, 0]), {"label_smoothing": 0.1}, 0.6488568347072845),
        (ONE_HOT, {}, 1.097197583376247),
        (ONE_HOT, {"weight": W}, 1.6601865068375516),
        (ONE_HOT, {"weight": W, "denominator": "weights"}, 1.4757213394111572),
        (ONE_HOT, {"weight": W, "label_smoothing": 0.1}, 1.690090907547692),
    ],
)
def test_cross_entropy_literals(way, target, options, expected):
    expected = torch.tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(nlt.cross_entropy(Z, target, **options), expected, rtol=1e-9, atol=1e-10)
    if "label_smoothing" not in options and not target.is_floating_point():
        value = nlt.nll_loss(Z.log_softmax(1), target, **options)
        torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("pos_weight", "expected"),
    [(None, [800, 800, 0.6931471806, 0.1269280110]), (3.0, [800, 2400, 1.1090354889, 0.38078403313])],
)
def test_binary_literals(way, pos_weight, expected):
    pos_weight = None if pos_weight is None else torch.tensor(pos_weight, dtype=torch.float64)
    value = nlt.binary_cross_entropy_with_logits(X, T, pos_weight=pos_weight, reduction="none")
    torch.testing.assert_close(value, torch.tensor(expected, dtype=torch.float64), rtol=1e-9, atol=1e-10)


def test_images_of_equal_logits(way):
    z = torch.zeros(2, 3, 4, 5, dtype=torch.float64)
    value = nlt.cross_entropy(z, torch.randint(0, 3, (2, 4, 5)))
    torch.testing.assert_close(value, torch.tensor(1.0986122886681096, dtype=torch.float64))


def test_kl_div_literals(way):
    q = torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64)
    p = torch.tensor([[0.1, 0.6, 0.3]], dtype=torch.float64)
    for target, log_target in ((q, False), (q.log(), True)):
        value = nlt.kl_div(p.log(), target, reduction="batchmean", log_target=log_target)
        torch.testing.assert_close(value, torch.tensor(0.047468657715011756, dtype=torch.float64))
        value = nlt.kl_div(p.log(), target, log_target=log_target)
        torch.testing.assert_close(value, torch.tensor(0.015822885905003914, dtype=torch.float64))
