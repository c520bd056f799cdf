"""The machine in the kernel's own words."""

from benchmarks.machine import busy, memory_of, processor_of, system_of


def test_the_machine_is_described_by_what_the_kernel_says():
    assert processor_of("processor\t: 0\nmodel name\t: A Processor @ 2 GHz\n") == "A Processor @ 2 GHz"
    assert processor_of("") == "unknown"
    assert memory_of("MemTotal:       1000000 kB\nMemFree: 1 kB\n") == 1024
    assert system_of('NAME="x"\nPRETTY_NAME="A System 1"\n') == "A System 1"


def test_a_machine_is_busy_from_half_a_process_a_core():
    assert busy(1.1, 2)
    assert not busy(0.9, 2)
