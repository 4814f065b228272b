"""neglog on tensors."""

import neglog.torch as nlt
from benchmarks.rivals import torch_eager

NAME = "neglog.torch"


def prepare(case, data):
    if case.group == "numpy":
        return None
    loss, options = getattr(nlt, case.loss), dict(data.options)
    if case.dim != 1:
        options["dim"] = case.dim
    return torch_eager.run(case, data.logits, lambda z: loss(z, data.target, **options))
