"""The distribution of z at successive looks, among the paths that were not stopped before.

By the recursion of Armitage, McPherson and Rowe (Repeated significance tests on accumulating data, JRSS A 1969):
with information I_k, z_k sqrt(I_k) is a Brownian motion, so the density at a look is the one at the look before, cut to
where the path went on, and blurred by the information that came in between.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from experiments.stats.core.arrays import Floats

FAR = 8.5
"""Standard errors beyond which a path is not followed: less than 1e-16 of all."""

FEWEST_NODES = 96
NODES_A_DEVIATION = 4.0
MOST_NODES = 1600


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Paths that are still under way after a look: quadrature nodes in z and the probability at each.

    `information` is that of the look. Before the first look there is one node, z = 0, without information.
    `drift` is the mean of z at information 1.
    """

    information: float
    nodes: Floats
    probability: Floats
    drift: float = 0.0

    def exceeding(self, z: float, information: float) -> float:
        """Probability to be under way until the next look and to have at least z there."""
        return float(self.probability @ special.ndtr(self._centred(information) - self._scaled(z, information)))

    def below(self, z: float, information: float) -> float:
        """Probability to be under way until the next look and to have less than z there."""
        return float(self.probability @ special.ndtr(self._scaled(z, information) - self._centred(information)))

    def between(self, low: float, high: float, information: float) -> "Paths":
        """The paths that go on after a look with this information: those with z between low and high."""
        expected = self.drift * np.sqrt(information)
        low, high = max(low, expected - FAR), min(high, expected + FAR)
        deviation = np.sqrt(1.0 - self.information / information)
        wanted = NODES_A_DEVIATION * (high - low) / deviation
        points, weights = _legendre(int(np.clip(np.ceil(wanted / 32.0) * 32.0, FEWEST_NODES, MOST_NODES)))
        nodes = low + (high - low) * (points + 1.0) / 2.0
        distance = self._scaled(nodes[:, None], information) - self._centred(information)
        density = np.exp(-0.5 * distance**2) @ self.probability / (np.sqrt(2.0 * np.pi) * deviation)
        return Paths(information, nodes, density * weights * (high - low) / 2.0, self.drift)

    def _centred(self, information: float) -> Floats:
        """Mean of the next look's z of each node, in deviations of what comes in between."""
        added = information - self.information
        moved = self.nodes * np.sqrt(self.information) + self.drift * added
        return np.asarray(moved / np.sqrt(added), dtype=np.float64)

    def _scaled(self, z: Floats | float, information: float) -> Floats:
        return np.asarray(z * np.sqrt(information / (information - self.information)), dtype=np.float64)


def start(drift: float = 0.0) -> Paths:
    """All paths before the first look. Information is measured so that z has the mean `drift` at information 1."""
    return Paths(0.0, np.zeros(1), np.ones(1), drift)


@lru_cache(maxsize=64)
def _legendre(count: int) -> tuple[Floats, Floats]:
    points, weights = special.roots_legendre(count)
    return np.asarray(points, dtype=np.float64), np.asarray(weights, dtype=np.float64)
