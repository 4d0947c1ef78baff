"""Where the pages of accounts, tokens and the audit trail live."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from controlplane.accounts.audit_page import audit_list
from controlplane.accounts.join_page import join
from controlplane.accounts.login import Login
from controlplane.accounts.password_page import password_change
from controlplane.accounts.people_pages import person_active, person_edit, person_link, person_list
from controlplane.accounts.token_pages import token_list, token_revoke, token_rotate

urlpatterns = [
    path("login", Login.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("password", password_change, name="password-change"),
    path("join/<int:pk>/<str:token>", join, name="join"),
    path("people", person_list, name="person-list"),
    path("people/<str:name>/edit", person_edit, name="person-edit"),
    path("people/<str:name>/link", person_link, name="person-link"),
    path("people/<str:name>/active", person_active, name="person-active"),
    path("audit", audit_list, name="audit-list"),
    path("tokens", token_list, name="token-list"),
    path("tokens/<slug:prefix>/rotate", token_rotate, name="token-rotate"),
    path("tokens/<slug:prefix>/revoke", token_revoke, name="token-revoke"),
]
