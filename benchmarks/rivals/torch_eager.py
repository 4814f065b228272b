"""PyTorch as people write it."""

import torch.nn.functional as F

NAME = "torch eager"


def run(case, logits, loss):
    """The callable for any function logits -> mean loss of tensors."""
    if case.task == "forward":
        return lambda: (loss(logits), None)
    z = logits.clone().requires_grad_()

    def gradient():
        z.grad = None  # a fresh gradient each time, as after optimizer.zero_grad()
        value = loss(z)
        value.backward()
        return value, z.grad

    return gradient


def function(case, data):
    """torch's loss of the logits, in the form that costs it least: classes along dim 1, last ones by a free view."""
    loss, y, options = getattr(F, case.loss), data.target, data.options
    if case.dim == 1:
        return lambda z: loss(z, y, **options)
    y = y.flatten()
    return lambda z: loss(z.flatten(0, -2), y, **options)


def prepare(case, data):
    return None if case.task == "log_loss" else run(case, data.logits, function(case, data))
