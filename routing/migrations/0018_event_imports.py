"""Imports of outcomes from files."""

from django.db import migrations, models

STATES = [
    ("receiving", "Receiving the file"),
    ("waiting", "Waiting"),
    ("running", "Running"),
    ("done", "Done"),
    ("failed", "Failed"),
]
KINDS = [("csv", "CSV"), ("jsonl", "JSON lines"), ("parquet", "Parquet")]


class Migration(migrations.Migration):
    dependencies = [("routing", "0017_ticks")]
    operations = [
        migrations.CreateModel(
            name="EventImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=32, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("kind", models.CharField(choices=KINDS, max_length=10)),
                ("size", models.BigIntegerField()),
                ("received", models.BigIntegerField(default=0)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("state", models.CharField(choices=STATES, db_index=True, default="receiving", max_length=10)),
                ("rows", models.BigIntegerField(null=True)),
                ("reached", models.BigIntegerField(default=0)),
                ("accepted", models.BigIntegerField(default=0)),
                ("duplicates", models.BigIntegerField(default=0)),
                ("refused", models.BigIntegerField(default=0)),
                ("problems", models.JSONField(default=list)),
                ("failure", models.TextField(blank=True)),
                ("actor", models.CharField(max_length=150)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
            ],
            options={"ordering": ["-id"]},
        ),
    ]
