"""The engine inside an environment: a scheduler that is woken by events, and tasks that start warm.

Both stand on Airflow's own extension points: `core.executor` names `executor.EventDrivenCeleryExecutor`, `[sdk]
coordinators` names `coordinator.WarmCoordinator`. Without these two settings Airflow is stock. See docs/engine.md.
"""
