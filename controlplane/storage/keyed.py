"""Rows that people register, name by a key, and change."""

from django.core.validators import RegexValidator
from django.db import models

from controlplane.storage.versions import Versioned

KEY_VALIDATOR = RegexValidator(
    r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "Use lower-case letters, digits and inner hyphens, like `chat-v2`."
)


class Keyed(Versioned):
    """A row with a key, which never changes, and a name, which may."""

    key = models.CharField(max_length=63, unique=True, validators=[KEY_VALIDATOR])
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ("key",)

    @property
    def belongs_to(self) -> str | None:
        """The key of the endpoint that it is a part of, where there is one."""
        return None

    def __str__(self) -> str:
        return self.key
