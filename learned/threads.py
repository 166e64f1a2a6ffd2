"""How many threads PyTorch may use."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Use so many threads inside the block.

    The tensors here are small: a second thread helps little, and where another process wants its core, it costs ten
    times what it brings.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
