"""People in front of a browser: logged in, with a role."""

from django.test import Client

from controlplane.models import Role, User


def visitor(role: Role) -> Client:
    """A browser in which a person of that role is logged in."""
    user, _ = User.objects.get_or_create(username=role.value, defaults={"role": role})
    browser = Client()
    browser.force_login(user)
    return browser


def text(browser: Client, path: str, *, status: int = 200) -> str:
    """The page at a path, which must answer with that status."""
    answer = browser.get(path)
    assert answer.status_code == status, f"{path}: {answer.status_code}"
    return answer.content.decode()
