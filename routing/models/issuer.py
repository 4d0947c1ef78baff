"""Who signs the tokens that users bring."""

from django.core.validators import MaxLengthValidator
from django.db import models

from controlplane.storage.keyed import Keyed
from controlplane.storage.legible_columns import LegibleField
from routing.models.stored_lists import STORED_TEXTS, check_texts


class Issuer(Keyed):
    """Who signs the tokens that endpoints take: its name in them, whom they are for, and its public keys."""

    issuer = models.CharField(max_length=300, help_text="The `iss` of its tokens.")
    audiences = LegibleField(
        shape=STORED_TEXTS,
        default=list,
        blank=True,
        validators=[check_texts],
        help_text="The `aud` of tokens that are taken; none: any.",
    )
    key_set = models.TextField(validators=[MaxLengthValidator(100_000)], help_text="Its JSON Web Key Set.")
