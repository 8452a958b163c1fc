"""Values of metrics."""

from shared import metrics


def value_of(name: str, **labels: str) -> float:
    """The value that `/metrics` shows; 0 for a metric with labels that it does not show yet."""
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0
