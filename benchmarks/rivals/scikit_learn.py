"""scikit-learn's metric."""

NAME = "sklearn log_loss"


def prepare(case, data):
    if case.task != "log_loss":
        return None
    import numpy as np
    from sklearn.metrics import log_loss

    labels = np.arange(data.logits.shape[1])
    y, p = data.target.numpy(), data.probabilities
    return lambda: (log_loss(y, p, labels=labels), None)
