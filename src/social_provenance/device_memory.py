"""Peak memory of a computation on a device, found from shapes alone.

Tensors are torch's fake ones, which have a shape and no content, so that a model of any size is measured in seconds on
a machine that could not hold it. A storage counts from its creation until it is freed, in the blocks of CUDA's
allocator. The workspaces and the context of CUDA and the fragmentation of its memory are not counted: :data:`RESERVE`
is left free for them. Attention counts as by a fused kernel, whose memory is proportional to the tokens, unless a model
is asked to compute it eagerly.
"""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 512
"""Bytes to which CUDA's allocator rounds up."""

RESERVE = 2 * 10**9
"""Bytes of a device that are left to CUDA itself."""


@dataclass
class Tally:
    """Bytes of the storages that are alive, and of the most that were alive at once since :meth:`restart`."""

    now: int = 0
    peak: int = 0
    _alive: dict[int, int] = field(default_factory=dict)

    def restart(self) -> None:
        self.peak = self.now

    def see(self, storage: Any) -> None:
        """Count a storage, once, until it is freed."""
        key = storage._cdata
        if key in self._alive:
            return
        size = -(-storage.nbytes() // BLOCK) * BLOCK
        self._alive[key] = size
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._free, key)

    def _free(self, key: int) -> None:
        self.now -= self._alive.pop(key)


@contextmanager
def counted() -> Iterator[Tally]:
    """Count the memory of all tensors that are made in the block; they have shapes and no content."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    tally = Tally()
    with FakeTensorMode(allow_non_fake_inputs=True), _watch(tally):
        yield tally


def _watch(tally: Tally) -> Any:
    """Return the mode of torch that shows every new storage to a tally."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = func(*args, **(kwargs or {}))
            for leaf in tree_leaves(made):
                if isinstance(leaf, torch.Tensor):
                    tally.see(leaf.untyped_storage())
            return made

    return Watch()  # type: ignore[no-untyped-call]


def memory_of_gpu() -> int | None:
    """Return the bytes of the smallest GPU of this machine; None if it has none."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return min((torch.cuda.get_device_properties(gpu).total_memory for gpu in range(count)), default=None)
