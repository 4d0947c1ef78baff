"""An audit event may tell of an earlier moment. The column stays as it is: rebuilding it would lift its guard."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("controlplane", "0002_append_only")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "auditevent", "at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)
                )
            ]
        )
    ]
