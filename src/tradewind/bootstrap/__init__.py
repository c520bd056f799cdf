"""The only wiring: from settings to a running service, and to its end.

`serving.serve` is the service in this process, `detaching.detach` starts it in one of its own,
`ending.bring_down` stops everything that a data directory's service started, `examination.examine` finds
what is wrong on this machine. Nothing is imported here: the command line must start fast.
"""
