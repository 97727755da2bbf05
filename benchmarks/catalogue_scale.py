"""Scale: catalogues of 100, 300 and 1,000 products; time is to be linear, memory bounded."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.catalogue_ours import crew, left_to_workers
from benchmarks.catalogue_sample import Sample, header, line
from benchmarks.catalogue_world import Size, World

PRODUCTS = (100, 300, 1000)
FEATURES, TESTS = 5, 200
MEMORY_MB = 200
LINEAR = 1.25  # time of one test in the largest catalogue over that in the smallest


def scale(folder: Path, world: World, workers: int, more: Mapping[str, str]) -> None:
    """Print what catalogues that grow take, and whether time and memory grow as they may."""
    world.slow_down(0.002)
    print(f"\nscale: {FEATURES} features and {TESTS} tests of each product, 2 ms latency, by")
    print(f"{workers} task workers and a beat that is not counted; fresh, then nothing new")
    print(header())
    found: dict[int, Sample] = {}
    for products in PRODUCTS:
        size = Size(products, FEATURES, TESTS)
        world.build(size)
        with crew(folder / str(products), world, workers, more, beat=True) as ours:
            found[products] = _one(f"{products:,} products", size, left_to_workers(ours, world))
            _one(f"{products:,} products, again", size, left_to_workers(ours, world))
    _judge(found)


def _one(name: str, size: Size, sample: Sample) -> Sample:
    assert sample.rows == size.rows, f"{name}: {sample.rows} stored, not {size.rows}"
    print(line(name, sample))
    tests = size.rows[2]
    print(f"{'':34} {tests / sample.run:,.0f} tests/s, {sample.run / tests * 1000:.2f} ms a test")
    return sample


def _judge(found: Mapping[int, Sample]) -> None:
    times = {products: sample.run / products for products, sample in found.items()}
    growth = times[PRODUCTS[-1]] / times[PRODUCTS[0]]
    spent = {products: sample.cpu_of_run / products for products, sample in found.items()}
    of_cpu = spent[PRODUCTS[-1]] / spent[PRODUCTS[0]]
    memory = max(sample.workers_mb for sample in found.values())
    print(
        f"goal linear: a test takes {growth:.2f} times as long (CPU {of_cpu:.2f}) in the largest "
        f"<= {LINEAR} {_met(growth <= LINEAR)}"
    )
    print(f"goal memory of a task worker: {memory:.0f} MB < {MEMORY_MB} {_met(memory < MEMORY_MB)}")


def _met(is_met: bool) -> str:  # noqa: FBT001 - it only names the two
    return "met" if is_met else "NOT MET"
