"""One library's turn: `python worker.py NAME INPUT REPEATS`, in that library's own environment.

Prints JSON: CPU seconds of each analysis, and for every metric and candidate the difference and the ends of its 95 %
interval. Imports nothing of the product unless it is the product's turn, as other environments do not have it.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

Rows = list[list[float]]
CANDIDATES = ("a", "b", "c")
ALPHA = 0.05


def judged(metrics: list[dict[str, Any]]) -> Callable[[], Rows]:
    """The judge, all of it: intervals at one look, at all looks and at all times, evidence of harm, verdicts."""
    from experiments.stats.judging.judge import judge

    plan, evidence = sluice_input(metrics)

    def analyse() -> Rows:
        found = judge(plan, evidence).metrics
        return [[r.effect or 0.0, r.interval.low, r.interval.high] for r in found if r.interval is not None]

    return analyse


def same_work(metrics: list[dict[str, Any]]) -> Callable[[], Rows]:
    """Only what the others do too: differences, their intervals and p-values; with the variance of both values."""
    import numpy as np

    from experiments.stats.core.contrast import lower_tail
    from experiments.stats.judging import intervals
    from experiments.stats.judging.gather import gather

    plan, evidence = sluice_input(metrics)

    def analyse() -> Rows:
        with np.errstate(all="ignore"):
            cells = gather(plan, evidence)
            difference = intervals.Difference.of(cells, ALPHA)
            contrast = difference.contrast
            low, high = intervals.planned(cells, difference)
            tail = lower_tail(contrast)
            p_value = 2.0 * np.minimum(tail, 1.0 - tail)
            variances = [arm.estimates.variance / arm.estimates.units for arm in (cells.control, cells.candidate)]
        rows: Rows = np.stack([contrast.difference, low, high, *variances, p_value]).T[:, :5].tolist()
        return rows

    return analyse


def sluice_input(metrics: list[dict[str, Any]]) -> Any:
    """The plan and the evidence as the judge takes them."""
    from experiments.stats.core.types import Direction, Evidence, JudgePlan, MetricPlan, MetricType, Role, UnitSums

    roles = (Role.GOAL, Role.GUARDRAIL, Role.OBSERVED)
    plans = tuple(
        MetricPlan(f"m-{n:03}", MetricType(metric["kind"]), Direction.DECREASE, roles[n // 3 % 3], margin=0.05)
        for n, metric in enumerate(metrics)
    )
    plan = JudgePlan(plans, "control", dict.fromkeys(("control", *CANDIDATES), 0.25))
    sums = {
        (entry.key, variant): UnitSums(int(arm["units"]), *(arm[name] for name in ("y", "d", "yy", "dd", "yd")))
        for entry, metric in zip(plans, metrics, strict=True)
        for variant, arm in metric["arms"].items()
    }
    return plan, Evidence({name: int(arm["units"]) for name, arm in metrics[0]["arms"].items()}, sums)


def tea_tasting(metrics: list[dict[str, Any]]) -> Callable[[], Rows]:
    """Its metrics from its aggregates, so that no raw data is touched.

    Shares go through `Mean`: its `Proportion` compares z with the normal distribution, while all here use Student's.
    """
    from tea_tasting.aggr import Aggregates
    from tea_tasting.metrics import Mean, RatioOfMeans

    def aggregates(arm: dict[str, float]) -> Aggregates:
        n = arm["units"]

        def covariance(first: str, second: str, product: str) -> float:
            return (arm[product] - arm[first] * arm[second] / n) / (n - 1)

        return Aggregates(
            count_=int(n),
            mean_={"y": arm["y"] / n, "d": arm["d"] / n},
            var_={"y": covariance("y", "y", "yy"), "d": covariance("d", "d", "dd")},
            cov_={("d", "y"): covariance("y", "d", "yd")},
        )

    tests = [
        (
            RatioOfMeans("y", "d", equal_var=False) if metric["kind"] == "ratio" else Mean("y", equal_var=False),
            {name: aggregates(arm) for name, arm in metric["arms"].items()},
        )
        for metric in metrics
    ]

    def analyse() -> Rows:
        rows = []
        for test, arms in tests:
            for name in CANDIDATES:
                r = test.analyze_aggregates(arms["control"], arms[name])
                rows.append([r.effect_size, r.effect_size_ci_lower, r.effect_size_ci_upper])
        return rows

    return analyse


def gbstats(metrics: list[dict[str, Any]]) -> Callable[[], Rows]:
    """GrowthBook's two-sided test of the absolute difference."""
    from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest
    from gbstats.models.statistics import ProportionStatistic, RatioStatistic, SampleMeanStatistic

    def statistic(kind: str, arm: dict[str, float]) -> Any:
        n = int(arm["units"])
        y = SampleMeanStatistic(n=n, sum=arm["y"], sum_squares=arm["yy"])
        if kind == "proportion":
            return ProportionStatistic(n=n, sum=int(arm["y"]))
        if kind == "mean":
            return y
        d = SampleMeanStatistic(n=n, sum=arm["d"], sum_squares=arm["dd"])
        return RatioStatistic(n=n, m_statistic=y, d_statistic=d, m_d_sum_of_products=arm["yd"])

    tests = [{name: statistic(metric["kind"], arm) for name, arm in metric["arms"].items()} for metric in metrics]
    config = FrequentistConfig(difference_type="absolute", alpha=ALPHA)

    def analyse() -> Rows:
        rows = []
        for arms in tests:
            for name in CANDIDATES:
                r = TwoSidedTTest(arms["control"], arms[name], config).compute_result()
                rows.append([r.expected, *r.ci])
        return rows

    return analyse


LIBRARIES = {"sluice": same_work, "sluice, the whole judge": judged, "tea-tasting": tea_tasting, "gbstats": gbstats}


def main() -> None:
    """Time the analysis after one that is not counted."""
    name, path, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(path) as source:  # noqa: PTH123 - other environments run this file alone
        analyse = LIBRARIES[name](json.load(source))
    rows = analyse()
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        analyse()
        seconds.append(time.process_time() - started)
    print(json.dumps({"seconds": seconds, "rows": rows}))


if __name__ == "__main__":
    main()
