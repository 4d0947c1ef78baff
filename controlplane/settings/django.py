"""Django's settings, all taken from the typed environment."""

import secrets
from typing import Any

import dj_database_url

from controlplane.problems.request_limits import LARGEST_BODY
from controlplane.settings.environment import get_environment
from controlplane.settings.logs import configure_logging

environment = get_environment()
configure_logging(environment.log_level)

SECRET_KEY = environment.secret_key.get_secret_value() or secrets.token_hex(32)
DEBUG = environment.debug
ALLOWED_HOSTS = environment.allowed_hosts
CSRF_TRUSTED_ORIGINS = environment.trusted_origins

INSTALLED_APPS = [
    # Before Django's own apps, as its command `changepassword` takes the place of theirs.
    "controlplane",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "routing",
    "experiments",
]

MIDDLEWARE = [
    "controlplane.problems.request_ids.RequestIdMiddleware",
    "controlplane.api.readable.ReadableRequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "controlplane.web.answer_headers.AnswerHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "controlplane.api.error_answers.RefusalMiddleware",
]

DATA_UPLOAD_MAX_MEMORY_SIZE = LARGEST_BODY

ROOT_URLCONF = "controlplane.urls"
WSGI_APPLICATION = "controlplane.web.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "controlplane.User"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": ["templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "routing.alerts.current.banner",
                "controlplane.catalogue.everything.menu",
            ],
        },
    },
]


def _database() -> dict[str, Any]:
    """Connection settings; SQLite gets a write-ahead log so that readers never wait for writers.

    A PostgreSQL that is away is found out within seconds: brakes go another way then.
    """
    database: dict[str, Any] = dict(
        dj_database_url.parse(environment.database_url, conn_max_age=60, conn_health_checks=True)
    )
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    else:
        database["OPTIONS"] = {"connect_timeout": 3, "tcp_user_timeout": 3000, **database.get("OPTIONS", {})}
    return database


DATABASES = {"default": _database()}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "experiment-list"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_NAME = "sluice_session"
CSRF_COOKIE_NAME = "sluice_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = environment.https

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = environment.data_directory / "static"
STORAGES = {
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if STATIC_ROOT.joinpath("staticfiles.json").exists()
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "controlplane.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["controlplane.api.permissions.RightPermission"],
    "DEFAULT_FILTER_BACKENDS": ["controlplane.api.endpoint_limits.EndpointFilter", "controlplane.api.search.Search"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "controlplane.api.negotiation.WritesAnyway",
    "DEFAULT_PARSER_CLASSES": ["controlplane.api.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "controlplane.api.schema.RightsSchema",
    "DEFAULT_PAGINATION_CLASS": "controlplane.api.pagination.ListPagination",
    # Any other would become a part of the name of the file that the schema is.
    "ALLOWED_VERSIONS": ["1"],
    "EXCEPTION_HANDLER": "controlplane.api.problems.answer_problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Sluice",
    "DESCRIPTION": "Experimentation and canary releases for AI models.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["controlplane.api.permissions.ReadPermission"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "OAS_VERSION": "3.1.1",
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "experiments.models.plan.ROLE_CHOICES",
        "TokenRoleEnum": "controlplane.models.Role",
        "DecisionKindEnum": "experiments.models.decision.DecisionKind",
        "ExperimentKindEnum": "experiments.models.experiment.Kind",
        "ExperimentStateEnum": "experiments.models.experiment.State",
    },
}

LOGGING_CONFIG = None
