"""Substitutions inside Airflow, in our own process only.

Each module has one `install()` that returns whether it could: it looks first whether this Airflow has the names that
it needs, and leaves everything stock where it has not. A test says for every supported version whether it can.
"""
