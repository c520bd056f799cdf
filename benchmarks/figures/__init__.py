"""One file a benchmark, and the list of them. B8 (scaling) has its place here and is not built: nothing scales yet."""

from benchmarks.figures import (
    b1_chain,
    b2_long_chain,
    b3_fan,
    b4_fleet,
    b5_first_task,
    b6_create,
    b7_deploy,
    b9_idle,
    b10_api,
    b11_grow,
)
from benchmarks.measuring import Benchmark

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.id: benchmark
    for benchmark in (
        b1_chain.BENCHMARK,
        b2_long_chain.BENCHMARK,
        b3_fan.BENCHMARK,
        b4_fleet.BENCHMARK,
        b5_first_task.BENCHMARK,
        b6_create.BENCHMARK,
        b7_deploy.BENCHMARK,
        b9_idle.BENCHMARK,
        b10_api.BENCHMARK,
        b11_grow.BENCHMARK,
    )
}
PLANNED = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10", "B11")
