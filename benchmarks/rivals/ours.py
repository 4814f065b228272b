"""neglog."""

import numpy as np

import neglog as nl

NAME = "neglog"


def prepare(task, data):
    z, y = data.logits, data.target
    if task == "forward":
        return lambda: (nl.losses.cross_entropy(z, y), None)
    if task == "gradient":
        return lambda: nl.losses.cross_entropy_grad(z, y)
    if task == "gradient_out":
        out = np.zeros_like(z)
        return lambda: nl.losses.cross_entropy_grad(z, y, out=out)
    p = data.probabilities
    return lambda: (nl.losses.log_loss(y, p), None)
