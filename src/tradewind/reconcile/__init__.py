"""Making it so: observe the world, plan (pure), perform. Writes what was observed, never what is wanted.

Level-triggered: every pass looks again and does what is missing; a crash at any point is followed by a
pass that begins with a look. No step retries by itself: the next pass is the retry.
"""

from tradewind.reconcile.loop import Reconciler

__all__ = ["Reconciler"]
