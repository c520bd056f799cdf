"""The overlay: what a start-up script has installed, in a folder of its own behind the runtime's packages.

`TRADEWIND_OVERLAY` names it. `tradewind_airflow_overlay.pth` has every Python of the runtime look there last, so
nothing in it stands in for a package of the runtime; a fork of the preloaded parent looks there from when it takes on
its environment. Its own `.pth` files are not executed: that would be before a trusted process is closed.

`pip` fills it while the script runs, `making` is what goes before and after. Nothing heavy may be imported here.
"""

import os
import sys

VARIABLE = "TRADEWIND_OVERLAY"


def see() -> None:
    """Import from the overlay too, where there is one."""
    folder = os.environ.get(VARIABLE)
    if not folder or folder in sys.path:
        return
    sys.path.append(folder)
    airflow = sys.modules.get("airflow")
    if airflow is not None:  # it asked for the places of its parts when it was imported
        import pkgutil

        airflow.__path__ = pkgutil.extend_path(airflow.__path__, "airflow")
