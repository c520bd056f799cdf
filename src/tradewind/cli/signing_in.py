"""`open`: a link that signs a browser in to an environment's Airflow. It is good for one use, within 60 seconds."""

import os
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path

from tradewind.cli.output import Output, document, line, note
from tradewind.cli.places import service_of


def open_environment(name: str, data_dir: Path | None, output: Output, *, only_print: bool) -> None:
    """Print the link, and open a browser where there is one."""
    service = service_of(data_dir)
    answer = service.sign_in(name)
    url = link(answer["WebServerHostname"], answer["WebToken"])
    if output is Output.JSON:
        document(
            {"url": url, "airflow_identity": answer.get("AirflowIdentity"), "iam_identity": answer.get("IamIdentity")}
        )
        return
    line(url)
    if only_print:
        return
    note("The link signs in once, within 60 seconds.")
    if service.endpoint.ca_bundle:
        note(f"A browser will not know the certificate; its authority is in {service.endpoint.ca_bundle}.")
    if has_browser(os.environ, sys.platform) and webbrowser.open(url):
        note("Opened it in your browser.")


def link(host: str, token: str) -> str:
    """MWAA's own form of the link."""
    return f"https://{host}/aws_mwaa/aws-console-sso?login=true#{token}"


def has_browser(surroundings: Mapping[str, str], platform: str) -> bool:
    """Whether a browser would open in a window; one in this terminal could not run Airflow's pages."""
    return platform == "darwin" or bool(surroundings.get("DISPLAY") or surroundings.get("WAYLAND_DISPLAY"))
