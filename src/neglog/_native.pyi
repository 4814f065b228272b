# The native core, as type checkers see it. Kernels take arrays that their callers have checked, so only what is held
# and passed on has a type of its own here.
from typing import Any

import numpy as np
from numpy.typing import NDArray

class ExactSums:
    def __init__(self, k: int) -> None: ...
    def __len__(self) -> int: ...
    def add(self, index: NDArray[np.int64] | None, *factors: NDArray[np.float64]) -> None: ...
    def add_words(self, index: int, chunk: int, words: bytes) -> None: ...
    def merge(self, other: ExactSums) -> None: ...
    def total(self) -> ExactSums: ...
    def copy(self) -> ExactSums: ...
    def fractions(self) -> list[tuple[int, int] | float]: ...

def isa() -> str: ...
def available_isas() -> list[str]: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int) -> None: ...
def advise_huge(address: int, bytes: int) -> None: ...

# Memory by address: 0 is None; strides count elements; dtypes are 0 float16, 1 bfloat16, 2 float32, 3 float64.
Strides = tuple[int, int, int]  # (outer, class, inner)

def softmax_nll_strided(
    dtype: int,
    outer: int,
    classes: int,
    inner: int,
    logits: int,
    logits_strides: Strides,
    target: int,
    target_code: int,  # 0 uint8, 1 int32, 2 int64 (contiguous), 3 probabilities of the logits' dtype
    target_strides: Strides,  # of probabilities
    weight: int,  # float64 (C,)
    sample_weight: int,  # float64 (outer, inner)
    mask: int,  # uint8 (outer, inner)
    class_mask: int,  # uint8 (C,)
    has_ignore: bool,
    ignore_index: int,
    label_smoothing: float,
    temperature: float,
    softcap: float,  # 0: none
    z_loss: float,
    loss: int,  # float32 or float64 (outer, inner)
    grad: int,  # the logits' dtype
    grad_strides: Strides,
    divisor_kind: int,  # 0 none, 1 count, 2 sample weights, 3 class weights * sample weights
    scale: float,  # of the gradient, which is divided by the divisor too
    threads: int,
) -> tuple[float, float, int]: ...  # sum / divisor (the sum if that is 0), divisor, first bad row or -1
def logsumexp_strided(
    dtype: int,
    outer: int,
    classes: int,
    inner: int,
    logits: int,
    strides: Strides,
    lse: int,  # float32 or float64 (outer, inner)
    out: int,  # log_softmax or softmax, the logits' dtype
    out_strides: Strides,
    probabilities: bool,
    threads: int,
) -> None: ...
def __getattr__(name: str) -> Any: ...  # pyright: ignore[reportIncompleteStub]
