"""What people define for experiments."""

RESOURCES = ()
