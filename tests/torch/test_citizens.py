"""Modules: torch's constructors, state, copies, pickles; and the names."""

import copy
import inspect
import io
import pickle

import pytest
import torch

import neglog as nl
import neglog.torch as nlt

CRITERIA = ("CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss", "MultiLabelSoftMarginLoss", "KLDivLoss")
FUNCTIONS = {
    "cross_entropy": torch.nn.functional.cross_entropy,
    "nll_loss": torch.nn.functional.nll_loss,
    "binary_cross_entropy": torch.nn.functional.binary_cross_entropy,
    "binary_cross_entropy_with_logits": torch.nn.functional.binary_cross_entropy_with_logits,
    "multilabel_soft_margin_loss": torch.nn.functional.multilabel_soft_margin_loss,
    "kl_div": torch.nn.functional.kl_div,
}


def same_start(ours, theirs):
    """Torch's parameters in torch's order with torch's defaults; ours behind them, by keyword."""
    ours, theirs = inspect.signature(ours), inspect.signature(theirs)
    mine = list(ours.parameters.values())
    for parameter, own in zip(theirs.parameters.values(), mine, strict=False):
        assert own.name == parameter.name and own.default == parameter.default, parameter
        assert own.kind in (own.POSITIONAL_OR_KEYWORD, own.POSITIONAL_ONLY)
    assert all(p.kind is p.KEYWORD_ONLY for p in mine[len(theirs.parameters) :])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_torchs_signature(name):
    same_start(getattr(nlt, name), FUNCTIONS[name])


@pytest.mark.parametrize("name", [*CRITERIA, "LogSoftmax"])
def test_constructors_have_torchs_signature(name):
    same_start(getattr(nlt, name), getattr(torch.nn, name))


def made(name):
    options = {
        "CrossEntropyLoss": {"weight": torch.tensor([1.0, 2.0, 0.5]), "label_smoothing": 0.1, "z_loss": 1e-3},
        "NLLLoss": {"weight": torch.tensor([1.0, 2.0, 0.5]), "ignore_index": 1},
        "BCELoss": {"weight": torch.tensor([1.0, 2.0, 0.5])},
        "BCEWithLogitsLoss": {"pos_weight": torch.tensor([1.0, 2.0, 0.5])},
        "MultiLabelSoftMarginLoss": {"weight": torch.tensor([1.0, 2.0, 0.5])},
        "KLDivLoss": {"reduction": "batchmean"},
    }[name]
    torch.manual_seed(0)
    z, q, y = torch.randn(4, 3), torch.rand(4, 3), torch.tensor([0, 2, 1, 0])
    x = {"NLLLoss": z.log_softmax(1), "BCELoss": q, "KLDivLoss": z.log_softmax(1)}.get(name, z)
    return getattr(nlt, name)(**options), x, y if name in ("CrossEntropyLoss", "NLLLoss") else q


@pytest.mark.parametrize("name", CRITERIA)
def test_copies_and_pickles(way, name):
    module, x, target = made(name)
    expected = module(x, target)
    for other in (copy.deepcopy(module), copy.copy(module), pickle.loads(pickle.dumps(module))):
        assert other(x, target).equal(expected) and repr(other) == repr(module)
    buffer = io.BytesIO()
    torch.save(module, buffer)
    buffer.seek(0)
    assert torch.load(buffer, weights_only=False)(x, target).equal(expected)


@pytest.mark.parametrize("name", CRITERIA)
def test_state_moves_with_the_module(name):
    module, x, target = made(name)
    twin = getattr(torch.nn, name)()
    assert isinstance(module, torch.nn.Module) and not list(module.parameters())
    weights = [k for k, v in module.state_dict().items() if v is not None]
    double = module.double()
    assert all(b.dtype == torch.float64 for b in double.buffers())
    torch.testing.assert_close(
        double(x.double(), target if not target.is_floating_point() else target.double()).float(),
        made(name)[0](x, target),
    )
    assert name == "KLDivLoss" or weights
    assert set(weights) <= {"weight", "pos_weight"}
    assert twin.reduction == "mean"


@pytest.mark.parametrize("name", CRITERIA)
def test_data_of_a_call_goes_to_the_call(way, name):
    module, x, target = made(name)
    module.reduction = "mean"  # the one that has a denominator
    by_row = name in ("CrossEntropyLoss", "NLLLoss", "MultiLabelSoftMarginLoss")
    shape = x.shape[:1] if by_row else x.shape
    mask, s = torch.rand(shape) < 0.6, torch.rand(shape)
    value = module(x, target, mask=mask, sample_weight=s, denominator=3.0)
    masked = module(x, target, sample_weight=torch.where(mask, s, 0.0), denominator=3.0)
    torch.testing.assert_close(value, masked)
    assert not module(x, target).equal(value)


def test_log_softmax_module(way):
    x = torch.randn(2, 3, 4)
    for dim in (0, 1, -1):
        assert nlt.LogSoftmax(dim)(x).equal(nlt.log_softmax(x, dim))
        torch.testing.assert_close(nlt.LogSoftmax(dim)(x), torch.nn.LogSoftmax(dim)(x))
    assert repr(nlt.LogSoftmax(1)) == repr(torch.nn.LogSoftmax(1))


def test_lazily_imported():
    assert nl.torch is nlt
    for name in (
        *FUNCTIONS,
        *CRITERIA,
        "log_softmax",
        "logsumexp",
        "cross_entropy_parts",
        "logit_stats",
        "total_weight",
    ):
        assert name in nlt.__all__ and getattr(nlt, name).__doc__
