"""Temperature scaling (Guo et al. 2017): softmax(z / T), with the T that minimises the NLL of held-out rows."""

from __future__ import annotations

import math

import torch
from torch import Tensor

import neglog.torch as nlt

LIMIT = 5.0  # of |log T|; beyond it the rows are separated (T -> 0) or all wrong (T -> inf)


def fit_temperature(logits: Tensor, target: Tensor) -> float:
    """T by LBFGS on log T, in float64.

    Raises
    ------
    ValueError
        There is no minimum within e^-5 <= T <= e^5, or the search did not find it.
    """
    logits = logits.double()
    log_t = torch.zeros((), dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [log_t], max_iter=100, tolerance_grad=1e-9, tolerance_change=0.0, line_search_fn="strong_wolfe"
    )

    def nll() -> Tensor:
        search.zero_grad()
        loss = nlt.cross_entropy(logits, target, temperature=log_t.exp())
        loss.backward()
        return loss

    search.step(nll)
    loss = nll().item()
    slope, found = log_t.grad.item(), log_t.item()
    # relative to the loss: towards T = 0 both vanish where every row is right, and nothing has been found
    if not abs(found) < LIMIT or not abs(slope) < 1e-6 * loss:
        raise ValueError(
            f"no temperature minimises the NLL {loss:.3g}: its slope is {slope:.3g} at log T = {found:.3g}"
        )
    return math.exp(found)
