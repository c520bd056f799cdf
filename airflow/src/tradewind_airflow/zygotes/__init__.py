"""Tasks' processes that inherit their parsed DAG file, where its parse was closed: docs/zygotes.md."""
