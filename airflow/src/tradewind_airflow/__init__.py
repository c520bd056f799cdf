"""Tradewind's part inside an Airflow environment: process entry, sign-in, DAG snapshots, template database.

It runs beside the user's packages, so it depends on nothing but Airflow and its Celery and FAB providers. What is not
an extension point of Airflow lies in `compat`: substitutions in our own process, each with the stock path as fallback.
"""
