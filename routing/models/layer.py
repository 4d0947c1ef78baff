"""What endpoints share the users of."""

import secrets
from typing import ClassVar

from django.core.validators import MaxValueValidator
from django.db import models

from controlplane.storage.versions import Versioned
from routing.models.validators import KEY_VALIDATOR
from routing.table import BUCKETS


def new_salt() -> str:
    """A salt that no other layer has."""
    return secrets.token_hex(8)


class Layer(Versioned):
    """Endpoints whose users have the same buckets, and whose experiments share no user."""

    key = models.CharField(max_length=63, unique=True, validators=[KEY_VALIDATOR])
    name = models.CharField(max_length=100)
    salt = models.CharField(
        max_length=64, blank=True, help_text="Separates this layer's assignment from all others; made when left out."
    )
    holdout = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(BUCKETS - 1)],
        help_text="Share of the users whom no experiment takes, in 1/10 000: the last buckets.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("key",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(salt=""), name="layer_salt_not_empty"),
            models.CheckConstraint(condition=models.Q(holdout__lt=BUCKETS), name="layer_holdout_in_range"),
        ]

    def __str__(self) -> str:
        return self.key
