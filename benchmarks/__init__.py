"""How fast Tradewind is, beside stock Airflow: one command that anyone can run again.

`run.py` is the command, `figures/` has one file a benchmark, `stock/` is the other side, `service.py` and
`environment.py` are ours. Everything else is one subject a file. What is measured and how: docs/benchmarks.md.
Nothing here runs in CI but its smallest size (`--smoke`), which proves that it works and nothing about speed.
"""
