"""An experiment's course: its effects, traffic and failures over time.

Each tick leaves one point, and takes away those that another soon follows, the more of them the older they are. Counts
are of all that had come by then, so that what came between any two points is their difference.
"""
