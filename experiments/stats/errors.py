"""Input that statistics refuse, each with a name of its own.

StatisticsError
├── ImpossibleSums      sums that no data can have
└── UnusableShares      shares of variants that do not describe a split
"""


class StatisticsError(ValueError):
    """What was given cannot be analysed."""


class ImpossibleSums(StatisticsError):
    """Sums that no data can have: negative counts, values that are not finite, or squares that are too small."""


class UnusableShares(StatisticsError):
    """Shares that are not positive, do not sum to one, or leave the control out."""
