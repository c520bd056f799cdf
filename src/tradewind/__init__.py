"""Tradewind: a managed Apache Airflow service that people run themselves.

This package is the control plane and its command line. It never imports airflow: what runs inside an
environment is the second distribution of this repository, `tradewind-airflow`. The rooms and the
direction of imports between them are described in docs/architecture.md and checked in CI.
"""

__version__ = "0.1.0"
