"""One file a benchmark, and the list of them. B1 to B5, B8, B10 and B11 have their place here and are not built yet."""

from benchmarks.figures import b6_create, b7_deploy, b9_idle
from benchmarks.measuring import Benchmark

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.id: benchmark for benchmark in (b6_create.BENCHMARK, b7_deploy.BENCHMARK, b9_idle.BENCHMARK)
}
PLANNED = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10", "B11")
