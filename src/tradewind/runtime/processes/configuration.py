"""The text of supervisord's configuration for one owner. Pure.

It holds no secret and, but for its owner's programs, is the same for everyone: paths that depend on the machine come
from supervisord's own environment, so that no character in them can be taken for a comment, a quote or an expansion.
Programs write to their logs themselves, so that one that outlives supervisord does not lose its output; what
supervisord captures (`launch/`) is only what a launcher says before it has opened the log.
"""

from collections.abc import Iterable

from tradewind.runtime.processes.programs import Program

_SUPERVISOR = """\
[supervisord]
nodaemon=true
silent=true
logfile=supervisord.log
logfile_maxbytes=2MB
logfile_backups=1
pidfile=supervisord.pid
childlogdir=%(here)s
nocleanup=true
minfds=1024
minprocs=64

[unix_http_server]
file=%(ENV_TRADEWIND_SOCKET)s
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

START_RETRIES = 3  # after the first try, with one, two and three seconds between


def render(programs: Iterable[Program]) -> str:
    """Write the whole file."""
    return "\n".join([_SUPERVISOR, *map(_program, programs)])


def _program(program: Program) -> str:
    process = program.process
    return f"""\
[program:{program.name}]
command=%(ENV_TRADEWIND_LAUNCH)s {program.name}
autostart=true
autorestart=true
startsecs={process.start_seconds}
startretries={START_RETRIES}
stopsignal={process.stop_signal}
stopwaitsecs={process.stop_seconds}
killasgroup=true
priority={process.priority}
redirect_stderr=true
stdout_logfile=launch/{process.name}.log
stdout_logfile_maxbytes=64KB
stdout_logfile_backups=0
"""
