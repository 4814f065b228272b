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
    deformation: int = 0,  # Deformation::Kind; 0 cross-entropy
    parameters: tuple[float, float, float, float] = ...,
    transition: int = 0,  # float64 (C, C)
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

# target_code: 0 uint8 / bool, 1 int32, 2 int64, 3 + dtype. `threads` is the upper limit.
# divisor_kind: 0 none (value is the sum, the gradient is multiplied by scale); 1 the number of entries that take part,
# 2 the sum of their weights, 3 of weight * entry weight: value = sum / divisor (the sum if it is 0) and the gradient is
# multiplied by scale / divisor. A first bad element or row is -1 if there is none; with one nothing else counts.

# formula: 0 bce, 1 bce_with_logits, 2 kl_div, 3 kl_div_log_target. Dense memory, n elements in one order. weight and
# pos_weight repeat with their period; entry_weight and mask (uint8) have one value per `run` elements in a row (1: per
# element), an entry, whose loss is the mean over its run. All weights are of weight_dtype. loss: (n / run,) float32, or
# float64 for float64 input; grad: like input, possibly input itself.
# -> (value, divisor, first bad input, first bad target)
def pointwise_strided(
    formula: int, n: int, dtype: int, input: int, target_code: int, target: int, weight_dtype: int, weight: int,
    weight_period: int, pos_weight: int, pos_period: int, entry_weight: int, mask: int, run: int, loss: int, grad: int,
    divisor_kind: int, scale: float, threads: int,
) -> tuple[float, float, int, int]: ...  # fmt: skip

# weight: float64 (classes,); target, sample_weight (float64), mask (uint8), loss: contiguous (outer, inner). The
# gradient is written everywhere, zero where no target is. -> (value, divisor, first bad target, first bad input), rows
def gather_nll_strided(
    dtype: int, outer: int, classes: int, inner: int, log_probs: int, strides: Strides, target: int,
    target_code: int, weight: int, sample_weight: int, mask: int, has_ignore: bool, ignore_index: int, loss: int,
    grad: int, grad_strides: Strides, divisor_kind: int, scale: float, threads: int,
) -> tuple[float, float, int, int]: ...  # fmt: skip

# One read of each row: log-probability of the target, logsumexp, entropy (float32, float64 for float64 logits), argmax
# (the first of the largest) and rank (how many logits are larger than the target's), contiguous (outer, inner), 0 for
# what is not wanted. A masked row is not read and gets 0, 0, 0, 0, -1, an ignored one log_prob 0 and rank -1; without a
# target neither is written. class_mask: uint8 (classes,). -> first row whose target is no class, or -1
def logit_stats(
    dtype: int, outer: int, classes: int, inner: int, logits: int, strides: Strides, target: int, target_code: int,
    has_ignore: bool, ignore_index: int, mask: int, class_mask: int, temperature: float, softcap: float, log_prob: int,
    lse: int, entropy: int, argmax: int, rank: int, threads: int,
) -> int: ...  # fmt: skip

# The gradient of that from what comes back to the first three, each (outer, inner) of their dtype or 0.
def logit_stats_back(
    dtype: int, outer: int, classes: int, inner: int, logits: int, strides: Strides, target: int, target_code: int,
    has_ignore: bool, ignore_index: int, mask: int, class_mask: int, temperature: float, softcap: float,
    to_log_prob: int, to_lse: int, to_entropy: int, grad: int, grad_strides: Strides, threads: int,
) -> None: ...  # fmt: skip

# upstream: (outer, inner) float32, float64 for float64 logits
def logsumexp_back_strided(
    dtype: int, outer: int, classes: int, inner: int, logits: int, strides: Strides, upstream: int, grad: int,
    grad_strides: Strides, threads: int,
) -> None: ...  # fmt: skip

# upstream: like the logits; grad may be upstream itself
def log_softmax_back_strided(
    dtype: int, outer: int, classes: int, inner: int, logits: int, strides: Strides, upstream: int,
    upstream_strides: Strides, grad: int, grad_strides: Strides, threads: int,
) -> None: ...  # fmt: skip

# A pass over rows under a Gaussian mixture; what the arrays hold: native/mixtures.hpp.
def mixture_pass(
    x: NDArray[Any], diagonal: bool, means: NDArray[np.float64], whiten: NDArray[np.float64],
    offset: NDArray[np.float64], weight: NDArray[np.float64] | None, nll: NDArray[np.float64] | None,
    posterior: NDArray[np.float64] | None, sums: NDArray[np.float64] | None,
) -> None: ...  # fmt: skip
def __getattr__(name: str) -> Any: ...  # pyright: ignore[reportIncompleteStub]
