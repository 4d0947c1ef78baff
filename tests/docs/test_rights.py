"""The table of rights says which role has which."""

from controlplane.models import Right, Role
from tests.docs.test_tables import rows


def test_each_right_has_its_row_and_each_role_its_rights() -> None:
    table = rows("docs/rights.md", 9)
    assert list(table) == [right.value for right in Right]
    for right in Right:
        _, words, *may = table[right.value]
        assert words == right.label
        assert [role for role, told in zip(Role, may, strict=True) if told == "yes"] == [
            role for role in Role if right in role.rights
        ]
