"""How a backend behaves: stated on its command line, and kept to."""

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """Latency in seconds (mean, and spread as the standard deviation of its logarithm), shares from 0 to 1."""

    name: str
    seconds: float
    spread: float
    first_token_share: float
    error_rate: float
    quality: float
    seed: int


class Behaviour:
    """Draws what happens to each request; the same seed draws the same sequence."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._random = random.Random(profile.seed)

    def duration(self) -> float:
        """Seconds that an answer takes: log-normal with the stated mean."""
        spread = self.profile.spread
        return self.profile.seconds * math.exp(self._random.gauss(-(spread**2) / 2, spread))

    def fails(self) -> bool:
        """Whether this request is answered with an error."""
        return self._random.random() < self.profile.error_rate

    def answer(self, first: int, second: int) -> int:
        """The sum, right as often as the profile's quality says."""
        right = self._random.random() < self.profile.quality
        return first + second + (0 if right else self._random.choice((-10, -1, 1, 10)))
