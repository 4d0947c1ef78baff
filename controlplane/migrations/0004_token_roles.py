"""Tokens of those who send outcomes; the database holds no list of the roles of tokens."""

from django.db import migrations, models

ROLES = [
    ("viewer", "Viewer: may look"),
    ("sender", "Sender: may send outcomes, and nothing else"),
    ("reporter", "Reporter: may look and send outcomes"),
    ("operator", "Operator: may run experiments and change routing"),
    ("admin", "Admin: may manage accounts too"),
]


class Migration(migrations.Migration):
    dependencies = [("controlplane", "0003_audit_times")]
    operations = [
        migrations.AlterField("token", "role", models.CharField(choices=ROLES, default="operator", max_length=10)),
    ]
