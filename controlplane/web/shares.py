"""Shares as all pages write them."""

PERCENT = 100


def percent(share: float) -> str:
    """A share, like `12.5 %`.

    >>> percent(0.125), percent(1), percent(0.000123)
    ('12.5 %', '100 %', '0.0123 %')
    """
    return f"{share * PERCENT:.3g} %"
