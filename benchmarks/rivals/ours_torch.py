"""neglog on tensors."""

import torch.nn.functional as nlt
from benchmarks.rivals import torch_eager

NAME = "neglog.torch"


def prepare(case, data):
    if case.group == "numpy":
        return None
    loss, options = getattr(nlt, case.loss), dict(data.options)
    if case.dim != 1 and "torch.nn" not in nlt.__name__:
        options["dim"] = case.dim
    return torch_eager.run(case, data.logits, lambda z: loss(z, data.target, **options))
