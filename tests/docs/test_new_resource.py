"""A resource with pages is added to a copy of the repository, and does all that the others do."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.migrated import new_database

pytestmark = pytest.mark.slow

MOST_FILES = 6

WRITTEN = {
    "routing/models/region.py": '''
from django.db import models

from controlplane.storage.keyed import Keyed


class Region(Keyed):
    """Where backends are."""

    provider = models.CharField(max_length=20, help_text="Whose data centre it is.")
''',
    "routing/catalogue/regions.py": '''
from controlplane.api.fields import StrictModelSerializer
from controlplane.catalogue.resource import Resource
from controlplane.web.editing import VersionedForm
from routing.catalogue.served import published
from routing.models import Region
from routing.resources.edit import edit
from routing.resources.register import register
from routing.resources.remove import remove


class RegionForm(VersionedForm):
    """Where backends are."""

    class Meta:
        model = Region
        fields = ["key", "name", "provider"]


class RegionSerializer(StrictModelSerializer[Region]):
    """Where backends are."""

    class Meta:
        model = Region
        fields = (*RegionForm.Meta.fields, "created_at", "broken")


REGIONS = Resource(
    rows=Region.objects.all(),
    form=RegionForm,
    serializer=RegionSerializer,
    add=register,
    edit=edit,
    remove=remove,
    words=published("Nothing comes of it."),
    list_template="routing/regions.html",
)
''',
    "templates/routing/regions.html": """{% extends "resource_list.html" %}
{% block columns %}<th scope="col">Provider</th>{% endblock %}
{% block cells %}<td data-label="Provider"><span>{{ row.provider }}</span></td>{% endblock %}
""",
}
ENTERED = {
    "routing/models/__init__.py": "from routing.models.region import Region\n",
    "routing/catalogue/__init__.py": "from routing.catalogue.regions import REGIONS\nRESOURCES += (REGIONS,)\n",
}

VISIT = """
import json
import django

django.setup()

from django.test import Client
from django.test.utils import setup_test_environment
from controlplane.accounts.tokens import issue_token
from controlplane.models import AuditEvent, Role, User
from drf_spectacular.generators import SchemaGenerator

setup_test_environment()
people = {role: User.objects.create(username=role.value, role=role) for role in (Role.VIEWER, Role.APPROVER)}
viewer, approver = Client(), Client()
viewer.force_login(people[Role.VIEWER])
approver.force_login(people[Role.APPROVER])
token = {role: issue_token(person, "test", role=role) for role, person in people.items()}
typed = {"key": "north", "name": "The north", "provider": "own"}

def call(role, method, path, body=None):
    headers = {"authorization": f"Bearer {token[role]}"}
    return Client(headers=headers).generic(method, f"/api/v1/{path}", json.dumps(body), "application/json")

def form(path):
    return {field.html_name: field.value() for field in approver.get(path).context["form"]}

def post(path, sent):
    return approver.post(path, sent, follow=True).content.decode()

found = {
    "refused": [viewer.get("/regions/new").status_code, call(Role.VIEWER, "POST", "regions", typed).status_code],
    "added": post("/regions/new", typed),
    "listed": viewer.get("/regions").content.decode(),
    "menu": viewer.get("/backends").content.decode(),
    "read": call(Role.VIEWER, "GET", "regions/north").json(),
    "changed": call(Role.APPROVER, "PATCH", "regions/north", {"name": "North"}).json(),
    "edited": post("/regions/north/edit", form("/regions/north/edit") | {"name": "Far north"}),
    "index": call(Role.VIEWER, "GET", "").json(),
    "asked": approver.get("/regions/north/delete").content.decode(),
    "removed": post("/regions/north/delete", {}),
    "audit": list(AuditEvent.objects.order_by("id").values_list("verb", "object_type", "object_key")),
    "paths": [path for path in SchemaGenerator().get_schema(request=None, public=True)["paths"] if "region" in path],
}
print(json.dumps(found))
"""


def run(copy: Path, database: str, *command: str) -> str:
    """What a command prints that runs in the copy."""
    settings = {"DJANGO_SETTINGS_MODULE": "controlplane.settings.django", "SLUICE_DATABASE_URL": database}
    known = {**os.environ, "PYTHONPATH": str(copy), **settings}
    done = subprocess.run([sys.executable, *command], cwd=copy, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The product's code, with one more resource."""
    for name in ("controlplane", "routing", "experiments", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", tmp_path)
    for name, text in WRITTEN.items():
        (tmp_path / name).write_text(text)
    for name, text in ENTERED.items():
        (tmp_path / name).write_text((ROOT / name).read_text() + text)
    return tmp_path


def test_a_new_resource_does_all_that_the_others_do(copy: Path) -> None:
    assert len(WRITTEN | ENTERED) <= MOST_FILES
    database = new_database(copy)
    run(copy, database, "manage.py", "makemigrations", "routing")
    run(copy, database, "manage.py", "migrate", "--verbosity", "0")
    found = json.loads(run(copy, database, "-c", VISIT).splitlines()[-1])
    assert found["refused"] == [403, 403]
    assert "Region north is registered." in found["added"]
    assert "The north" in found["listed"]
    assert "/regions/new" not in found["listed"]
    assert '<a href="/regions">Regions</a>' in found["menu"]
    assert found["read"]["provider"] == "own"
    assert found["changed"]["name"] == "North"
    assert "Region north is changed" in found["edited"]
    assert found["index"]["regions"].endswith("/api/v1/regions")
    assert "Remove the region" in found["asked"]
    assert "Region north is removed." in found["removed"]
    assert [tuple(event) for event in found["audit"]] == [
        (verb, "region", "north") for verb in ("register", "edit", "edit", "remove")
    ]
    assert found["paths"] == ["/api/v1/regions", "/api/v1/regions/{key}"]
