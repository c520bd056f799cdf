"""The TLS door: Caddy in front of the API and of every environment.

`hosts` decides how an environment is named on this machine, `configuration` renders one Caddy
configuration from the whole set of routes (pure), `door` keeps a running Caddy in step with it and
hands out the certificate bundle that clients need. Requests never pass through Python on their way
to an environment: a control plane that is down takes nothing with it but its own API.
"""
