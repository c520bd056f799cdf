"""The words of the service as frozen dataclasses: standard library only, no input or output.

Environments, what is asked of them (Spec), how they are named (identifiers, ARNs), where things lie
(Layout), what runs (Manifest, Process), and the rules that one member alone cannot break.
"""
