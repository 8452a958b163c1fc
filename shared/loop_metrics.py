"""Counters and histograms that are filled in the event loop only, so without locks."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Count:
    """One counter of a `LoopCounter`."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def inc(self) -> None:
        """Count one more."""
        self.value += 1


class LoopCounter(Collector):
    """A counter that is raised in the event loop only, so without a lock.

    A counter of the library costs as much as a decision.
    """

    def __init__(
        self, name: str, text: str, labels: Sequence[str], *, registry: CollectorRegistry
    ) -> None:
        self._about = name, text
        self._names = labels
        self._counts: dict[tuple[str, ...], Count] = {}
        registry.register(self)

    def labels(self, *values: str | int) -> Count:
        """The counter with these values of the labels."""
        return self._counts.setdefault(tuple(map(str, values)), Count())

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Show all of them."""
        family = CounterMetricFamily(*self._about, labels=self._names)
        for values, count in self._counts.items():
            family.add_metric(values, count.value)
        yield family


class Durations:
    """One histogram of a `LoopHistogram`."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count a duration."""
        self.counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds


class LoopHistogram(Collector):
    """A histogram of durations that is filled in the event loop only; see `LoopCounter`."""

    def __init__(
        self,
        name: str,
        text: str,
        labels: Sequence[str],
        *,
        buckets: Sequence[float],
        registry: CollectorRegistry,
    ) -> None:
        self._about = name, text
        self._names = labels
        self._bounds = buckets
        self._durations: dict[tuple[str, ...], Durations] = {}
        registry.register(self)

    def labels(self, *values: str | int) -> Durations:
        """The histogram with these values of the labels."""
        key = tuple(map(str, values))
        found = self._durations.get(key)
        if found is None:
            found = self._durations[key] = Durations(self._bounds)
        return found

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Show all of them."""
        family = HistogramMetricFamily(*self._about, labels=self._names)
        bounds = [*map(floatToGoString, self._bounds), "+Inf"]
        for values, found in self._durations.items():
            buckets = list(zip(bounds, accumulate(found.counts), strict=True))
            family.add_metric(values, buckets, found.total)
        yield family
