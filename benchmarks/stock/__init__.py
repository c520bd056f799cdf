"""The other side: Airflow as its own documents set it up, with the same versions, interpreter, server and slots."""
