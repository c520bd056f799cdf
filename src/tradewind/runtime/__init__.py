"""Where processes run, behind one small port; `processes/` runs them on this machine.

The port is level-triggered: `apply` is called again and again with the whole manifest and changes only
what differs. Nothing here knows what Airflow is.
"""

from tradewind.runtime.port import Runtime

__all__ = ["Runtime"]
