"""Forms of things that others may change meanwhile: what was opened comes back with what was typed."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404

from controlplane.models import AuditEvent
from controlplane.problems.errors import Outdated, SluiceError
from controlplane.web.pages import show_refusal

Save = Callable[[Mapping[str, Any], int], object]
NOTHING = "nothing"
EMPTY = (None, "", "[]", "{}")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that somebody else changed, or the person, as each of them has it."""

    label: str
    opened: str
    now: str
    typed: str

    @property
    def is_contested(self) -> bool:
        """Whether both changed it, and not to the same."""
        return self.now not in (self.opened, self.typed)


class VersionedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form of a row with a key and a version.

    A page that is sent back holds the version that was opened and, hidden, each field's value then: only what the
    person changed is written, and only where nobody else wrote meanwhile.
    """

    wide: ClassVar[Collection[str]] = ()
    """Fields that take the whole width of the page."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.differences: list[Difference] = []
        self.last_change: AuditEvent | None = None
        if self.instance.pk is not None:
            self._is_of(self.instance)

    def _is_of(self, thing: Any) -> None:
        # Links, tables and history refer to the key.
        self.fields["key"].disabled = True
        for name, field in self.fields.items():
            field.show_hidden_initial = name != "key" and self._was_opened(name)
        self.fields["version"] = forms.IntegerField(
            required=False, widget=forms.HiddenInput, initial=thing.version, show_hidden_initial=False
        )

    def _was_opened(self, name: str) -> bool:
        """Whether the page tells what this field held; a form that is not sent yet is going to."""
        return not self.is_bound or self[name].html_initial_name in self.data

    @property
    def opened_version(self) -> int:
        """The version that the page was made of; 0, which none has, where it does not say."""
        return self.cleaned_data["version"] or 0

    @property
    def changes(self) -> dict[str, Any]:
        """What the person changed, checked."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "version"}

    def rebased(self) -> Self:
        """The same form on the row as it is now: what the person changed as it was typed, all else as it is.

        Raises `Http404` when the row was removed.
        """
        thing = get_object_or_404(type(self.instance), pk=self.instance.pk)
        now = type(self)(instance=thing)
        data: dict[str, Any] = {"version": thing.version}
        for name in now.fields.keys() - {"version"}:
            data[now[name].html_initial_name] = now[name].value()
            data[name] = self[name].data if name in self.changed_data else now[name].value()
        form = type(self)(data, instance=thing)
        form.differences = [found for name in now.fields if (found := self._difference(name, now))]
        of_it = AuditEvent.objects.filter(object_type=thing._meta.model_name, object_key=thing.key)
        form.last_change = of_it.first()
        return form

    def _difference(self, name: str, now: Self) -> Difference | None:
        field = self.fields[name]
        if name in ("key", "version"):
            return None
        present = now[name].value()
        opened = self.data.get(self[name].html_initial_name) if field.show_hidden_initial else present
        typed = self[name].data if name in self.changed_data else present
        found = Difference(str(self[name].label), *(_words(field, value) for value in (opened, present, typed)))
        return None if found.opened == found.now == found.typed else found


Form = TypeVar("Form", bound=VersionedForm)


def unsaved(form: Form, save: Save) -> Form | None:
    """Save what the person changed of the version that they saw; None when that is done.

    Else the form to show again: with what is wrong, or with what somebody else changed meanwhile.
    """
    if not form.is_valid():
        return form
    try:
        save(form.changes, form.opened_version)
    except Outdated:
        return form.rebased()
    except SluiceError as error:
        show_refusal(form, error)
        return form
    return None


def _words(field: forms.Field, value: Any) -> str:
    """A field's value as it stands in the page, or as people would say it."""
    if isinstance(field, forms.BooleanField):
        return "yes" if field.to_python(value) else "no"
    choices = {str(key): str(label) for key, label in getattr(field, "choices", ())}
    try:
        shown = choices.get(str(value)) or field.prepare_value(field.to_python(value))
    except ValidationError:
        shown = value
    return NOTHING if value in (None, "") or shown in EMPTY else str(shown).strip()
