"""What an answer says of edges that were told of a change."""

from rest_framework import serializers

from routing.publishing.confirmation import Confirmation


class ConfirmationSerializer(serializers.Serializer[Confirmation]):
    """Which edges serve the table that they are told, by name, and which have not said so within two seconds."""

    table = serializers.IntegerField(source="version", help_text="Version of the routing table that edges are told.")
    confirmed = serializers.ListField(child=serializers.CharField())
    unconfirmed = serializers.ListField(
        child=serializers.CharField(), help_text="Users there may go on as before until they are gone from this list."
    )
    detail = serializers.CharField(source="sentence", help_text="The same in words; empty where no edge is known.")
