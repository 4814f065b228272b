"""One module a library: ``NAME`` and ``prepare(case, data) -> callable or None``.

The callable does the task once and returns ``(mean loss, gradient or None)``.
"""
