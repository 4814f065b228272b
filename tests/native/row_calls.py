"""Random calls of the strided row kernels beside the definitions in extended precision, on the instruction set in use.

Run as a script it tries as many calls as its argument says; tests/native/test_row_calls.py does so on every set.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from neglog import _native

Array = np.ndarray[Any, Any]
NONE, COUNT, ENTRIES, WEIGHTS = range(4)  # divisor kinds
INDEX_TYPES = (np.uint8, np.int32, np.int64)


@dataclass
class Storage:
    """A dtype of the kernels: how its numbers are kept and what arithmetic on them promises."""

    code: int
    kept: type
    result: type
    gradient: float  # absolute error of a gradient of unit scale, before it is rounded to `kept`
    half_ulp: float  # of that rounding, relative

    def encode(self, x: Array) -> Array:
        if self.code != 1:
            return x.astype(self.kept)
        u = x.astype(np.float32).view(np.uint32)
        return ((u + 0x7FFF + ((u >> 16) & 1)) >> 16).astype(np.uint16)

    def decode(self, x: Array) -> Array:
        if self.code != 1:
            return x.astype(np.longdouble)
        return (x.astype(np.uint32) << 16).view(np.float32).astype(np.longdouble)


STORAGES = (
    Storage(0, np.float16, np.float32, 2e-7, 2**-11),
    Storage(1, np.uint16, np.float32, 2e-7, 2**-8),
    Storage(2, np.float32, np.float32, 2e-7, 0.0),
    Storage(3, np.float64, np.float64, 2e-15, 0.0),
)


@dataclass
class Call:
    """Arguments as arrays of shape (outer, C, inner) and (outer, inner)."""

    storage: Storage
    logits: Array
    target: Array  # indices or probabilities
    weight: Array | None = None
    sample_weight: Array | None = None
    mask: Array | None = None
    class_mask: Array | None = None
    ignore_index: int | None = None
    smoothing: float = 0.0
    temperature: float = 1.0
    softcap: float = 0.0
    z_loss: float = 0.0
    divisor: int = NONE
    scale: float = 1.0
    threads: int = 2

    @property
    def by_index(self) -> bool:
        return self.target.ndim == 2


@dataclass
class Truth:
    value: Array
    divisor: float
    losses: Array
    gradient: Array
    condition: Array  # |loss| times the condition number in the transformed logits, per row
    swayed: Array  # what relative errors of the logits' distances from the top move the gradient by


def reference(call: Call) -> Truth:
    """The definitions, in extended precision and without any care for speed."""
    z = call.storage.decode(call.logits)
    outer, classes, inner = z.shape
    took_part = np.ones((outer, inner), bool) if call.mask is None else call.mask.astype(bool)
    rows = np.ones((outer, inner), np.longdouble) if call.sample_weight is None else call.sample_weight
    rows = rows.astype(np.longdouble)
    took_part = took_part & (rows != 0)
    weight = np.ones(classes) if call.weight is None else call.weight
    share = np.ones((outer, inner)) if call.divisor == COUNT else rows.copy()
    if call.by_index:
        took_part &= True if call.ignore_index is None else call.target != call.ignore_index
        y = np.where(took_part, call.target, 0).astype(np.int64)
        t = (np.arange(classes)[None, :, None] == y[:, None, :]).astype(np.longdouble)
        share = share * weight[y] if call.divisor == WEIGHTS else share
    else:
        t = call.storage.decode(call.target)
    divisor = float(np.where(took_part, share, 0).sum())
    with np.errstate(all="ignore"):
        u = z / call.softcap if call.softcap else z
        capped = call.softcap * np.tanh(u) if call.softcap else z
        slope = np.where(z == -np.inf, 1, 1 / np.cosh(u) ** 2 if call.softcap else 1) / call.temperature
        zp = np.where(z == -np.inf, z, capped / call.temperature)  # a class that is gone stays so
        if call.class_mask is not None:
            gone = (call.class_mask == 0)[None, :, None]
            zp, slope = np.where(gone, -np.inf, zp), np.where(gone, 0, slope)
        live = zp > -np.inf
        top = zp.max(axis=1, keepdims=True)
        e = np.where(live, np.exp(zp - top), 0)
        lead = zp.argmax(axis=1, keepdims=True)
        others = np.where(np.arange(classes)[None, :, None] == lead, 0, e).sum(axis=1, keepdims=True)
        p, log_total = e / (1 + others), np.log1p(others)
        lse = top + log_total
        a = (1 - np.longdouble(call.smoothing)) * t
        if call.smoothing:
            a = a + np.where(live, np.longdouble(call.smoothing) / live.sum(axis=1, keepdims=True), 0)
        a = a * weight[None, :, None]
        mass = a.sum(axis=1, keepdims=True)
        losses = np.where(a == 0, 0, a * (log_total - (zp - top))).sum(axis=1) + (call.z_loss * mass * lse**2)[:, 0]
        steeper = 2 * call.z_loss * lse * mass
        at_lead = (mass - a) + (steeper - mass * others) / (1 + others)
        slopes = np.where(np.arange(classes)[None, :, None] == lead, at_lead, p * (mass + steeper) - a)
        moved = np.where(live, np.abs(zp * slopes), 0).sum(axis=1) + 2 * np.abs(losses)
        gradient = np.where(slope == 0, 0, slopes * slope)
        distance = np.where(live, top - zp, 0)
        swayed = p * mass * (distance + (p * distance).sum(axis=1, keepdims=True)) * np.abs(slope)
        swayed = np.where(took_part[:, None, :], swayed * np.abs(rows[:, None, :]), 0)
        losses = np.where(took_part, losses * rows, 0)
        condition = np.where(took_part, moved * np.abs(rows), 0)
    divided = divisor if call.divisor != NONE and divisor != 0 else 1.0
    gradient = np.where(took_part[:, None, :], gradient * rows[:, None, :], 0) * (call.scale / divided)
    return Truth(losses.sum() / divided, divisor, losses, gradient, condition, swayed * abs(call.scale / divided))


def address(array: Array | None) -> int:
    return 0 if array is None else array.ctypes.data


def strides(array: Array) -> tuple[int, ...]:
    return tuple(s // array.itemsize for s in array.strides)


def run(call: Call, grad: Array | None, losses: Array | None) -> tuple[float, float, int]:
    """The kernel on a call."""
    target = np.ascontiguousarray(call.target) if call.by_index else call.target
    code = INDEX_TYPES.index(target.dtype.type) if call.by_index else 3
    return _native.softmax_nll_strided(
        call.storage.code, *call.logits.shape, address(call.logits), strides(call.logits),
        address(target), code, (0, 0, 0) if call.by_index else strides(target),
        address(call.weight), address(call.sample_weight), address(call.mask), address(call.class_mask),
        call.ignore_index is not None, call.ignore_index or 0, call.smoothing, call.temperature, call.softcap,
        call.z_loss, address(losses), address(grad), (0, 0, 0) if grad is None else strides(grad),
        call.divisor, call.scale, call.threads,
    )  # fmt: skip


def lay_out(rng: np.random.Generator, values: Array) -> Array:
    """The same values with other strides: permuted, cut out of something larger, every other element."""
    order = rng.permutation(3) if rng.random() < 0.7 else np.arange(3)
    shape = [values.shape[i] for i in order]
    extra, step = rng.integers(0, 3, 3), rng.choice([1, 1, 2], 3)
    memory = np.zeros([n * s + e for n, s, e in zip(shape, step, extra, strict=True)], values.dtype)
    cut = memory[tuple(slice(0, n * s, s) for n, s in zip(shape, step, strict=True))]
    view = cut.transpose(np.argsort(order))
    view[...] = values
    return view


def draw(rng: np.random.Generator, transforms: bool) -> Call:
    """Any combination of options on a small problem; sizes on both sides of every path's limits."""
    storage = STORAGES[rng.integers(4)]
    classes = int(rng.choice([1, 2, 2, 3, 10, 17, 100, 511, 513, 600, 1030, 2100]))
    most = 40 if classes > 100 else 150
    outer, inner = int(rng.integers(1, 5)), int(rng.integers(1, most))
    if rng.random() < 0.4:
        outer, inner = inner, outer
    z = rng.standard_normal((outer, classes, inner)) * rng.choice([0.1, 3, 20])
    if rng.random() < 0.2:
        z[rng.random(z.shape) < 0.1] = -np.inf
        z[:, 0] = 0.0
    call = Call(storage, lay_out(rng, storage.encode(z)), np.empty(0))
    if rng.random() < 0.3:
        q = rng.random((outer, classes, inner)) * (rng.random((outer, classes, inner)) < 0.5)
        call.target = lay_out(rng, storage.encode(q / np.maximum(q.sum(axis=1, keepdims=True), 1)))
    else:
        kind = INDEX_TYPES[rng.integers(3)]
        call.target = rng.integers(0, min(classes, 250), (outer, inner)).astype(kind)
        if rng.random() < 0.5:
            call.ignore_index = int(rng.choice([-100, 0, 255]))
            if call.ignore_index >= 0 or kind is not np.uint8:
                call.target[rng.random((outer, inner)) < rng.choice([0.0, 0.01, 0.5])] = call.ignore_index
    if rng.random() < 0.3:
        call.weight = rng.random(classes) * (rng.random(classes) < 0.9)
    if rng.random() < 0.3:
        call.sample_weight = rng.random((outer, inner)) * (rng.random((outer, inner)) < 0.9)
    if rng.random() < 0.3:
        call.mask = (rng.random((outer, inner)) < 0.8).astype(np.uint8)
    if rng.random() < 0.3:
        call.smoothing = float(rng.choice([0.1, 1.0]))
    call.divisor = int(rng.integers(4))
    call.scale = float(rng.choice([1.0, -0.5, 1024.0]))
    call.threads = int(rng.integers(1, 3))
    if transforms:
        if rng.random() < 0.5:
            call.temperature = float(rng.choice([0.5, 3.0]))
        if rng.random() < 0.5:
            call.softcap = float(rng.choice([1.0, 30.0]))
        if rng.random() < 0.5:
            call.z_loss = float(rng.choice([1e-4, 0.5]))
        if rng.random() < 0.5:
            call.class_mask = (rng.random(classes) < 0.7).astype(np.uint8)
            call.class_mask[0] = 1
    return call


def check(call: Call, rng: np.random.Generator) -> None:
    """Value, divisor, losses and gradient of one call, with and without a gradient."""
    truth = reference(call)
    unit = 2.0**-52 if call.storage.code == 3 else 2.0**-23
    losses = np.full(call.target.shape if call.by_index else call.target[:, 0].shape, np.nan, call.storage.result)
    value, divisor, bad = run(call, None, losses)
    assert bad == -1, bad
    least = np.finfo(call.storage.result).smallest_subnormal
    within(losses, truth.losses, 8 * unit * truth.condition + least, "losses")
    divided = truth.divisor if call.divisor != NONE and truth.divisor != 0 else 1.0
    within(value, truth.value, 8 * unit * truth.condition.sum() / abs(divided), "value")
    within(divisor, truth.divisor if call.divisor != NONE else 1.0, 1e-14 * abs(truth.divisor), "divisor")
    canary = np.full(call.logits.shape, 7, call.logits.dtype)
    grad = lay_out(rng, canary)
    again, divisor_again, _ = run(call, grad, None)
    assert divisor_again == divisor
    within(again, truth.value, 8 * unit * truth.condition.sum() / abs(divided), "value beside the gradient")
    rows = np.ones(losses.shape) if call.sample_weight is None else np.abs(call.sample_weight)
    weight = 1.0 if call.weight is None else max(call.weight.max(), 1.0)
    steep = max(1.0, 1 / call.temperature) * (1 + 2 * call.z_loss * np.abs(np.nan_to_num(lse_bound(call))))
    scale = (rows[:, None, :] * weight * steep * abs(call.scale) / abs(divided)).astype(np.float64)
    want = truth.gradient
    # the factor of the row is rounded, and so is the product with it
    allowed = call.storage.gradient * scale + np.abs(want) * (unit + call.storage.half_ulp)
    if call.softcap:
        allowed = allowed + 2 * unit * truth.swayed  # two exponentials and a division
    if call.storage.code == 0:
        allowed += 2.0**-25  # half a unit of the smallest number
    got = call.storage.decode(grad)
    with np.errstate(all="ignore"):
        want = np.where(np.abs(want) > 65519, np.sign(want) * np.inf, want) if call.storage.code == 0 else want
    within(got, want, allowed, "gradient")


def lse_bound(call: Call) -> Array:
    """A bound of |logsumexp| per row: what a rounding of the z-loss is relative to."""
    z = np.abs(call.storage.decode(call.logits).astype(np.float64))
    z[~np.isfinite(z)] = 0
    return (z.max(axis=1, keepdims=True) / call.temperature + np.log(call.logits.shape[1]) + 1).astype(np.float64)


def within(got: Any, want: Any, allowed: Any, what: str) -> None:
    got, want = np.asarray(got, np.longdouble), np.asarray(want, np.longdouble)
    with np.errstate(all="ignore"):
        good = (got == want) | (np.isnan(got) & np.isnan(want)) | (np.abs(got - want) <= allowed)
    if not good.all():
        at = tuple(int(i) for i in np.argwhere(~good)[0])
        allowed = np.broadcast_to(allowed, good.shape)
        raise AssertionError(f"{what}{list(at)}: {got[at]} for {want[at]}, allowed {allowed[at]}")


def main(calls: int, transforms: bool = True) -> None:
    for seed in range(calls):
        rng = np.random.default_rng(seed)
        call = draw(rng, transforms)
        try:
            check(call, rng)
        except AssertionError as error:
            options = {k: v if np.ndim(v) == 0 else np.shape(v) for k, v in vars(call).items()}
            raise AssertionError(f"seed {seed}: {error}; {options}") from None
    print(_native.isa())


if __name__ == "__main__":
    main(int(sys.argv[1]), *(bool(int(a)) for a in sys.argv[2:]))
