"""neglog's families on NumPy arrays."""

import neglog as nl

NAME = "neglog"


def prepare(case, data):
    method = getattr(nl.family(case.family), case.task)
    if case.task == "nll":
        return lambda: method(data.y, *data.parameters)
    return lambda: method(data.y, *data.parameters)[0]
