"""What endpoints share the users of."""

import secrets
from typing import ClassVar

from django.core.validators import MaxValueValidator
from django.db import models

from controlplane.storage.keyed import Keyed
from routing.table import BUCKETS


def new_salt() -> str:
    """A salt that no other layer has."""
    return secrets.token_hex(8)


class Layer(Keyed):
    """Endpoints whose users have the same buckets, and whose experiments share no user."""

    salt = models.CharField(
        max_length=64, blank=True, help_text="Separates this layer's assignment from all others; made when left out."
    )
    holdout = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(BUCKETS - 1)],
        help_text="Share of the users that no experiment takes, in 1/10 000: the last buckets.",
    )

    class Meta(Keyed.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(salt=""), name="layer_salt_not_empty"),
            models.CheckConstraint(condition=models.Q(holdout__lt=BUCKETS), name="layer_holdout_in_range"),
        ]

    def clean(self) -> None:
        """Make a salt where none was given."""
        self.salt = self.salt or new_salt()
