"""A key that opens endpoints."""

from django.db import models

from controlplane.storage.keyed import KEY_VALIDATOR
from routing.models.endpoint import Endpoint


class AccessKey(models.Model):
    """A key that lets a client in, kept as its hash alone; one without endpoints opens all that ask for keys."""

    client = models.CharField(max_length=63, validators=[KEY_VALIDATOR], help_text="Name of the client in logs.")
    prefix = models.CharField(max_length=12, help_text="How the key begins, to tell keys apart.")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the key.")
    endpoints = models.ManyToManyField(Endpoint, blank=True, related_name="access_keys")
    for_tests = models.BooleanField(
        default=False, help_text="Whoever sends it as `x-sluice-key` may force a variant and be explained to."
    )
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("client", "-created_at")

    def __str__(self) -> str:
        return f"{self.client} ({self.prefix}…)"
