"""Preloaded parents: one process an environment imports Airflow once, and components are its forks.

`docs/preloading.md` says what is promised. In short:

- `parent`: the program `preload`. It holds no secret, imports (`modules`), and forks a child for each request.
- `asking`: what a component does first. It asks the parent for a child, hands it its whole environment over the
  socket, passes signals on, and ends as the child ends. Where anything is not as it must be the component starts cold.
- `child`: what happens between the fork and Airflow's own command.
- `reads`: which variables were read while importing, so that no component inherits an answer that would not be its own.
- `wire`: the messages; `sessions`: everything that a child leaves behind is ended.

`asking`, `wire` and `sessions` stay in a process that waits for as long as the component lives: they import little.
"""
