"""Credentials of the environment's execution role, for its own tasks: a small server of AWS's container protocol.

Standard library alone, never Airflow: the process is small and starts at once. It asks the control plane for temporary
credentials, keeps them for hours, also in a file, and hands them to whoever shows the environment's token. So tasks
go on working while the control plane is away. The walls around it are described in docs/isolation.md.
"""
