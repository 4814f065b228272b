"""Both ways to a value: every test that takes ``way`` runs on the kernels and on the reference in torch ops."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def seed() -> None:
    """The same numbers whichever tests ran before."""
    torch.manual_seed(0)


@pytest.fixture(params=["kernel", "reference"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which of the two computes; the reference, which other devices take, is forced on the CPU."""
    if request.param == "reference":
        force_reference(monkeypatch)
    return request.param


def force_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    from neglog.torch.routing import Way

    def reference(*_: Any) -> Way:
        return Way.REFERENCE

    for name, module in list(sys.modules.items()):
        if name.startswith("neglog.torch") and hasattr(module, "way_for"):
            monkeypatch.setattr(module, "way_for", reference)


@pytest.fixture
def compiled() -> Iterator[Callable[..., Any]]:
    """``torch.compile(fullgraph=True)`` with nothing left over from other tests."""
    torch.compiler.reset()

    def compile_(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        return torch.compile(function, **{"fullgraph": True, **options})

    yield compile_
    torch.compiler.reset()
