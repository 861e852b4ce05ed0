"""Samples the machine during a run: processors, memory, disk, network, and GPUs if there are any.

Names and units are those of MLflow's own monitor, so that its tab "System metrics" shows them. Without psutil there are no samples of the
machine, without pynvml (nvidia-ml-py) or a GPU none of GPUs.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

SHORTEST_INTERVAL_S = 2.0
LONGEST_INTERVAL_S = 60.0


class SystemSampler:
    """A daemon thread that calls `write(metrics, step)`; at growing intervals, so that a week's run stays a small file."""

    def __init__(self, write: Callable[[dict[str, float], int], None], first_step: int = 0) -> None:
        self._write = write
        self._step = first_step
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_stopped, name="tracking-system", daemon=True)
        self._probes: list[Callable[[], dict[str, float]]] = []

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """A last sample, then no more. Waits for a sample that is being taken, a second at most."""
        self._stopped.set()
        self._thread.join(timeout=1.0)

    def _sample_until_stopped(self) -> None:
        self._probes = [probe for probe in (_machine_probe(), _gpu_probe()) if probe is not None]
        started = time.monotonic()
        while self._probes and not self._stopped.wait(interval_s(time.monotonic() - started)):
            self._sample()
        self._sample()

    def _sample(self) -> None:
        metrics: dict[str, float] = {}
        for probe in self._probes:
            metrics |= probe()
        if metrics:
            self._write({f"system/{name}": round(value, 1) for name, value in metrics.items()}, self._step)
            self._step += 1


def interval_s(elapsed_s: float) -> float:
    """Seconds to the next sample: 2 at first, then a fiftieth of the time that has passed, a minute at most."""
    return min(LONGEST_INTERVAL_S, max(SHORTEST_INTERVAL_S, elapsed_s / 50))


def _machine_probe() -> Callable[[], dict[str, float]] | None:
    try:
        import psutil
    except ImportError:
        return None
    psutil.cpu_percent()  # the first call only sets the point that the next measures from
    network_at_start = psutil.net_io_counters()

    def probe() -> dict[str, float]:
        memory, disk, network = psutil.virtual_memory(), psutil.disk_usage(os.sep), psutil.net_io_counters()
        return {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / 1e6,
            "system_memory_usage_percentage": 100 * memory.used / memory.total,
            "disk_usage_percentage": disk.percent,
            "disk_usage_megabytes": disk.used / 1e6,
            "disk_available_megabytes": disk.free / 1e6,
            "network_receive_megabytes": (network.bytes_recv - network_at_start.bytes_recv) / 1e6,
            "network_transmit_megabytes": (network.bytes_sent - network_at_start.bytes_sent) / 1e6,
        }

    return probe


def _gpu_probe() -> Callable[[], dict[str, float]] | None:
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except Exception:  # no pynvml, no driver, no GPU: each has another error class
        return None

    def probe() -> dict[str, float]:
        metrics = [(index, _gpu_metrics(pynvml, handle)) for index, handle in enumerate(handles)]
        return {f"gpu_{index}_{name}": value for index, found in metrics for name, value in found.items()}

    return probe if handles else None


def _gpu_metrics(pynvml: Any, handle: Any) -> dict[str, float]:
    metrics: dict[str, float] = {}
    try:  # a virtual or partitioned GPU refuses some of these
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        metrics["memory_usage_percentage"] = 100 * memory.used / memory.total
        metrics["memory_usage_megabytes"] = memory.used / 1e6
        metrics["utilization_percentage"] = float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        power, limit = pynvml.nvmlDeviceGetPowerUsage(handle), pynvml.nvmlDeviceGetEnforcedPowerLimit(handle)
        metrics["power_usage_watts"] = power / 1000
        metrics["power_usage_percentage"] = 100 * power / limit
    except pynvml.NVMLError:
        return metrics
    return metrics
