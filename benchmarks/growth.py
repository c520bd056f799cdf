"""How cost grows with size: the exponent of a power law fitted through medians. Pure.

`cost = a * size ** exponent` is a straight line in logarithms; least squares give its slope. 1 means that twice the
work takes twice the time, 0 that size does not matter.
"""

import math
from collections.abc import Mapping, Sequence

from benchmarks.summaries import median


def exponent(costs: Mapping[int, Sequence[float]]) -> float:
    """The slope over the median cost of each size. Raises ValueError for fewer than two sizes, or a cost of zero."""
    points = [(math.log(size), math.log(median(values))) for size, values in costs.items() if values]
    if len(points) < 2:
        raise ValueError("there is no growth over fewer than two sizes")
    middle = (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))
    above = sum((x - middle[0]) * (y - middle[1]) for x, y in points)
    return above / sum((x - middle[0]) ** 2 for x, _ in points)
