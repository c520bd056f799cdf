"""What may be asked for on the command line."""

import pytest

from benchmarks.command import choose, options_of, parser
from benchmarks.figures import BENCHMARKS, PLANNED
from benchmarks.measuring import CannotMeasure


def test_every_benchmark_is_one_of_the_contract_and_compares_contenders_that_it_has():
    assert set(BENCHMARKS) <= set(PLANNED)
    for id_, benchmark in BENCHMARKS.items():
        assert benchmark.id == id_
        assert all({ratio.ours[0], ratio.other[0]} <= set(benchmark.everyone) for ratio in benchmark.ratios)


def test_nothing_named_means_all_with_their_own_contenders():
    found, contenders = choose([], None)
    assert [benchmark.id for benchmark in found] == [id_ for id_ in PLANNED if id_ != "B8"]
    assert contenders["B7"] == ("tradewind", "stock", "stock-fast")
    assert contenders["B9"] == ("tradewind", "stock")
    assert contenders["B1"] == ("tradewind", "stock-local", "stock-celery", "prefect", "dagster", "dagster-in-process")
    assert contenders["B3"] == contenders["B4"] == contenders["B5"] == ("tradewind", "stock-local", "stock-celery")


def test_an_optional_contender_takes_part_when_it_is_named():
    _, contenders = choose(["B1", "B10"], "tradewind,tradewind-stock-engine")
    assert contenders == {"B1": ("tradewind", "tradewind-stock-engine"), "B10": ("tradewind",)}


def test_contenders_that_are_named_run_where_they_can():
    _, contenders = choose(["B6", "B9"], "stock-install,tradewind")
    assert contenders == {"B6": ("stock-install", "tradewind"), "B9": ("tradewind",)}


@pytest.mark.parametrize(
    ("ids", "named", "words"),
    [
        (["B8"], None, "cannot measure B8: it is not built yet"),
        (["B99"], None, "cannot measure B99: it is unknown"),
        (["B6"], "kestra", "cannot measure kestra: the contenders are stock, stock-install, tradewind"),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(ids, named, words):
    with pytest.raises(CannotMeasure, match=words):
        choose(ids, named)


def test_smoke_is_the_smallest_of_everything():
    options = options_of(parser().parse_args(["B7", "B9", "--smoke", "--runs", "9", "--data-dir", "/x"]))
    assert (options.runs, options.samples, options.default_samples, options.idle_seconds) == (1, 1, 1, 3.0)
    assert str(options.data_dir) == "/x"


def test_the_defaults_are_the_contracts():
    options = options_of(parser().parse_args([]))
    assert (options.runs, options.samples, options.default_samples, options.idle_seconds) == (5, 10, 2, 300.0)


@pytest.mark.parametrize("text", ["1", "2,2", "0,1", "x"])
def test_growth_needs_two_sizes(text, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["--times", text])
    assert parser().parse_args(["--times", "4,1"]).times == (1, 4)


@pytest.mark.parametrize("option", ["--runs", "--samples", "--default-samples", "--first-samples", "--grow-runs"])
def test_no_runs_are_refused(option, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args([option, "0"])
    assert "0 is not at least 1" in capsys.readouterr().err
