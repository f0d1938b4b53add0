"""One process or many: the few calls that differ, each harmless when there is one.

`torchrun --nproc-per-node 2 -m projects.plantdisease.train ...` starts the processes and says who is who.
"""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

T = TypeVar("T")


@contextmanager
def processes() -> Generator[None]:
    """Join the other processes of a `torchrun`, if this is one; leave them at the end."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    gpus = torch.cuda.device_count()
    if 0 < gpus < int(os.environ["LOCAL_WORLD_SIZE"]):
        raise ValueError(
            f"torchrun started {os.environ['LOCAL_WORLD_SIZE']} processes, but there are {gpus} GPUs; with an empty "
            "CUDA_VISIBLE_DEVICES they train on the CPU"
        )
    if gpus:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """Number of this process, 0 for the first or only one."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this process writes files and prints."""
    return rank() == 0


def print_once(text: str) -> None:
    """Print once, however many processes there are."""
    if is_first():
        print(text, flush=True)


def wrap(model: nn.Module) -> nn.Module:
    """The model itself, or the same model with its gradients averaged over all processes."""
    if world_size() == 1 or not any(p.requires_grad for p in model.parameters()):
        return model
    return DistributedDataParallel(model)


def from_first(make: Callable[[], T]) -> T:
    """What the first process makes, handed to all."""
    if world_size() == 1:
        return make()
    box: list[Any] = [make() if is_first() else None]
    dist.broadcast_object_list(box)
    return box[0]


def any_process(*flags: bool) -> list[bool]:
    """For each flag, whether it is raised in at least one process."""
    if world_size() == 1:
        return list(flags)
    raised = torch.tensor(flags, dtype=torch.float)
    dist.all_reduce(raised, dist.ReduceOp.MAX)
    return raised.bool().tolist()


def collect(value: T) -> list[T]:
    """The value of every process, in the order of their ranks."""
    if world_size() == 1:
        return [value]
    values: list[Any] = [None] * world_size()
    dist.all_gather_object(values, value)
    return values


def mean(numbers: dict[str, float]) -> dict[str, float]:
    """The mean of each number over all processes."""
    everyones = collect(numbers)
    return {name: sum(one[name] for one in everyones) / len(everyones) for name in numbers}


def share_buffers(model: nn.Module) -> None:
    """Give every process the first one's buffers, such as the running statistics of batch normalisation."""
    if world_size() > 1:
        for buffer in model.buffers():
            dist.broadcast(buffer, 0)


def interleave(shards: list[Tensor]) -> Tensor:
    """Undo `items[rank::world_size]`: the rows in their original order, none twice.

    >>> interleave([torch.tensor([0, 2, 4]), torch.tensor([1, 3])])
    tensor([0, 1, 2, 3, 4])
    """
    whole = shards[0].new_empty((sum(len(shard) for shard in shards), *shards[0].shape[1:]))
    for offset, shard in enumerate(shards):
        whole[offset :: len(shards)] = shard
    return whole
