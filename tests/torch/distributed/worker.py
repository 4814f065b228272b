"""One of several processes: every scenario against the whole batch, which each process also holds.

``python worker.py RANK RANKS STORE RESULTS``: writes ``{scenario: "ok" or the traceback}`` as JSON.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

import neglog as nl
import neglog.torch as nlt

FEATURES, CLASSES = 6, 5
SIZES = (7, 12, 4)  # rows of each rank; the last rank has nothing that takes part
Scenario = Callable[[int], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(FEATURES, 8), torch.nn.Tanh(), torch.nn.Linear(8, CLASSES)).double()


def data() -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(1)
    rows = sum(SIZES)
    y = torch.randint(0, CLASSES, (rows,), generator=g)
    y[torch.rand(rows, generator=g) < 0.3] = -100
    y[-SIZES[-1] :] = -100
    mask = torch.rand(rows, generator=g) < 0.7
    mask[-SIZES[-1] :] = False
    return {
        "x": torch.randn(rows, FEATURES, generator=g, dtype=torch.float64),
        "y": y,
        "q": torch.rand(rows, CLASSES, generator=g, dtype=torch.float64),
        "m": mask,
        "s": torch.rand(rows, generator=g, dtype=torch.float64),
        "w": torch.rand(CLASSES, generator=g, dtype=torch.float64) + 0.1,
    }


def mine(rank: int) -> dict[str, torch.Tensor]:
    start = sum(SIZES[:rank])
    return {k: v if k == "w" else v[start : start + SIZES[rank]] for k, v in data().items()}


LOSSES: dict[str, Callable[[torch.Tensor, dict[str, torch.Tensor], Any], torch.Tensor]] = {
    "cross_entropy": lambda z, d, n: nlt.cross_entropy(z, d["y"], denominator=n),
    "smoothed": lambda z, d, n: nlt.cross_entropy(
        z, d["y"], d["w"], label_smoothing=0.1, sample_weight=d["s"], mask=d["m"], z_loss=1e-3, denominator=n
    ),
    "probabilities": lambda z, d, n: nlt.cross_entropy(z, d["q"], d["w"], mask=d["m"], denominator=n),
    "module": lambda z, d, n: nlt.CrossEntropyLoss(d["w"])(z, d["y"], denominator=n),
    "nll": lambda z, d, n: nlt.nll_loss(nlt.log_softmax(z, 1), d["y"], d["w"], denominator=n),
    "binary": lambda z, d, n: nlt.binary_cross_entropy_with_logits(
        z, d["q"], d["w"], mask=d["m"][:, None].expand_as(z), denominator=n
    ),
    "bce": lambda z, d, n: nlt.binary_cross_entropy(
        z.sigmoid(), d["q"], mask=d["m"][:, None].expand_as(z), denominator=n
    ),
    "multilabel": lambda z, d, n: nlt.multilabel_soft_margin_loss(
        z, d["q"], sample_weight=d["s"], mask=d["m"], denominator=n
    ),
    "kl": lambda z, d, n: nlt.kl_div(
        z.log_softmax(1), d["q"], sample_weight=d["s"][:, None].expand_as(z), denominator=n
    ),
}


def whole(loss: str) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Value and gradients of the whole batch on one process."""
    net, everything = model(), data()
    value = LOSSES[loss](net(everything["x"]), everything, None)
    return value.detach(), list(torch.autograd.grad(value, list(net.parameters())))


def gradients(net: torch.nn.Module) -> list[torch.Tensor]:
    found = [p.grad for p in net.parameters()]
    assert all(g is not None for g in found)
    return [g.full_tensor() if hasattr(g, "full_tensor") else g for g in found]


def same(actual: Any, expected: Any) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-12, atol=1e-15)


def average(value: torch.Tensor) -> torch.Tensor:
    total = value.detach().clone()
    dist.all_reduce(total)
    return total / dist.get_world_size()


def group() -> Any:
    return dist.group.WORLD


@scenario
def ddp_every_loss(rank: int) -> None:
    for name, loss in LOSSES.items():
        net, local = DistributedDataParallel(model()), mine(rank)
        value = loss(net(local["x"]), local, group())
        value.backward()
        expected, expected_gradients = whole(name)
        same(average(value), expected)
        same(gradients(net), expected_gradients)


@scenario
def means_of_means_are_wrong(rank: int) -> None:
    # what the denominator is there for; without this the other scenarios would prove nothing
    net, local = DistributedDataParallel(model()), mine(rank)
    nlt.cross_entropy(net(local["x"]), local["y"]).backward()
    _, expected = whole("cross_entropy")
    assert max((a - b).abs().max().item() for a, b in zip(gradients(net), expected, strict=True)) > 1e-3


@scenario
def accumulation_with_total_weight(rank: int) -> None:
    # micro-batches of 3 rows, a different number of them on each rank
    net, local = DistributedDataParallel(model()), mine(rank)
    parts = [slice(i, i + 3) for i in range(0, SIZES[rank], 3)]
    take = {k: [v if k == "w" else v[p] for p in parts] for k, v in local.items()}
    total = nlt.total_weight(local["y"], local["w"], sample_weight=local["s"], mask=local["m"], group=group())
    assert total.shape == () and total.dtype == torch.float64 and not total.requires_grad
    for i in range(len(parts)):
        part = {k: v[i] for k, v in take.items()}

        def step(part: dict[str, torch.Tensor] = part) -> None:
            LOSSES["smoothed"](net(part["x"]), part, total).backward()

        if i < len(parts) - 1:
            with net.no_sync():
                step()
        else:
            step()
    same(gradients(net), whole("smoothed")[1])


@scenario
def total_weights_of_micro_batches_add_up(rank: int) -> None:
    local = mine(rank)
    first, second = (nlt.total_weight(local["y"][p], group=group()) for p in (slice(0, 2), slice(2, None)))
    same(first + second, nlt.total_weight(local["y"], group=group()))
    same(first + second, nlt.total_weight(data()["y"]) / len(SIZES))


@scenario
def fully_sharded(rank: int) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (len(SIZES),))
    for name in ("smoothed", "binary"):
        net, local = model(), mine(rank)
        for layer in net:
            if isinstance(layer, torch.nn.Linear):
                fully_shard(layer, mesh=mesh)
        fully_shard(net, mesh=mesh)
        value = LOSSES[name](net(local["x"]), local, mesh.get_group())
        value.backward()
        expected, expected_gradients = whole(name)
        same(average(value), expected)
        same(gradients(net), expected_gradients)


@scenario
def distributed_tensors(rank: int) -> None:
    # DTensors in the batch: the mean is that of the whole (torch 2.13 returns the mean of the ranks' means)
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    mesh, everything = init_device_mesh("cpu", (len(SIZES),)), data()
    z = model()(everything["x"]).detach()
    for placement in (Replicate(), Shard(0)):
        for reduction in ("mean", "none"):
            logits = distribute_tensor(z, mesh, [placement]).requires_grad_()
            target = distribute_tensor(everything["y"], mesh, [placement])
            value = nlt.cross_entropy(logits, target, reduction=reduction)
            value.sum().backward()
            plain = z.clone().requires_grad_()
            expected = nlt.cross_entropy(plain, everything["y"], reduction=reduction)
            expected.sum().backward()
            same(value.full_tensor(), expected)
            same(logits.grad.full_tensor(), plain.grad)


@scenario
def a_group_of_two(rank: int) -> None:
    pair = dist.new_group([0, 1])
    if rank == 2:
        return
    local, two = mine(rank), data()
    two = {k: v if k == "w" else v[: SIZES[0] + SIZES[1]] for k, v in two.items()}
    net = DistributedDataParallel(model(), process_group=pair)
    LOSSES["smoothed"](net(local["x"]), local, pair).backward()
    alone = model()
    expected = torch.autograd.grad(LOSSES["smoothed"](alone(two["x"]), two, None), list(alone.parameters()))
    same(gradients(net), list(expected))


@scenario
def nobody_has_anything(rank: int) -> None:
    net, local = DistributedDataParallel(model()), mine(rank)
    value = nlt.cross_entropy(net(local["x"]), torch.full_like(local["y"], -100), denominator=group())
    value.backward()
    assert value == 0 and all(g.eq(0).all() for g in gradients(net))


@scenario
def only_the_mean_has_a_denominator(rank: int) -> None:
    local = mine(rank)
    for reduction in ("sum", "none"):
        try:
            nlt.cross_entropy(torch.zeros(SIZES[rank], CLASSES), local["y"], reduction=reduction, denominator=group())
        except nl.ParameterError as error:
            assert "denominator" in str(error)
        else:
            raise AssertionError(reduction)


@scenario
def float32_and_bfloat16(rank: int) -> None:
    local = mine(rank)
    for dtype in (torch.float32, torch.bfloat16):
        z = torch.zeros(SIZES[rank], CLASSES, dtype=dtype, requires_grad=True)
        value = nlt.cross_entropy(z, local["y"], denominator=group())
        assert value.dtype == torch.float32
        same(average(value.double()), torch.tensor(CLASSES, dtype=torch.float64).log().float().double())


@scenario
def compiled(rank: int) -> None:
    def loss(z: torch.Tensor, y: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return nlt.cross_entropy(z, y, w, denominator=group()) + nlt.cross_entropy(
            z, y, denominator=nlt.total_weight(y, w, group=group())
        )

    local = mine(rank)
    z = model()(local["x"]).detach().requires_grad_()
    expected = loss(z, local["y"], local["w"])
    wanted = torch.autograd.grad(expected, z)
    value = torch.compile(loss, fullgraph=True, backend="aot_eager")(z, local["y"], local["w"])
    same(value, expected)
    same(torch.autograd.grad(value, z), wanted)


def main(rank: int, ranks: int, store: str, results: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=ranks)
    found: dict[str, str] = {}
    for name, run in SCENARIOS.items():
        try:
            run(rank)
            found[name] = "ok"
        except Exception:
            found[name] = traceback.format_exc()
            break  # the other ranks may wait for this one: nothing after it is meaningful
        finally:
            with open(f"{results}.{rank}", "w") as file:
                json.dump(found, file)
        dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
