"""What the five default roles may do, as Airflow's documentation says: data for the tests of roles, and nothing else.

`ROLES` is the section "Default Roles" of the FAB provider's page "Access Control" (provider 3.10): each role has what
the one before it has, and what is listed for it. `OPERATIONS` says of each group of endpoints which permissions it asks
for: from the tables "Stable API Permissions" and "Website Permissions" of the same page, and for younger endpoints from
what the page says of their kind ("DAG-level permissions": all that is under a DAG asks for the DAG as well).

Where the tables' column "Minimum Role" contradicts the lists of permissions, the lists count: the page takes them from
the provider's source, and the column has not followed it. Those places:

- audit logs (the column says Viewer): `Audit Logs.can_read` is listed for Admin alone;
- plugins (Viewer): `Plugins.can_read` is listed for Op;
- pools, reading (Op): `Pools.can_read` is listed for Viewer;
- lists that are asked for by POST (`DAGs.can_edit`, User): they read, and ask for `can_read` as the lists by GET do;
- backfills: `Backfills.*` is listed for Op. Nothing asks for it any more: from Airflow 3.2 on a backfill is an
  operation on a DAG's runs (so says the provider where it deprecates `is_authorized_backfill`), and User may;
- task logs: the table of the API names `Task Instances.can_read`, that of the website `Task Logs.can_read`, and the
  latter is what is asked for.
"""

from dataclasses import dataclass
from typing import Any


def _listed(**resources: str) -> frozenset[str]:
    return frozenset(
        f"{resource.strip()}.{action}" for action, names in resources.items() for resource in names.split(",")
    )


_VIEWER = _listed(
    can_read="DAGs, DAG Dependencies, DAG Code, DAG Runs, DAG Versions, DAG Warnings, Assets, Asset Aliases, Backfills,"
    "Cluster Activity, Pools, ImportError, Jobs, My Password, My Profile, SLA Misses, Task Instances, Task Logs, XComs,"
    "HITL Detail, Website",
    can_edit="My Password, My Profile",
    menu_access="Browse, DAGs, DAG Dependencies, DAG Runs, Assets, Cluster Activity, Documentation, Docs, Jobs,"
    "SLA Misses, Task Instances",
)
_USER = _VIEWER | _listed(
    can_create="Task Instances, DAG Runs, Assets",
    can_edit="DAGs, Task Instances, DAG Runs, HITL Detail",
    can_delete="DAGs, Task Instances, DAG Runs",
)
_OP = _USER | _listed(
    can_read="Configurations, Connections, Plugins, Providers, Variables",
    can_create="Connections, Pools, Variables, XComs, Assets, Backfills",
    can_edit="Connections, Pools, Variables, XComs, Assets, Backfills",
    can_delete="Connections, Pools, Variables, XComs, Assets, Backfills",
    menu_access="Admin, Configurations, Connections, Pools, Plugins, Variables, Providers, XComs, HITL Detail",
)
# "Admin users have all possible permissions": beside those that are listed, all of FAB's own pages and endpoints.
_ADMIN = _OP | _listed(
    can_read="Audit Logs, All Audit Logs, All Import Errors, All Reparses, Task Reschedules, Triggers, Passwords,"
    "Roles, Users, Permissions, Permission Views, View Menus, User Stats Chart",
    can_create="Roles, Users",
    can_edit="Passwords, Roles, Users",
    can_delete="Roles, Users",
    menu_access="Audit Logs, Task Reschedules, Triggers, List Users, List Roles, Actions, Resources, Permission Pairs",
)
ROLES = {"Public": frozenset[str](), "Viewer": _VIEWER, "User": _USER, "Op": _OP, "Admin": _ADMIN}

GRANTED, HIDDEN = "roles_granted", "roles_hidden"
# The tutorial of MWAA's user guide, "Restricting a user's access to a subset of DAGs": a role for certain DAGs beside
# Public. Here a copy of User without the rights for all DAGs, and with rights for one.
ONE_DAG = frozenset(right for right in _USER if not right.startswith("DAGs.can_")) | {
    f"DAG:{GRANTED}.can_read",
    f"DAG:{GRANTED}.can_edit",
}


@dataclass(frozen=True)
class Operation:
    """One way to ask Airflow for something.

    `{…}` in path and body stand for what the tests have made, `{dag}` for the granted or the hidden DAG. `asks` are the
    permissions, all of which are needed; `allowed` is the status where they are there (what is asked for does no harm:
    it changes nothing, or asks for what does not exist).
    """

    group: str
    method: str
    path: str
    asks: tuple[str, ...]
    allowed: int | tuple[int, ...] = 200
    body: Any = None

    @property
    def is_of_a_dag(self) -> bool:
        """Whether it names one DAG, so that rights for that DAG are enough."""
        return "{dag}" in self.path or "{dag}" in str(self.body) or "{file}" in self.path

    def is_allowed(self, rights: frozenset[str], dag: str) -> bool:
        """Whether somebody with these rights may, as documented. Lists are open to who may read any DAG."""
        return all(self._has(rights, right, dag) for right in self.asks)

    def _has(self, rights: frozenset[str], asked: str, dag: str) -> bool:
        if asked in rights:
            return True
        resource, _, action = asked.rpartition(".")
        if resource != "DAGs":
            return False
        if self.is_of_a_dag:
            return f"DAG:{dag}.{action}" in rights
        return action == "can_read" and any(r.startswith("DAG:") and r.endswith(".can_read") for r in rights)


_DAG, _EDIT = "DAGs.can_read", "DAGs.can_edit"
_RUNS, _TASKS = (_DAG, "DAG Runs.can_read"), (_DAG, "DAG Runs.can_read", "Task Instances.can_read")
_EDIT_RUNS = (_EDIT, "DAG Runs.can_edit")
_EDIT_TASKS = (_EDIT, "DAG Runs.can_edit", "Task Instances.can_edit")
_ASSETS = ("Assets.can_read", "Asset Aliases.can_read")
_RUN = "/api/v2/dags/{dag}/dagRuns/{run}"
_TASK = f"{_RUN}/taskInstances/only"
_BACKFILL = {"dag_id": "{dag}", "from_date": "2026-01-01T00:00:00Z", "to_date": "2026-01-02T00:00:00Z"}
_CONNECTION = {"connection_id": "roles_kept", "conn_type": "http"}
_VARIABLE = {"key": "roles_kept", "value": "1"}


def _bulk(entity: Any) -> dict[str, Any]:
    return {"actions": [{"action": "update", "entities": [entity], "action_on_non_existence": "skip"}]}


# By the groups (tags) of the document that the API server itself serves at /openapi.json.
OPERATIONS = (
    Operation("Asset", "GET", "/api/v2/assets", _ASSETS),
    Operation("Asset", "GET", "/api/v2/assets/{asset}", _ASSETS),
    Operation("Asset", "GET", "/api/v2/assets/events", ("Assets.can_read",)),
    Operation("Asset", "POST", "/api/v2/assets/events", ("Assets.can_create",), 404, {"asset_id": 999999}),
    Operation("Asset", "POST", "/api/v2/assets/999999/materialize", ("Assets.can_create",), 404),
    Operation("Asset", "GET", "/api/v2/dags/{dag}/assets/queuedEvents", ("Assets.can_read", _DAG)),
    Operation("Asset", "DELETE", "/api/v2/dags/{dag}/assets/queuedEvents", ("Assets.can_delete", _DAG), 404),
    Operation("Asset State Store", "GET", "/api/v2/assets/{asset}/state-store", ("Assets.can_read",)),
    Operation(
        "Asset State Store", "PUT", "/api/v2/assets/{asset}/state-store/k", ("Assets.can_edit",), 204, {"value": "v"}
    ),
    Operation("Asset State Store", "DELETE", "/api/v2/assets/{asset}/state-store/none", ("Assets.can_delete",), 204),
    Operation("Backfill", "GET", "/api/v2/backfills?dag_id={dag}", _RUNS),
    Operation("Backfill", "POST", "/api/v2/backfills/dry_run", (_EDIT, "DAG Runs.can_create"), 422, _BACKFILL),
    Operation("Config", "GET", "/api/v2/config", ("Configurations.can_read",), 403),  # nobody: [api] expose_config
    Operation("Connection", "GET", "/api/v2/connections", ("Connections.can_read",)),
    Operation("Connection", "GET", "/api/v2/connections/roles_kept", ("Connections.can_read",)),
    Operation("Connection", "POST", "/api/v2/connections", ("Connections.can_create",), 409, _CONNECTION),
    Operation("Connection", "PATCH", "/api/v2/connections/roles_kept", ("Connections.can_edit",), 200, _CONNECTION),
    Operation("Connection", "PATCH", "/api/v2/connections", ("Connections.can_edit",), 200, _bulk(_CONNECTION)),
    Operation("Connection", "DELETE", "/api/v2/connections/roles_none", ("Connections.can_delete",), 404),
    Operation("DAG", "GET", "/api/v2/dags", (_DAG,)),
    Operation("DAG", "GET", "/api/v2/dags/{dag}", (_DAG,)),
    Operation("DAG", "GET", "/api/v2/dags/{dag}/details", (_DAG,)),
    Operation("DAG", "GET", "/api/v2/dagTags", (_DAG,)),
    Operation("DAG", "POST", "/api/v2/dags/{dag}/unfavorite", (_DAG,), 409),  # a person's own mark on what is seen
    Operation("DAG", "PATCH", "/api/v2/dags/{dag}", (_EDIT,), 200, {"is_paused": False}),
    Operation("DAG", "PATCH", "/api/v2/dags?dag_id_pattern=roles_none", (_EDIT,), 200, {"is_paused": False}),
    Operation("DAG", "DELETE", "/api/v2/dags/roles_none", ("DAGs.can_delete",), 404),
    Operation("DAG Parsing", "PUT", "/api/v2/parseDagFile/{file}", (_EDIT,), (201, 409)),  # 409: asked for already
    Operation("DagRun", "GET", "/api/v2/dags/{dag}/dagRuns", _RUNS),
    Operation("DagRun", "GET", _RUN, _RUNS),
    Operation("DagRun", "POST", "/api/v2/dags/~/dagRuns/list", _RUNS, 200, {}),
    Operation("DagRun", "POST", "/api/v2/dags/{dag}/dagRuns", (_EDIT, "DAG Runs.can_create"), 409,
              {"dag_run_id": "{run}", "logical_date": None}),
    Operation("DagRun", "PATCH", _RUN, _EDIT_RUNS, 200, {"note": "n"}),
    Operation("DagRun", "POST", f"{_RUN}/clear", _EDIT_RUNS, 200, {"dry_run": True}),
    Operation("DagRun", "PATCH", "/api/v2/dags/{dag}/dagRuns", _EDIT_RUNS, 200,
              _bulk({"dag_run_id": "{run}", "note": "n"})),
    Operation("DagRun", "POST", "/api/v2/dags/{dag}/clearDagRuns", _EDIT_RUNS, 200,
              {"dry_run": True, "dag_runs": [{"dag_run_id": "{run}"}]}),
    Operation("DagRun", "DELETE", "/api/v2/dags/{dag}/dagRuns/none", (_EDIT, "DAG Runs.can_delete"), 404),
    Operation("experimental", "GET", f"{_RUN}/wait?interval=1", _RUNS),
    Operation("DagSource", "GET", "/api/v2/dagSources/{dag}", (_DAG, "DAG Code.can_read")),
    Operation("DagStats", "GET", "/api/v2/dagStats", _RUNS),
    Operation("DagVersion", "GET", "/api/v2/dags/{dag}/dagVersions", (_DAG, "DAG Versions.can_read")),
    Operation("DagWarning", "GET", "/api/v2/dagWarnings", (_DAG, "DAG Warnings.can_read")),
    Operation("Event Log", "GET", "/api/v2/eventLogs", (_DAG, "Audit Logs.can_read")),
    Operation("Event Log", "GET", "/api/v2/eventLogs/{event}", (_DAG, "Audit Logs.can_read")),
    Operation("Extra Links", "GET", f"{_TASK}/links", _TASKS),
    Operation("Import Error", "GET", "/api/v2/importErrors", ("ImportError.can_read",)),
    Operation("Job", "GET", "/api/v2/jobs", ("Jobs.can_read",)),
    Operation("Plugin", "GET", "/api/v2/plugins", ("Plugins.can_read",)),
    Operation("Pool", "GET", "/api/v2/pools", ("Pools.can_read",)),
    Operation("Pool", "GET", "/api/v2/pools/roles_kept", ("Pools.can_read",)),
    Operation("Pool", "POST", "/api/v2/pools", ("Pools.can_create",), 409, {"name": "roles_kept", "slots": 1}),
    Operation("Pool", "PATCH", "/api/v2/pools/roles_kept", ("Pools.can_edit",), 200,
              {"pool": "roles_kept", "slots": 1, "include_deferred": False}),
    Operation("Pool", "PATCH", "/api/v2/pools", ("Pools.can_edit",), 200,
              _bulk({"pool": "roles_kept", "slots": 1, "include_deferred": False})),
    Operation("Pool", "DELETE", "/api/v2/pools/roles_none", ("Pools.can_delete",), 404),
    Operation("Provider", "GET", "/api/v2/providers", ("Providers.can_read",)),
    Operation("Task", "GET", "/api/v2/dags/{dag}/tasks", (_DAG, "Task Instances.can_read")),
    Operation("Task", "GET", "/api/v2/dags/{dag}/tasks/only", (_DAG, "Task Instances.can_read")),
    Operation("Task Instance", "GET", f"{_RUN}/taskInstances", _TASKS),
    Operation("Task Instance", "GET", _TASK, _TASKS),
    Operation("Task Instance", "POST", "/api/v2/dags/~/dagRuns/~/taskInstances/list", _TASKS, 200, {}),
    Operation("Task Instance", "GET", f"{_TASK}/logs/1", (_DAG, "Task Logs.can_read")),
    Operation("Task Instance", "PATCH", _TASK, _EDIT_TASKS, 200, {"note": "n"}),
    Operation("Task Instance", "POST", "/api/v2/dags/{dag}/clearTaskInstances", _EDIT_TASKS, 200,
              {"dry_run": True, "dag_run_id": "{run}"}),
    Operation("Task Instance", "DELETE", f"{_RUN}/taskInstances/none",
              (_EDIT, "DAG Runs.can_delete", "Task Instances.can_delete"), 404),
    Operation("Task Instance", "GET", f"{_RUN}/hitlDetails", (_DAG, "HITL Detail.can_read")),
    Operation("Task Instance", "PATCH", f"{_TASK}/-1/hitlDetails", (_EDIT, "HITL Detail.can_edit"), 404,
              {"chosen_options": ["yes"]}),
    Operation("Task State Store", "GET", f"{_TASK}/state-store", _TASKS),
    Operation("Task State Store", "DELETE", f"{_TASK}/state-store/none",
              (_EDIT, "DAG Runs.can_delete", "Task Instances.can_delete"), 204),
    Operation("Variable", "GET", "/api/v2/variables", ("Variables.can_read",)),
    Operation("Variable", "GET", "/api/v2/variables/roles_kept", ("Variables.can_read",)),
    Operation("Variable", "POST", "/api/v2/variables", ("Variables.can_create",), 409, _VARIABLE),
    Operation("Variable", "PATCH", "/api/v2/variables/roles_kept", ("Variables.can_edit",), 200, _VARIABLE),
    Operation("Variable", "PATCH", "/api/v2/variables", ("Variables.can_edit",), 200, _bulk(_VARIABLE)),
    Operation("Variable", "DELETE", "/api/v2/variables/roles_none", ("Variables.can_delete",), 404),
    Operation("XCom", "GET", f"{_TASK}/xcomEntries", (_DAG, "XComs.can_read")),
    Operation("XCom", "GET", f"{_TASK}/xcomEntries/return_value", (_DAG, "XComs.can_read")),
    Operation("XCom", "POST", f"{_TASK}/xcomEntries", (_EDIT, "XComs.can_create"), 409,
              {"key": "return_value", "value": "x"}),
    Operation("XCom", "PATCH", f"{_TASK}/xcomEntries/none", (_EDIT, "XComs.can_edit"), 404, {"value": "x"}),
    Operation("XCom", "DELETE", f"{_TASK}/xcomEntries/none", (_EDIT, "XComs.can_delete"), 404),
)  # fmt: skip

# By the groups of the document that Airflow's own UI is written against, which the server does not serve.
_UI_RUN, _GRID = "/ui/dags/{dag}/dagRuns/{run}", _TASKS
UI_OPERATIONS = (
    Operation("Asset", "GET", "/ui/next_run_assets/{dag}", ("Assets.can_read", _DAG)),
    Operation("DagRun", "GET", f"{_UI_RUN}/stats", _RUNS),
    Operation("PartitionedDagRun", "GET", "/ui/partitioned_dag_runs", ("Assets.can_read",)),
    Operation("PartitionedDagRun", "GET", "/ui/pending_partitioned_dag_run/{dag}?partition_key=k",
              ("Assets.can_read", _DAG), 404),
    Operation("Connection", "GET", "/ui/connections/hook_meta", ("Connections.can_read",)),
    Operation("DAG", "GET", "/ui/dags", (*_TASKS, "HITL Detail.can_read")),
    Operation("DAG", "GET", "/ui/dags/{dag}/latest_run", _RUNS),
    Operation("Dependencies", "GET", "/ui/dependencies", (_DAG, "DAG Dependencies.can_read")),
    Operation("Dashboard", "GET", "/ui/dashboard/historical_metrics_data?start_date=2026-01-01T00:00:00Z", _TASKS),
    Operation("Dashboard", "GET", "/ui/dashboard/dag_stats", (_DAG,)),
    Operation("Deadlines", "GET", f"{_UI_RUN}/deadlines", _RUNS),
    Operation("Deadlines", "GET", "/ui/dags/{dag}/deadlineAlerts", (_DAG,)),
    Operation("Structure", "GET", "/ui/structure/structure_data?dag_id={dag}",
              (*_TASKS, "DAG Dependencies.can_read")),
    Operation("Backfill", "GET", "/ui/backfills?dag_id={dag}", _RUNS),
    Operation("Grid", "GET", "/ui/grid/structure/{dag}", _GRID),
    Operation("Grid", "GET", "/ui/grid/runs/{dag}", _GRID),
    Operation("Grid", "GET", "/ui/grid/ti_summaries/{dag}?run_ids={run}", _GRID),
    Operation("Gantt", "GET", "/ui/gantt/{dag}/{run}", _GRID),
    Operation("Calendar", "GET", "/ui/calendar/{dag}", _GRID),
    Operation("Teams", "GET", "/ui/teams", (), 403),  # nobody: [core] multi_team
)  # fmt: skip

# FAB's own API, "Stable API Permissions": Admin's alone.
_ROLE, _PERSON = {"name": "Public", "actions": []}, {
    "username": "n", "first_name": "n", "last_name": "n", "email": "n@example.com", "password": "n", "roles": [],
}  # fmt: skip
FAB_OPERATIONS = (
    Operation("FabAuthManager", "GET", "/auth/fab/v1/users", ("Users.can_read",)),
    Operation("FabAuthManager", "GET", "/auth/fab/v1/users/none", ("Users.can_read",), 404),
    Operation("FabAuthManager", "POST", "/auth/fab/v1/users", ("Users.can_create",), 409,
              {**_PERSON, "username": "roles_somebody"}),
    Operation("FabAuthManager", "PATCH", "/auth/fab/v1/users/none", ("Users.can_edit",), 404, _PERSON),
    Operation("FabAuthManager", "DELETE", "/auth/fab/v1/users/none", ("Users.can_delete",), 404),
    Operation("FabAuthManager", "GET", "/auth/fab/v1/roles", ("Roles.can_read",)),
    Operation("FabAuthManager", "GET", "/auth/fab/v1/roles/Viewer", ("Roles.can_read",)),
    Operation("FabAuthManager", "POST", "/auth/fab/v1/roles", ("Roles.can_create",), 409, _ROLE),
    Operation("FabAuthManager", "PATCH", "/auth/fab/v1/roles/none", ("Roles.can_edit",), 404, _ROLE),
    Operation("FabAuthManager", "DELETE", "/auth/fab/v1/roles/none", ("Roles.can_delete",), 404),
    Operation("FabAuthManager", "GET", "/auth/fab/v1/permissions", ("Roles.can_read",)),
)  # fmt: skip

# What everybody may ask for: the ways to sign in and out, and whether Airflow is there.
OPEN = {
    ("GET", "/api/v2/auth/login"), ("GET", "/api/v2/auth/logout"), ("GET", "/api/v2/monitor/health"),
    ("GET", "/api/v2/version"), ("GET", "/login"), ("GET", "/login/"), ("GET", "/logout"),
    ("POST", "/tradewind/session"),
}  # fmt: skip
# What wants a session and no role: who one is, and how the UI is set up.
SIGNED_IN = {("GET", "/ui/auth/menus"), ("GET", "/ui/auth/me"), ("POST", "/ui/auth/token"), ("GET", "/ui/config")}
# What looks at the request before it looks at the person's rights, or at a password instead.
LATE = {
    ("GET", "/api/v2/connections/enqueue-test"), ("POST", "/api/v2/connections/enqueue-test"),
    ("PATCH", "/api/v2/connections"), ("PATCH", "/api/v2/pools"), ("PATCH", "/api/v2/variables"),
    ("PATCH", "/api/v2/dags/{dag_id}/dagRuns"), ("POST", "/api/v2/dags/{dag_id}/clearDagRuns"),
    ("PUT", "/api/v2/parseDagFile/{file_token}"), ("POST", "/token"), ("POST", "/token/cli"),
}  # fmt: skip

# FAB's pages, by the permission that each asks for ("Website Permissions").
PAGES = {
    "/auth/users/list/": "Users.can_read",
    "/auth/users/add": "Users.can_create",
    "/auth/roles/list/": "Roles.can_read",
    "/auth/roles/add": "Roles.can_create",
    "/auth/actions/list/": "Permissions.can_read",
    "/auth/resources/list/": "View Menus.can_read",
    "/auth/permissions/list/": "Permission Views.can_read",
    "/auth/userstatschartview/chart/": "User Stats Chart.can_read",
    "/auth/users/userinfo/": "My Profile.can_read",
}

# The UI's menu, by the permission that shows each entry.
MENU = {
    "Required Actions": "HITL Detail.menu_access",
    "Assets": "Assets.menu_access",
    "Audit Log": "Audit Logs.menu_access",
    "Config": "Configurations.menu_access",
    "Connections": "Connections.menu_access",
    "Dags": "DAGs.menu_access",
    "Deadlines": "DAG Runs.menu_access",
    "Docs": "Documentation.menu_access",
    "Jobs": "Jobs.menu_access",
    "Plugins": "Plugins.menu_access",
    "Pools": "Pools.menu_access",
    "Providers": "Providers.menu_access",
    "Variables": "Variables.menu_access",
    "XComs": "XComs.menu_access",
}
SECURITY_MENU = {
    "Users": "List Users.menu_access",
    "Roles": "List Roles.menu_access",
    "Actions": "Actions.menu_access",
    "Resources": "Resources.menu_access",
    "Permissions": "Permission Pairs.menu_access",
}
