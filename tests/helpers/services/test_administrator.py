"""Whether experiments about permissions can make users."""

from helpers import services
from helpers.broker import assigned_vhosts
from helpers.services import administrator


def test_a_login_that_makes_vhosts_makes_users(monkeypatch):
    monkeypatch.delenv(assigned_vhosts.VARIABLE, raising=False)
    assert administrator.missing() is None
    assert services.missing(["experiment", "needs-administrator"]) is None


def test_a_login_with_assigned_vhosts_does_not(monkeypatch):
    monkeypatch.setenv(assigned_vhosts.VARIABLE, "class-1.1,class-1.2")
    said = administrator.missing()
    assert "may not make users" in said
    assert assigned_vhosts.VARIABLE in said
    assert services.missing(["needs-administrator"]) == said
