"""Logs as data: one canonical line a task, JSON, and one exit that lets no personal data through."""

import logging
import re
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

# Keys whose values are personal by nature: their presence in a log call is a mistake, so the value never leaves.
_PERSONAL = frozenset(
    {"address", "body", "text", "email", "phone", "to", "from", "name", "given_name", "family_name", "subject", "html"}
)
_NUMBER = re.compile(r"\+?\d[\d\s().-]{7,}\d")
_MAILBOX = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop personal keys, and blank what looks like a number or a mailbox inside any other text."""
    for key, value in event.items():
        if key in _PERSONAL:
            event[key] = "[personal]"
        elif isinstance(value, str) and not key.endswith(("_id", "_at", "_on", "version", "timestamp")):
            event[key] = _MAILBOX.sub("[mailbox]", _NUMBER.sub("[number]", value))
    return event


def configure_logging(level: str = "INFO") -> None:
    """Send structlog and the standard library through one JSON renderer on standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("twilio", "aiohttp.access", "uvicorn.access", "aiosmtplib", "mail.log"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
