"""The form of a new experiment together with its rows of metrics and stages."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from django.forms import Form

from controlplane.problems.errors import FieldProblem, InvalidInput, SluiceError
from experiments.forms.experiment_forms import (
    FIRST_METRICS,
    FIRST_STAGES,
    PERCENT,
    ExperimentForm,
    MetricRow,
    MetricRows,
    StageRow,
    StageRows,
)
from experiments.models.default_guardrails import DEFAULT_MARGINS
from experiments.plan.spec import ExperimentSpec, read_spec

DAY = 86_400
NAMES = {
    "control.backend": "control",
    "candidates.0.backend": "candidate",
    "control.headers": "control_headers",
    "control.query": "control_query",
    "candidates.0.headers": "candidate_headers",
    "candidates.0.query": "candidate_query",
    "maximum_seconds": "maximum_days",
    "switched_off": "watched",
    "soak_seconds": "soak_minutes",
}
"""Fields that the form calls otherwise than the spec."""


class ExperimentSheet:
    """All that is typed for a new experiment.

    `problems` are sentences about the sheet as a whole; those about one field are shown beside it.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        typed: Mapping[str, Any] | None = None,
        metrics: Sequence[Mapping[str, Any]] = FIRST_METRICS,
        stages: Sequence[Mapping[str, Any]] = FIRST_STAGES,
    ) -> None:
        self.form = ExperimentForm(data, initial=dict(typed or {}))
        self.metrics = MetricRows(data, prefix="metrics", initial=[dict(row) for row in metrics])
        self.stages = StageRows(data, prefix="stages", initial=[dict(row) for row in stages])
        self.problems: list[str] = []

    def with_row_added(self, name: str) -> Self:
        """Everything as typed and one more row of `metrics` or `stages`; nothing is checked yet."""
        rows = self._typed_rows()
        return self._with_rows({**rows, name: [*rows.get(name, []), {}]})

    def with_row_removed(self, row_name: str) -> Self:
        """Everything as typed but one row, which is called like `metrics-1`."""
        rows = self._typed_rows()
        name, _, number = row_name.partition("-")
        kept = [row for at, row in enumerate(rows.get(name, [])) if str(at) != number]
        return self._with_rows({**rows, name: kept})

    def read(self) -> ExperimentSpec | None:
        """What was typed as a spec; None when something cannot be used, which is then said on the sheet."""
        if not all([self.form.is_valid(), self.metrics.is_valid(), self.stages.is_valid()]):
            self.problems.append("Some fields need another look; nothing was saved, and nothing you typed is lost.")
            return None
        try:
            return read_spec(self._spec())
        except InvalidInput as error:
            self.show(error)
            return None

    def show(self, error: SluiceError) -> None:
        """Put every problem beside its field, or above the sheet when it is about more than one, or about none."""
        if not error.problems:
            self.problems.append(f"{error.detail} {error.next_step}")
        for problem in error.problems:
            if not self._show_beside_field(problem):
                self.problems.append(problem.message)

    def _typed_rows(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "metrics": [_typed(row) for row in self.metrics.forms],
            "stages": [_typed(row) for row in self.stages.forms],
        }

    def _with_rows(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Self:
        return type(self)(typed=_typed(self.form), metrics=rows["metrics"], stages=rows["stages"])

    def _spec(self) -> dict[str, Any]:
        data = self.form.cleaned_data
        return {
            **{name: data[name] for name in ("key", "name", "hypothesis", "kind", "traffic", "audience")},
            "endpoint": data["endpoint"].key,
            "control": self._variant("control"),
            "candidates": [self._variant("candidate")],
            "plan": {
                **{name: data[name] / PERCENT for name in ("alpha", "halt_alpha", "power")},
                **{name: data[name] for name in ("minimum_units", "tick_seconds")},
                "maximum_seconds": round(data["maximum_days"] * DAY),
                "switched_off": [key for key in DEFAULT_MARGINS if key not in data["watched"]],
                "metrics": [_row_spec(row) for row in self.metrics.forms],
                "stages": [_row_spec(row) for row in self.stages.forms],
            },
        }

    def _variant(self, name: str) -> dict[str, Any]:
        data = self.form.cleaned_data
        parameters = {"headers": data[f"{name}_headers"], "query": data[f"{name}_query"]}
        return {"key": name, "backend": data[name].key, **parameters}

    def _show_beside_field(self, problem: FieldProblem) -> bool:
        form, field = self._place(problem.field)
        if form is None or field not in form.fields:
            return False
        form.add_error(field, problem.message)
        return True

    def _place(self, path: str) -> tuple[Form | None, str]:
        """The form and the field that a path in the spec, like `plan.metrics.1.margin`, belongs to."""
        path = path.removeprefix("plan.")
        rows, _, rest = path.partition(".")
        number, _, field = rest.partition(".")
        if rows in ("metrics", "stages") and number.isdecimal():
            forms = self.metrics.forms if rows == "metrics" else self.stages.forms
            return forms[int(number)], NAMES.get(field, field)
        return self.form, NAMES.get(path, path)


def _typed(form: Form) -> dict[str, Any]:
    return {name: form[name].data for name in form.fields}


def _row_spec(row: Form) -> dict[str, Any]:
    assert isinstance(row, MetricRow | StageRow)  # noqa: S101 - what the two formsets are made of
    return row.spec()
