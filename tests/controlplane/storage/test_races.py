"""What a change does with rows that others have just taken, removed or bent."""

import pytest
from django.db.models import ProtectedError

from controlplane.models import Token, User
from controlplane.problems.errors import Conflict, Missing
from controlplane.storage.races import beside_others, insert, locked
from routing.models import Backend, Endpoint, Layer
from tests.factories.drafts import backend, endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def add_layers(*salts: str) -> None:
    """Of one key."""
    with beside_others():
        for salt in salts:
            insert(Layer(key="other", name="Other", salt=salt))


def add_tokens(*names: str) -> None:
    """Of one prefix."""
    user = User.objects.create(username="olga")
    with beside_others():
        for name in names:
            Token.objects.create(user=user, name=name, prefix="same", digest="0")


def test_a_key_that_is_taken_is_named_and_the_change_undone() -> None:
    with pytest.raises(Conflict) as caught:
        add_layers("a", "b")
    assert (caught.value.code, caught.value.problems[0].field) == ("key-taken", "key")
    assert caught.value.detail == "There is a layer called other already."
    assert not Layer.objects.filter(key="other").exists()


def test_another_unique_field_is_a_conflict_too() -> None:
    with pytest.raises(Conflict) as caught:
        add_tokens("one", "two")
    assert caught.value.code == "overtaken"


def test_a_row_that_does_not_go_together_with_anothers_change_is_a_conflict() -> None:
    chat = endpoint()
    chat.standby = chat.backend
    with pytest.raises(Conflict), beside_others():
        chat.save()


def test_a_row_that_is_gone_is_missing() -> None:
    gone = backend("gone")
    Backend.objects.filter(pk=gone.pk).delete()
    with pytest.raises(Missing) as caught, beside_others():
        locked(gone)
    assert "gone" in caught.value.detail


def test_a_locked_row_is_as_it_is_now() -> None:
    chat = endpoint()
    Endpoint.objects.filter(pk=chat.pk).update(name="Renamed")
    with beside_others():
        assert locked(chat).name == "Renamed"


def test_what_is_in_use_stays_what_it_is() -> None:
    used = endpoint().backend
    with pytest.raises(ProtectedError), beside_others():
        locked(used).delete()
