"""neglog on NumPy arrays."""

import numpy as np

import neglog as nl

NAME = "neglog"


def prepare(case, data):
    if case.group != "numpy":
        return None
    z, y = data.logits.numpy(), data.target.numpy()
    if case.task == "forward":
        return lambda: (nl.losses.cross_entropy(z, y), None)
    if case.task == "gradient":
        return lambda: nl.losses.cross_entropy_grad(z, y)
    if case.task == "gradient_out":
        out = np.zeros_like(z)
        return lambda: nl.losses.cross_entropy_grad(z, y, out=out)
    p = data.probabilities
    return lambda: (nl.losses.log_loss(y, p), None)
