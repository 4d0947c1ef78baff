"""Each endpoint gets a layer of its own with the salt that it has, so that no user moves."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def give_layers(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """A layer for each endpoint, with its key, name and salt."""
    layers = apps.get_model("routing", "Layer")
    for endpoint in apps.get_model("routing", "Endpoint").objects.all():
        endpoint.layer = layers.objects.create(key=endpoint.key, name=endpoint.name, salt=endpoint.salt)
        endpoint.save(update_fields=["layer"])


def give_salts_back(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Each endpoint's salt from its layer."""
    for endpoint in apps.get_model("routing", "Endpoint").objects.select_related("layer"):
        endpoint.salt = endpoint.layer.salt
        endpoint.save(update_fields=["salt"])


class Migration(migrations.Migration):
    dependencies = [("routing", "0005_layers")]

    operations = [migrations.RunPython(give_layers, give_salts_back)]
