"""Pages that change as it happens: who looks at which order, and how they are told.

`streams` holds the open pages of a process, `watch` is the one thread of it that learns of changes,
`server` a process that does nothing else. Pages that find no place ask every twenty seconds.
"""

from portal.live.streams import Stream, Streams, init_live, streams_of

__all__ = ["Stream", "Streams", "init_live", "streams_of"]
