"""Salts are those of the layers."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("routing", "0006_a_layer_each")]

    operations = [
        migrations.AlterField(
            model_name="endpoint",
            name="layer",
            field=models.ForeignKey(
                help_text="Endpoints of one layer have the same buckets; left out, the endpoint gets one of its own.",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="endpoints",
                to="routing.layer",
            ),
        ),
        migrations.AlterField(model_name="endpoint", name="salt", field=models.CharField(default="", max_length=64)),
        migrations.RemoveField(model_name="endpoint", name="salt"),
    ]
