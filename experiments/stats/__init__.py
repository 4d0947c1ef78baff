"""Statistics: pure functions from sums to verdicts. No Django, no I/O.

    core           arrays, types, contrasts of two arms: what all others stand on
    metrics        one file a metric
    sequential     evidence that may be looked at again and again
    health         whether the data may be trusted
    judging        from a plan and its evidence to verdicts
    planning       how many users a plan needs
    simulation     a plan tried out before it runs
    adjust, drift, shadow: see below

No product module reaches these yet; they are calibrated and tested like the others, and wait for their page:

- `adjust.capping`, caps for heavy tails
- `core.bayes`, a second reading in the words of probability
- `core.equivalence`, two one-sided tests
- `core.strata`, parts of the evidence with one allocation each
- `drift.bins`, `drift.distances`, `drift.over_time`, `drift.report`, `drift.requests`: other questions than before
- `metrics.quantile_difference`, intervals of two arms' quantiles
- `metrics.slow_requests`, the share above a threshold that was frozen before the start
- `sequential.bounded`, exact intervals at all times of values between 0 and 1
- `shadow.discordance`, `shadow.paired`, the same request to both models
"""
