"""The audit trail cannot be rewritten."""

from django.db import migrations

from controlplane.audit.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("controlplane", "0001_initial")]
    operations = [AppendOnly("controlplane_auditevent")]
