# ruff: noqa: E501  (each snippet is one line)
"""What counts as a closed parse: each snippet is a DAG file's text, executed under `Watch` in a Python of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "airflow" / "src"
DRIVER = """
import importlib.util, json, os, sys
from tradewind_airflow.zygotes.watch import Unavailable, Watch
file = sys.argv[1]
supervisor = Unavailable()
sys.path.append(os.path.dirname(file))
with Watch(os.path.dirname(file)) as watch:
    spec = importlib.util.spec_from_file_location("dag_file", file)
    module = importlib.util.module_from_spec(spec)
    module.supervisor, sys.modules["dag_file"] = supervisor, module
    spec.loader.exec_module(module)
after = eval(sys.argv[2], vars(module)) if sys.argv[2:] else None
os.write(1, json.dumps([watch.reasons, after]).encode())
os._exit(0)
"""


def parse(folder: Path, text: str, *after: str) -> tuple[list[str], object]:
    file = folder / "dag_file.py"
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(file), *after],
        env={"PYTHONPATH": str(SOURCE), "HOME": str(folder)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    reasons, value = json.loads(done.stdout)
    return reasons, value


CLOSED = {
    "arithmetic and classes": "class A:\n    n = sum(range(10))",
    "a fixed date": "from datetime import datetime, timedelta\nstart = datetime(2026, 1, 1) - timedelta(days=1)",
    "a file of its bundle": "import os\ntext = open(os.path.join(os.path.dirname(__file__), 'n.json')).read()",
    "questions about its bundle": "import os\nfrom pathlib import Path\nassert Path(__file__).exists()\nassert os.listdir(os.path.dirname(__file__))",
    "an environment variable": "import os\nhome = os.environ.get('HOME'); os.environ['MINE'] = '1'",
    "a given moment, formatted": "import time\ntext = time.strftime('%Y', time.gmtime(0))",
    "durations": "import time\nbegan = time.monotonic(); took = time.perf_counter()",
    "a module of its bundle": "import neighbour",
    "a library that reads clock and files while it is imported": "import library_of_others",
    "a generator of its own": "import random\ngenerator = random.Random(3); n = generator.random()",
    "something for the end of the process": "import atexit\natexit.register(print)",
    "clock and numbers within functions only": "import random, time\ndef task():\n    return time.time(), random.random()",
    "a log record": "import logging\nlogging.getLogger('mine').warning('careful')",
}
OPEN = {
    "datetime.now": "from datetime import datetime\nx = datetime.now()",
    "datetime.utcnow by another name": "import datetime as d\nnow = getattr(d.datetime, 'utc' + 'now')\nimport warnings\nwarnings.simplefilter('ignore')\nx = now()",
    "date.today": "import datetime\nx = datetime.date.today()",
    "datetime.today": "import datetime\nx = datetime.datetime.today()",
    "a subclass's now": "import datetime\nclass Mine(datetime.datetime): pass\nx = Mine.now()",
    "time.time": "from time import time\nx = time()",
    "time.localtime": "import time\nx = time.localtime()",
    "time.strftime": "import time\nx = time.strftime('%H')",
    "the clock in a module of its bundle": "import clock_reader",
    "the clock by a library's function": "import library_of_others\nx = library_of_others.now()",
    "random": "import random\nx = random.random()",
    "uuid": "import uuid\nx = str(uuid.uuid4())",
    "secrets": "import secrets\nx = secrets.token_hex()",
    "numpy's generator, seeded": "import numpy.random\nnumpy.random.seed(42)",
    "a module of its own called logging": "from common.logging import x",
    "os.urandom": "import os\nx = os.urandom(3)",
    "the process id": "import os\nx = os.getpid()",
    "a file elsewhere": "x = open('/etc/hostname').read()",
    "a pathlib question elsewhere": "from pathlib import Path\nx = Path('/etc/hostname').exists()",
    "a folder elsewhere": "import os\nx = os.listdir('/tmp')",
    "writing": "import os\nopen(os.path.join(os.path.dirname(__file__), 'x'), 'w').close()",
    "a folder made": "import os\nos.makedirs(os.path.join(os.path.dirname(__file__), 'made'))",
    "a file removed": "import os\nos.remove(os.path.join(os.path.dirname(__file__), 'n.json'))",
    "a command": "import subprocess\nsubprocess.run(['true'])",
    "os.system": "import os\nos.system('true')",
    "a connection": "import socket\ns = socket.socket()\ntry:\n    s.connect(('127.0.0.1', 1))\nexcept OSError:\n    pass\ns.close()",
    "a connection while a library is imported": "import library_that_connects",
    "a name to be resolved": "import socket\ntry:\n    socket.getaddrinfo('localhost', 80)\nexcept OSError:\n    pass",
    "a database file": "import sqlite3\nsqlite3.connect(':memory:').close()",
    "a Variable, and whoever catches it": "try:\n    supervisor.send('x')\nexcept Exception:\n    pass",
    "the task that it is parsed for": "import os\nx = os.environ.get('_AIRFLOW_PARSING_CONTEXT_DAG_ID')",
    "a thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(30,), daemon=True).start()",
    "an open file": "import os\nx = open(__file__)",
    "a socket left open": "import socket\nx = socket.socket()",
    "a signal handler": "import signal\nsignal.signal(signal.SIGUSR1, lambda *_: None)",
    "a handler of logs": "import logging\nlogging.getLogger().addHandler(logging.StreamHandler())",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bundle, libraries = tmp_path / "bundle", tmp_path / "libraries"
    bundle.mkdir()
    libraries.mkdir()
    (bundle / "n.json").write_text("3")
    (bundle / "neighbour.py").write_text("n = 3")
    (bundle / "clock_reader.py").write_text("import time\nx = time.time()")
    (libraries / "library_of_others.py").write_text(
        "import time, os\nimported = time.time(), os.getpid(), open('/etc/hostname').read()\ndef now(): return time.time()"
    )
    (bundle / "common" / "logging").mkdir(parents=True)
    (bundle / "common" / "logging" / "__init__.py").write_text("import time\nx = time.time()")
    (libraries / "numpy").mkdir()
    (libraries / "numpy" / "__init__.py").touch()
    (libraries / "numpy" / "random.py").write_text("def seed(number): pass")
    (libraries / "library_that_connects.py").write_text("import socket\nsocket.getaddrinfo('localhost', 80)")
    return bundle


def on_path(text: str) -> str:
    return f"import sys, os\nsys.path.append(os.path.join(os.path.dirname(os.path.dirname(__file__)), 'libraries'))\n{text}"


@pytest.mark.parametrize("name", CLOSED)
def test_a_parse_that_another_process_would_repeat_is_closed(folder, name):
    assert parse(folder, on_path(CLOSED[name]))[0] == []


@pytest.mark.parametrize("name", OPEN)
def test_a_parse_that_asks_or_leaves_anything_else_is_not(folder, name):
    assert parse(folder, on_path(OPEN[name]))[0] != []


def test_afterwards_everything_is_what_it_was(folder):
    text = "import datetime, os, random, time\nfrom time import time as clock\nclass A:\n    now = clock"
    after = (
        "[type(clock).__name__, clock is time.time, type(os.stat).__name__, type(os.environ._data).__name__,"
        " type(datetime.datetime.__dict__['now']).__name__, datetime.datetime.now().year > 2000, A().now() > 0,"
        " os.stat in os.supports_follow_symlinks]"
    )
    told = "builtin_function_or_method"
    assert parse(folder, text, after) == ([], [told, True, told, "dict", "classmethod_descriptor", True, True, True])


def test_it_says_what_it_was(folder):
    reasons, _ = parse(folder, "import os, time\nx = time.time(), os.getpid(), open('/etc/hostname').read()")
    assert reasons == ["it asks time.time", "it asks os.getpid", "it reads /etc/hostname"]
