"""PyTorch through torch.compile; the first call, which compiles, is not timed."""

import torch

from benchmarks.rivals import torch_eager

NAME = "torch.compile"


def prepare(case, data):
    if case.task == "log_loss":
        return None
    torch._dynamo.reset()
    compiled = torch.compile(torch_eager.function(case, data), dynamic=False)
    return torch_eager.run(case, data.logits, compiled)
