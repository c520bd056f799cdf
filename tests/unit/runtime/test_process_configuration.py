"""supervisord's own reader is the judge of what is written for it."""

import configparser
from pathlib import Path

from tradewind.domain.manifests import Process
from tradewind.runtime.processes.configuration import render
from tradewind.runtime.processes.programs import Program

ODD = Process(
    name="worker-1",
    command=("/bin/x", "% ; # '\""),
    directory=Path("/some where/%d ;x"),
    log=Path("/lo g/100% #1"),
    environment={"SECRET": "hunter2"},
    stop_signal="INT",
    stop_seconds=7200,
    start_seconds=5,
    priority=42,
)


def read() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=True)
    parser.read_string(render([Program(ODD, 3), Program(ODD, 4)]))
    return parser


def test_each_program_has_a_section_with_its_own_stop_and_start():
    section = read()["program:worker-1@3"]
    assert section["command"] == "%(ENV_TRADEWIND_LAUNCH)s worker-1@3"
    assert (section["stopsignal"], section["stopwaitsecs"]) == ("INT", "7200")
    assert (section["startsecs"], section["priority"], section["startretries"]) == ("5", "42", "3")
    assert (section["autostart"], section["autorestart"], section["killasgroup"]) == ("true", "true", "true")
    assert "program:worker-1@4" in read().sections()


def test_no_secret_and_no_path_of_the_machine_is_in_it():
    text = render([Program(ODD, 3)])
    assert not [word for word in ("hunter2", "SECRET", "/bin/x", "/some where", "/lo g") if word in text]


def test_supervisord_stays_in_the_foreground_and_deletes_no_logs():
    section = read()["supervisord"]
    assert (section["nodaemon"], section["nocleanup"]) == ("true", "true")
