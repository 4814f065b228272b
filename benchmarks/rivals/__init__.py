"""One module a library: ``NAME`` and ``prepare(task, data) -> callable or None``.

The callable does the task once and returns ``(mean loss, gradient or None)``.
"""
