"""NumPy arrays as the kernels for tensors take them: addresses, strides in elements, dtype codes."""

import numpy as np

FLOATS = {"float16": 0, "bfloat16": 1, "float32": 2, "float64": 3}
TARGETS = {"uint8": 0, "bool": 0, "int32": 1, "int64": 2} | {name: 3 + code for name, code in FLOATS.items()}
FORMULAS = {"bce": 0, "bce_with_logits": 1, "kl_div": 2, "kl_div_log_target": 3}


def address(array):
    return 0 if array is None else array.ctypes.data


def strides(array):
    return tuple(step // array.itemsize for step in array.strides)


def to_bfloat16(x):
    """The bits of x rounded to the nearest bfloat16, ties to even."""
    u = np.asarray(x, np.float32).view(np.uint32)
    return ((u + 0x7FFF + ((u >> 16) & 1)) >> 16).astype(np.uint16)


def from_bfloat16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def stored(x, name):
    """x rounded to the dtype of that name, bfloat16 as its bits."""
    return to_bfloat16(x) if name == "bfloat16" else np.asarray(x).astype(name)


def exact(array, name):
    return (from_bfloat16(array) if name == "bfloat16" else array).astype(np.float64)


def layouts(shape, dtype):
    """Empty arrays of one shape (outer, classes, inner) in every kind of memory order."""
    outer, classes, inner = shape
    word = "uint16" if dtype == "bfloat16" else dtype
    yield np.empty(shape, word)
    yield np.empty((outer, inner, classes), word).transpose(0, 2, 1)
    yield np.empty((inner, outer, classes), word).transpose(1, 2, 0)
    yield np.empty((outer, classes + 2, inner), word)[:, 1:-1]
    yield np.empty((outer, 2 * classes, 3 * inner), word)[:, ::2, ::3]
