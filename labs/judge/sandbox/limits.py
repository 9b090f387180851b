"""Bounds of time, memory, output and processes for one check of one submission."""

import json
import resource
from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds for one check of one submission.

    ``seconds`` is the wall time of the whole check, ``processes`` the number of processes at any
    time. The other limits hold for each process: memory, CPU time, and the size of any file it
    writes, its output included.
    """

    seconds: float = 240.0
    memory_mib: int = 1024
    cpu_s: int = 60
    file_mib: int = 16
    processes: int = 64
    sandboxed: bool = True  # by bubblewrap, where it can be used

    def apply(self) -> None:
        """Set the limits of this process, which its children inherit."""
        for limit, wanted in (
            (resource.RLIMIT_AS, self.memory_mib * MIB),
            (resource.RLIMIT_CPU, self.cpu_s),
            (resource.RLIMIT_FSIZE, self.file_mib * MIB),
            (resource.RLIMIT_CORE, 0),
        ):
            _, ceiling = resource.getrlimit(limit)
            value = wanted if ceiling == resource.RLIM_INFINITY else min(wanted, ceiling)
            hardest = value + (limit == resource.RLIMIT_CPU)  # a second later, SIGKILL
            if ceiling != resource.RLIM_INFINITY:
                hardest = min(hardest, ceiling)
            resource.setrlimit(limit, (value, hardest))

    def as_json(self) -> str:
        """Return the limits for another process."""
        return json.dumps(vars(self))
