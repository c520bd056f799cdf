# ruff: noqa: E501  (each snippet is one line)
"""What counts as a closed parse: each snippet is a DAG file's text, executed under `Watch` in a Python of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "airflow" / "src"
DRIVER = """
import builtins, importlib.util, json, os, sys, sysconfig
from tradewind_airflow.zygotes import watch as module
from tradewind_airflow.zygotes.watch import Unavailable, Watch
file = sys.argv[1]
builtins.supervisor = Unavailable()
libraries = os.path.join(os.path.dirname(os.path.dirname(file)), "libraries")
stdlib = sysconfig.get_path
sysconfig.get_path = lambda name: libraries if name == "purelib" else stdlib(name)
module.HARMLESS |= {"library_of_others", "library_that_connects", "library_bound_before", "library_of_numbers", "library_of_connections"}
sys.path += [os.path.dirname(file), libraries]
import library_bound_before, library_of_connections, other_driver
with Watch(os.path.dirname(file), further=((library_of_connections, ("get",)),)) as watch:
    spec = importlib.util.spec_from_file_location("dag_file", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["dag_file"] = module
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
    "where it lies itself": "import os\nfrom pathlib import Path\nhere = Path(__file__).resolve().parent; there = os.path.realpath(__file__)",
    "a function's own import": "def task():\n    import anything_at_all",
    "a module of its bundle": "import neighbour",
    "a package of its bundle without a file of its own": "from folder import inside\nimport folder.inside",
    "an import that is not executed": "if False:\n    import some_driver",
    "a provider that stays with Python": "import airflow.providers.standard\nfrom airflow.providers import standard",
    "a library that reads clock and files while it is imported": "import library_of_others",
    "a generator of its own": "import random\ngenerator = random.Random(3); n = generator.random()",
    "a library's generator without a seed, while it is imported": "import library_of_numbers",
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
    "a clock that only goes forward": "import time\nbegan = time.monotonic()",
    "another clock": "import time\nbegan = time.clock_gettime(time.CLOCK_REALTIME)",
    "a clock by a name that was bound before": "import library_bound_before\nx = library_bound_before.hour()",
    "a generator without a seed": "import random\ngenerator = random.Random()",
    "a library's generator without a seed, when it is called": "import library_of_numbers\nx = library_of_numbers.another()",
    "how full a disk is": "import shutil\nx = shutil.disk_usage('/')",
    "threads that have ended": "from concurrent.futures import ThreadPoolExecutor\nimport time\nwith ThreadPoolExecutor(1) as pool:\n    x = pool.submit(time.time).result()",
    "a library that nobody has looked at": "import some_driver",
    "that in a class": "class A:\n    import some_driver",
    "that by name": "import importlib\nimportlib.import_module('some_driver')",
    "that within a function that is called": "def read():\n    import some_driver\n    return some_driver.rows\nx = read()",
    "a module of its bundle that imports one": "import importer",
    "one that is there already, within a function that is called": "def read():\n    import other_driver\n    return other_driver.rows\nx = read()",
    "one that is there already, by a call": "x = __import__('other_driver').rows",
    "another generator of Python's": "import _random\nx = _random.Random().random()",
    "numbers from OpenSSL": "import ssl\nx = ssl.RAND_bytes(3)",
    "what it used so far": "import resource\nx = resource.getrusage(resource.RUSAGE_SELF)",
    "where a link leads": "import os\nx = os.readlink('/proc/self/exe')",
    "the task that it is parsed for, in bytes": "import os\nx = os.environb.get(b'_AIRFLOW_PARSING_CONTEXT_DAG_ID')",
    "a provider that nobody has looked at": "import airflow.providers.some_database",
    "that from the package of all": "from airflow.providers import some_database",
    "a question that whoever watches has named": "import library_of_connections\nx = library_of_connections.get('a')",
    "a module from elsewhere": "import os, sys\nsys.path.append(os.path.join(os.path.dirname(os.path.dirname(__file__)), 'elsewhere'))\nimport elsewhere",
    "a module of its own called logging": "from common.logging import x",
    "the supervisor's connection, kept": "x = supervisor",
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
    (bundle / "importer.py").write_text("import some_driver")
    (bundle / "common" / "logging").mkdir(parents=True)
    (bundle / "common" / "logging" / "__init__.py").write_text("import time\nx = time.time()")
    (libraries / "some_driver.py").write_text("rows = 3")
    (libraries / "other_driver.py").write_text("rows = 3")
    (bundle / "folder").mkdir()
    (bundle / "folder" / "inside.py").write_text("n = 3")
    (libraries / "airflow" / "providers" / "some_database").mkdir(parents=True)
    (libraries / "airflow" / "providers" / "standard").mkdir()
    (libraries / "library_of_connections.py").write_text("def get(name): return name")
    (libraries / "library_bound_before.py").write_text(
        "from time import localtime\ndef hour(): return localtime().tm_hour"
    )
    (libraries / "library_of_numbers.py").write_text(
        "import random\ngenerator = random.Random()\ndef another(): return random.Random()"
    )
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "elsewhere.py").write_text("n = 3")
    (libraries / "library_that_connects.py").write_text("import socket\nsocket.getaddrinfo('localhost', 80)")
    return bundle


@pytest.mark.parametrize("name", CLOSED)
def test_a_parse_that_another_process_would_repeat_is_closed(folder, name):
    assert parse(folder, CLOSED[name])[0] == []


@pytest.mark.parametrize("name", OPEN)
def test_a_parse_that_asks_or_leaves_anything_else_is_not(folder, name):
    assert parse(folder, OPEN[name])[0] != []


def test_afterwards_everything_is_what_it_was(folder):
    text = "import copy, datetime, os, pickle, random, time\nfrom time import time as clock\nclass A:\n    now = clock"
    after = (
        "[type(clock).__name__, clock is time.time, type(os.stat).__name__, type(os.environ._data).__name__,"
        " type(datetime.datetime.__dict__['now']).__name__, datetime.datetime.now().year > 2000, A().now() > 0,"
        " os.stat in os.supports_follow_symlinks, copy.deepcopy({'a': A.__dict__['now']})['a'] is time.time,"
        " pickle.loads(pickle.dumps(A.__dict__['now'])) is time.time, random.Random.seed.__name__,"
        " type(__import__).__name__, os.environb._data is os.environ._data]"
    )
    told = "builtin_function_or_method"
    assert parse(folder, text, after) == (
        [],
        [told, True, told, "dict", "classmethod_descriptor", True, True, True, True, True, "seed", told, True],
    )


def test_it_says_what_it_was(folder):
    reasons, _ = parse(folder, "import os, time\nx = time.time(), os.getpid(), open('/etc/hostname').read()")
    assert reasons == ["it asks time.time", "it asks os.getpid", "it reads /etc/hostname"]
