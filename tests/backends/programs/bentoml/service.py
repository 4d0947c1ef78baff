"""A service of BentoML that takes a while to load."""

import time

import bentoml


@bentoml.service(workers=1)
class Sum:
    """Adds numbers."""

    def __init__(self) -> None:
        time.sleep(3)

    @bentoml.api
    def add(self, numbers: list[int], seconds: float = 0) -> int:
        """The sum, after so many seconds."""
        time.sleep(seconds)
        return sum(numbers)
