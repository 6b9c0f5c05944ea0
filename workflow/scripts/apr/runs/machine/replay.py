"""Work that is the same for every batch, recorded once on a GPU and replayed: one launch in place of a thousand."""

from collections.abc import Callable

import torch

WARM = 3  # calls before the recording, in which libraries choose their kernels and momenta come into being


class Replay:
    """A function of tensors of one shape that works on the device alone and returns a tensor.

    It is recorded as a CUDA graph after `WARM` calls; the results stay equal bit for bit (tests/gpu). Calls with fewer
    rows (the last batch of a pass) run the function itself. Whatever the function reads besides its arguments has to
    stay where it is in memory.

    Args:
        function: of tensors; must not wait for the device.
        device: a GPU, the current one.
        rows: of the arguments of the calls that are recorded.
        pool: of memory that recordings share (`torch.cuda.graph_pool_handle()`); only for ones never run side by side.
    """

    def __init__(
        self,
        function: Callable[..., torch.Tensor],
        device: torch.device,
        rows: int,
        pool: tuple[int, int] | None = None,
    ) -> None:
        self.function, self.rows, self.pool = function, rows, pool
        self.stream = torch.cuda.Stream(device)
        self.calls = 0
        self.arguments: list[torch.Tensor] = []  # what the recording reads, filled anew for each call
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, *arguments: torch.Tensor) -> torch.Tensor:
        """The function's result."""
        if len(arguments[0]) != self.rows:
            return self._aside(arguments)
        self.calls += 1
        if self.calls <= WARM:
            return self._aside(arguments)
        if self.graph is None:
            self.arguments = [torch.empty_like(one) for one in arguments]
        for held, one in zip(self.arguments, arguments, strict=True):
            held.copy_(one)
        if self.graph is None:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph, pool=self.pool, stream=self.stream):
                self.result = self.function(*self.arguments)
        self.graph.replay()
        return self.result.clone()  # the next call overwrites it

    def _aside(self, arguments: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Run it on the stream that records: autograd remembers the stream of its first run."""
        here = torch.cuda.current_stream(self.stream.device)
        self.stream.wait_stream(here)
        with torch.cuda.stream(self.stream):
            result = self.function(*arguments)
        here.wait_stream(self.stream)
        return result
