"""What lives a process gets, and what is refused before anything is written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewind.domain.errors import TradewindError
from tradewind.domain.manifests import Process
from tradewind.runtime.processes.programs import Program, check, decode, encode, next_lives, process_name


def process(name: str = "one", **words) -> Process:
    return Process(**({"name": name, "command": ("/bin/true",), "directory": Path("/"), "log": Path("/l")} | words))


def current(*programs: Program) -> dict[str, Program]:
    return {program.process.name: program for program in programs}


def test_what_is_unchanged_keeps_its_life():
    one = Program(process(), 3)
    assert next_lives([process()], current(one), 7) == ((one,), 7)


@pytest.mark.parametrize(
    "difference",
    [{"environment": {"A": "1"}}, {"command": ("/bin/false",)}, {"stop_seconds": 11}, {"user": "u"}, {"drains": True}],
)
def test_what_changed_gets_a_new_life(difference):
    changed = process(**difference)
    assert next_lives([changed], current(Program(process(), 3)), 7) == ((Program(changed, 8),), 8)


def test_what_is_to_be_restarted_gets_a_new_life_though_unchanged():
    programs, last = next_lives([process()], current(Program(process(), 3)), 3, frozenset({"one"}))
    assert (programs[0].name, last) == ("one@4", 4)


def test_programs_are_in_the_order_of_their_priority():
    processes = [process("late", priority=9), process("early", priority=1), process("middle", priority=5)]
    programs, _ = next_lives(processes, {}, 0)
    assert [program.process.name for program in programs] == ["early", "middle", "late"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=20))
def test_no_life_is_given_twice(changes):
    seen: dict[str, str] = {}
    programs: dict[str, Program] = {}
    last = 0
    for name, variant in changes:
        wanted = [program.process for key, program in programs.items() if key != name]
        chosen, last = next_lives([*wanted, process(name, stop_seconds=variant)], programs, last)
        programs = current(*chosen)
        for program in chosen:
            assert seen.setdefault(program.name, program.process.digest()) == program.process.digest()


texts = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))


@given(st.lists(texts, max_size=4), st.dictionaries(texts.filter(lambda key: key and "=" not in key), texts))
def test_a_program_is_read_as_it_was_written(words, environment):
    program = Program(process(command=("/bin/x", *words), environment=environment, drains=True, user="u"), 5)
    assert decode(json.loads(json.dumps(encode(program)))) == program
    assert encode(program)["digest"] == program.process.digest()


def test_names_lead_back_to_processes():
    assert process_name(Program(process("worker-1"), 12).name) == "worker-1"


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        ({"name": "a/b"}, "a name is"),
        ({"name": ""}, "a name is"),
        ({"name": "../x"}, "a name is"),
        ({"name": "a@1"}, "a name is"),
        ({"name": "a\n"}, "a name is"),
        ({"command": ()}, "no command"),
        ({"stop_signal": "STOPP"}, "no signal 'STOPP'"),
        ({"parent_death_signal": "SIGTERM"}, "no signal 'SIGTERM'"),
        ({"log": Path("relative")}, "absolute"),
        ({"directory": Path("relative")}, "absolute"),
        ({"command": ("/bin/x", "a\0b")}, "cannot be given"),
        ({"environment": {"A=B": "1"}}, "cannot be given"),
        ({"environment": {"": "1"}}, "cannot be given"),
        ({"environment": {"A": "\0"}}, "cannot be given"),
    ],
)
def test_what_could_not_be_started_is_refused(difference, words):
    with pytest.raises(TradewindError, match=words):
        check([replace(process(), **difference)])


def test_two_of_a_name_are_refused():
    check([process("a"), process("b")])
    with pytest.raises(TradewindError, match="two processes"):
        check([process("a"), process("a", priority=1)])
