"""Logs: one JSON object a line, with the same fields from every process, and without what opens an account."""

import logging.config
import re

import structlog
from structlog.typing import Processor, WrappedLogger

_CUT = "[cut]"
_SECRETS = re.compile(
    r"""
    (?P<kept> /join/ | \bslc_[0-9a-f]+_ )   # an invitation, an API token
    (?: [^\s"\\] | \\u[0-9a-f]{4} | \\\\ )+ # up to the end of a word, as JSON writes it
    """,
    re.VERBOSE | re.IGNORECASE,
)


def configure_logging(level: str) -> None:
    """Send structlog's and the standard library's records through one JSON formatter to stderr."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
            cut_secrets,
        ],
        "foreign_pre_chain": shared,
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {"httpx": {"level": "WARNING"}, "httpcore": {"level": "WARNING"}},
        }
    )


def cut_secrets(_logger: WrappedLogger, _method: str, line: str) -> str:
    """Take secrets out of a line: Django writes the paths of requests, and some are secrets."""
    return _SECRETS.sub(rf"\g<kept>{_CUT}", line)
