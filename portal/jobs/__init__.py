"""What runs in the background: claim work, call the model, commit. The truth is in the rows."""

from portal.jobs.queue import nudge

__all__ = ["nudge"]
