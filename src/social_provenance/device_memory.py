"""Peak memory of a computation on a device, found from shapes alone.

Tensors are torch's fake ones, which have a shape and no content, so that a model of any size is measured in seconds on
a machine that could not hold it. A storage counts from its creation until it is freed, in the blocks of CUDA's
allocator. The workspaces and the context of CUDA and the fragmentation of its memory are not counted: :data:`RESERVE`
is left free for them. Attention counts as by a fused kernel, whose memory is proportional to the tokens, unless a model
is asked to compute it eagerly.
"""

from __future__ import annotations

import copy
import logging
import warnings
import weakref
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from social_provenance.processes import worker_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch

logger = logging.getLogger(__name__)

BLOCK = 512
"""Bytes to which CUDA's allocator rounds up."""

GIGABYTE = 10**9
RESERVE = 2 * GIGABYTE
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


def found(measure: Callable[[], int], what: str) -> int | None:
    """Return the bytes that a function measures; None, with a warning, if they cannot be found from shapes.

    Nothing ends for that: what selects by the content of tensors, or copies a model, may fit all the same.

    Args:
        measure: Follows a computation.
        what: What it follows, for the warning.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            return measure()
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")[:120]
        logger.warning("the GPU memory of %s is not known (%s: %s)", what, type(error).__name__, reason)
        return None


def trial(function: Callable[..., float], *arguments: Any) -> float | None:
    """Return the result of a trial on the device; None if that has too little memory.

    On a GPU it has a process of its own, whose memory is free again afterwards.

    Args:
        function: A function of a module, which another process can import.
        arguments: Its arguments.
    """
    import torch

    if not torch.cuda.is_available():
        return _within_memory(function, *arguments)
    with worker_pool(1) as pool:
        return pool.submit(_within_memory, function, *arguments).result()


def _within_memory(function: Callable[..., float], *arguments: Any) -> float | None:
    import torch

    try:
        return function(*arguments)
    except torch.OutOfMemoryError:
        return None


@contextmanager
def counted() -> Iterator[Tally]:
    """Count the memory of all tensors that are made in the block; they have shapes and no content."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    tally = Tally()
    with FakeTensorMode(allow_non_fake_inputs=True), _watch(tally):
        yield tally


def place(model: Any) -> Any:
    """Return a model of torch's meta device with its weights on the device whose memory is counted.

    Call it inside :func:`counted`. Weights that modules share stay shared.
    """
    import torch

    placed: dict[int, tuple[Any, Any]] = {}
    for module in model.modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in tensors.items():
                if tensor is None:
                    continue
                if id(tensor) not in placed:
                    own = torch.empty(tensor.shape, dtype=tensor.dtype)
                    weight = isinstance(tensor, torch.nn.Parameter)
                    new = torch.nn.Parameter(own, requires_grad=tensor.requires_grad) if weight else own
                    placed[id(tensor)] = (tensor, new)  # the old one is kept, so that its id is not given away
                tensors[name] = placed[id(tensor)][1]
    return model


def empty_model(config: Any, precision: str = "fp32", **asked: Any) -> Any:
    """Return the model of a configuration without weights, on torch's meta device.

    Args:
        config: Its transformers configuration.
        precision: ``bf16``, or any other for fp32.
        asked: Further arguments of ``AutoModelForCausalLM.from_config``.
    """
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        return AutoModelForCausalLM.from_config(copy.deepcopy(config), dtype=kind, **asked)  # which it would change


def _watch(tally: Tally) -> Any:
    """Return the mode of torch that shows every new storage to a tally."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.ops.aten._local_scalar_dense.default:
                return 1.0 if args[0].dtype.is_floating_point else 1  # it has no content that could be read
            made = func(*args, **(kwargs or {}))
            for leaf in tree_leaves(made):
                if isinstance(leaf, torch.Tensor):
                    tally.see(leaf.untyped_storage())
            return made

    return Watch()  # type: ignore[no-untyped-call]


def compute_device() -> torch.device:
    """Return the device that comparisons of gradients are computed on: the first GPU where there is one."""
    import torch

    return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


def memory_of_gpu() -> int | None:
    """Return the bytes of the smallest GPU of this machine; None if it has none."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return min((torch.cuda.get_device_properties(gpu).total_memory for gpu in range(count)), default=None)
