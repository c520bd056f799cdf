"""Libraries that a DAG file may import and still be parsed ahead (`watch`).

Each asks the system through Python only, where it is heard, or asks nothing. A library that is not named here is not
accused of anything: nobody has looked at it. What it does in C (a database driver's connection, a clock, a generator of
random numbers, threads) would not be heard. Of Airflow's providers those are named whose hooks stay with Python.
"""

import sys

_NOT_OF_PYTHONS_OWN = {"ctypes", "_ctypes", "mmap", "multiprocessing", "test"}
HARMLESS = frozenset(
    {
        *(sys.stdlib_module_names - _NOT_OF_PYTHONS_OWN),
        "aiohttp", "airflow", "attr", "attrs", "boto3", "botocore", "cattrs", "certifi", "charset_normalizer",
        "cron_descriptor", "dateutil", "deprecated", "httpx", "idna", "jinja2", "jmespath", "jsonschema", "markupsafe",
        "more_itertools", "msgspec", "packaging", "pendulum", "pydantic", "pydantic_core", "pytz", "requests",
        "s3transfer", "slugify", "structlog", "tabulate", "typing_extensions", "tzdata", "urllib3", "yaml",
    }
)  # fmt: skip
PROVIDERS = frozenset({"amazon", "common", "ftp", "http", "imap", "smtp", "standard"})
