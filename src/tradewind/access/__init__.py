"""Tokens and identities: who may enter an environment, as whom, and with which commands.

Everything here is pure given a key and a clock, but for `sessions.AirflowSessions`, which asks an
environment's own API server. Tokens are minted by the API and redeemed by the gateway; see
`docs/sign-in.md` for the whole way from an IAM identity to Airflow's session.
"""
