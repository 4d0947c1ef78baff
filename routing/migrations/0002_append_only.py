"""Published routing tables cannot be rewritten."""

from django.db import migrations

from controlplane.audit.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("routing", "0001_initial")]
    operations = [AppendOnly("routing_routingtable")]
