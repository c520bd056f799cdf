"""What the weather DAGs do, in plain functions: no Airflow in here, so that each can be tested by itself.

Heavy libraries (DuckDB, matplotlib) are imported where they are used, so that reading the DAG files stays fast.
"""
