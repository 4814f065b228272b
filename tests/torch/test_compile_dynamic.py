"""Compiled once for every batch size: values and gradients as eager, in one graph."""

from __future__ import annotations

import pytest
import torch

import neglog.torch as nlt

WEIGHTED = nlt.BCEWithLogitsLoss(weight=torch.rand(5), pos_weight=torch.rand(5))

CALLS = {
    "binary": lambda x, t, y: WEIGHTED(x, t),
    "probabilities": lambda x, t, y: nlt.binary_cross_entropy(x.sigmoid(), t, reduction="none"),
    "multilabel": lambda x, t, y: nlt.multilabel_soft_margin_loss(x, t, sample_weight=t[:, 0]),
    "divergence": lambda x, t, y: nlt.kl_div(nlt.log_softmax(x, 1), t, reduction="batchmean"),
    "masked divergence": lambda x, t, y: nlt.kl_div(nlt.log_softmax(x, 1), t, reduction="batchmean", mask=t > 0.5),
    "transposed": lambda x, t, y: nlt.binary_cross_entropy_with_logits(x.t(), t.t(), reduction="none"),
    "logsumexp": lambda x, t, y: nlt.logsumexp(x, 1) + nlt.logsumexp(x, (0, 1)),
    "log-probability": lambda x, t, y: nlt.logit_stats(x, y, temperature=2.0).log_prob,
    "entropy": lambda x, t, y: nlt.logit_stats(x).entropy * 2,
    "rank": lambda x, t, y: nlt.logit_stats(x, y).rank + x.sum(),
    "per sample": lambda x, t, y: torch.func.vmap(torch.func.grad(nlt.binary_cross_entropy_with_logits))(x, t),
    "jacobian": lambda x, t, y: torch.func.jacrev(lambda x: nlt.logit_stats(x, y).entropy)(x),
}


@pytest.mark.parametrize("name", CALLS)
def test_one_graph_for_every_batch(compiled, name):
    call = CALLS[name]
    fast = compiled(call, backend="aot_eager", dynamic=True)
    for n in (6, 3, 4):
        x, t, y = torch.randn(n, 5, requires_grad=True), torch.rand(n, 5), torch.arange(n) % 5
        value, want = fast(x, t, y), call(x, t, y)
        torch.testing.assert_close(value, want)
        torch.testing.assert_close(
            torch.autograd.grad(value.sum(), x)[0],
            torch.autograd.grad(want.sum(), x)[0],
        )
