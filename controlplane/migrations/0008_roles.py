"""Roles of people: whoever was an operator may do as an approver what operators could, and operators look and halt.

People may be limited to endpoints.
"""

from typing import Any

from django.db import migrations, models

OF_PEOPLE = [
    ("viewer", "Viewer: may look"),
    ("operator", "Operator: may look and halt"),
    ("editor", "Editor: may write drafts and what they need, and halt"),
    ("approver", "Approver: may start and promote what is written, too"),
    ("admin", "Admin: may manage accounts too"),
]
OF_TOKENS = [
    OF_PEOPLE[0],
    ("sender", "Sender: may send outcomes, and nothing else"),
    ("reporter", "Reporter: may look and send outcomes"),
    *OF_PEOPLE[1:],
]
KNOWN = "user_role_known"


def _rename(apps: Any, old: str, new: str) -> None:
    for model in ("User", "Token"):
        apps.get_model("controlplane", model).objects.filter(role=old).update(role=new)


def keep_rights(apps: Any, schema_editor: Any) -> None:
    """Operators become approvers, and so do their tokens."""
    _rename(apps, "operator", "approver")


def give_back(apps: Any, schema_editor: Any) -> None:
    """What the release before has no name for looks on, and approvers are its operators."""
    for role in ("operator", "editor"):
        _rename(apps, role, "viewer")
    _rename(apps, "approver", "operator")


class Migration(migrations.Migration):
    dependencies = [("controlplane", "0007_token_endpoints")]
    operations = [
        migrations.AddField(
            "user",
            "endpoints",
            models.JSONField(
                blank=True,
                default=list,
                help_text="The endpoints, by their keys, within which the person may change anything; none: all.",
            ),
        ),
        migrations.AlterField("user", "role", models.CharField(choices=OF_PEOPLE, default="viewer", max_length=10)),
        migrations.AlterField("token", "role", models.CharField(choices=OF_TOKENS, default="approver", max_length=10)),
        migrations.RemoveConstraint("user", KNOWN),
        migrations.RunPython(keep_rights, give_back),
        migrations.AddConstraint(
            "user",
            models.CheckConstraint(
                condition=models.Q(("role__in", ["viewer", "operator", "editor", "approver", "admin"])), name=KNOWN
            ),
        ),
    ]
