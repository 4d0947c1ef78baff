"""The form of a draft together with its rows of candidates, metrics and stages."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

from django.forms import Form

from controlplane.models import AuditEvent
from controlplane.problems.errors import FieldProblem, InvalidInput, SluiceError
from controlplane.problems.strict_json import read_json
from experiments.forms.draft_fields import FIRST_CANDIDATES, FIRST_METRICS, FIRST_STAGES
from experiments.forms.experiment_forms import CandidateRows, ExperimentForm, MetricRows, StageRows
from experiments.forms.rebase import changed, differences, parts, rebase, whole
from experiments.forms.spec_fields import SpecForm
from experiments.forms.typed import typed_candidates, typed_form, typed_metrics, typed_stages
from experiments.models import Experiment
from experiments.models.default_guardrails import DEFAULT_MARGINS
from experiments.plan.as_written import as_written
from experiments.plan.spec import ExperimentSpec, read_spec

PARAMETERS = ("headers", "query")

Rows = Sequence[Mapping[str, Any]]


class ExperimentSheet:
    """All that is typed for a draft: a new one, or with `key` one that is there.

    `problems` are sentences about the sheet as a whole; those about one field are shown beside it.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        key: str = "",
        typed: Mapping[str, Any] | None = None,
        candidates: Rows = FIRST_CANDIDATES,
        metrics: Rows = FIRST_METRICS,
        stages: Rows = FIRST_STAGES,
    ) -> None:
        self.key = key
        self.form = ExperimentForm(data, initial={**(typed or {}), **({"key": key} if key else {})})
        # Links, tables and history refer to the key.
        self.form.fields["key"].disabled = bool(key)
        self.candidates = CandidateRows(data, prefix="candidates", initial=[dict(row) for row in candidates])
        self.metrics = MetricRows(data, prefix="metrics", initial=[dict(row) for row in metrics])
        self.stages = StageRows(data, prefix="stages", initial=[dict(row) for row in stages])
        self.problems: list[str] = []

    @classmethod
    def of(cls, experiment: Experiment, spec: Mapping[str, Any] | None = None) -> Self:
        """The sheet of a draft as it is now, or as this spec would have it.

        Raises `InvalidInput` when what is stored makes no sense.
        """
        now = read_spec(as_written(experiment)).model_dump(mode="json")
        spec = spec or now
        return cls(
            key=experiment.key,
            typed={**typed_form(spec), "version": experiment.version, "opened": json.dumps(now)},
            candidates=typed_candidates(spec),
            metrics=typed_metrics(spec),
            stages=typed_stages(spec),
        )

    @property
    def version(self) -> int:
        """The version that the page was made of; 0, which none has, where it does not say."""
        return self.form.cleaned_data["version"] or 0

    def rebased(self, experiment: Experiment, spec: ExperimentSpec) -> Self:
        """The sheet of the draft as it is now: what the person changed as it was typed, all else as it is."""
        opened, typed = parts(self._opened()), parts(spec.model_dump(mode="json"))
        now = parts(read_spec(as_written(experiment)).model_dump(mode="json"))
        saved = rebase(opened, now, typed)
        sheet = type(self).of(experiment, whole(saved))
        sheet.form.differences = differences(opened, now, saved)
        of_it = AuditEvent.objects.filter(object_type="experiment", object_key=experiment.key)
        sheet.form.last_change = of_it.first()
        return sheet

    def changes(self, spec: ExperimentSpec) -> dict[str, Any]:
        """What the person changed of what was opened; blanks and line ends that a form makes its own are no change."""
        return changed(self._opened(), spec.model_dump(mode="json"))

    def _opened(self) -> dict[str, Any]:
        try:
            found = read_json(self.form.cleaned_data["opened"])
        except InvalidInput:
            return {}
        return found if isinstance(found, dict) else {}

    def with_row_added(self, name: str) -> Self:
        """Everything as typed and one more row of `candidates`, `metrics` or `stages`; nothing is checked yet."""
        rows = self._typed_rows()
        before = rows.get(name, [])
        row = {"key": f"candidate-{len(before) + 1}", "weight": 1} if name == "candidates" else {}
        return self._with_rows({**rows, name: [*before, row]})

    def with_row_removed(self, row_name: str) -> Self:
        """Everything as typed but one row, which is called like `metrics-1`."""
        rows = self._typed_rows()
        name, _, number = row_name.partition("-")
        kept = [row for at, row in enumerate(rows.get(name, [])) if str(at) != number]
        return self._with_rows({**rows, name: kept})

    def read(self) -> ExperimentSpec | None:
        """What was typed as a spec; None when something cannot be used, which is then said on the sheet."""
        sheets = (self.form, self.candidates, self.metrics, self.stages)
        valid = [sheet.is_valid() for sheet in sheets]
        if not all(valid) or not self._differ():
            self.problems.append("Some fields need a correction; nothing was saved, and nothing you typed is lost.")
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

    def _differ(self) -> bool:
        """Refuse to compare a version with itself."""
        control = self.form.spec("control")
        for row in self.candidates.forms:
            if all(_row_spec(row)[part] == control[part] for part in ("backend", *PARAMETERS)):
                row.add_error("backend", "Choose another backend than the control's, or other headers or parameters.")
        return self.candidates.is_valid()

    def _typed_rows(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "candidates": [_typed(row) for row in self.candidates.forms],
            "metrics": [_typed(row) for row in self.metrics.forms],
            "stages": [_typed(row) for row in self.stages.forms],
        }

    def _with_rows(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Self:
        return type(self)(
            key=self.key,
            typed=_typed(self.form),
            candidates=rows["candidates"],
            metrics=rows["metrics"],
            stages=rows["stages"],
        )

    def _spec(self) -> dict[str, Any]:
        form, typed = self.form, self.form.cleaned_data
        return {
            **form.spec(),
            "control": form.spec("control"),
            "candidates": [_row_spec(row) for row in self.candidates.forms],
            "plan": {
                **form.spec("plan"),
                "switched_off": [key for key in DEFAULT_MARGINS if key not in typed["watched"]],
                "metrics": [_row_spec(row) for row in self.metrics.forms],
                "stages": [_row_spec(row) for row in self.stages.forms],
            },
            "guard": form.spec("guard") if typed["guarded"] else None,
        }

    def _show_beside_field(self, problem: FieldProblem) -> bool:
        form, path = self._place(problem.field)
        field = form.called(path)
        if field not in form.fields:
            return False
        form.add_error(field, problem.message)
        return True

    def _place(self, path: str) -> tuple[SpecForm, str]:
        """The form that a path in the spec, like `plan.metrics.1.margin`, belongs to, and the path in that form."""
        rows, _, rest = path.removeprefix("plan.").partition(".")
        number, _, field = rest.partition(".")
        of_rows: dict[str, Any] = {"candidates": self.candidates, "metrics": self.metrics, "stages": self.stages}
        if rows in of_rows and number.isdecimal():
            return of_rows[rows].forms[int(number)], field
        return self.form, path


def _typed(form: Form) -> dict[str, Any]:
    return {name: form[name].data for name in form.fields}


def _row_spec(row: Form) -> dict[str, Any]:
    assert isinstance(row, SpecForm)  # noqa: S101 - what the formsets are made of
    return row.spec()
