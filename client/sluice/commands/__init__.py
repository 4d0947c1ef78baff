"""The commands of `sluice`, each in a file of its own."""
