"""What the real servers run is for their own environments."""

collect_ignore = ["programs"]
