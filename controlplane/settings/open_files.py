"""How many files, and so connections, the processes of an installation may have open."""

import resource

USUAL = 65_536


def raise_open_files() -> int:
    """Let this process and those that it starts open as many as the system permits, and say how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    permitted = USUAL if hard == resource.RLIM_INFINITY else min(hard, USUAL)
    if soft != resource.RLIM_INFINITY and soft < permitted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (permitted, hard))
    return permitted
