"""Signed JSON Web Tokens to test with."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@dataclass(frozen=True)
class Signer:
    """Somebody with a private key."""

    name: str = "signer"
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def key_set(self) -> str:
        """The public key as a JSON Web Key Set."""
        numbers = self.key.public_key().public_numbers()
        public = {"n": _integer(numbers.n), "e": _integer(numbers.e)}
        return json.dumps({"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.name, **public}]})

    def token(self, claims: dict[str, Any], **header: Any) -> str:
        """A token with these claims."""
        head = {"alg": "RS256", "typ": "JWT", "kid": self.name, **header}
        content = f"{_json(head)}.{_json(claims)}"
        signature = self.key.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{content}.{_text(signature)}"


def _integer(number: int) -> str:
    return _text(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _json(content: dict[str, Any]) -> str:
    return _text(json.dumps(content).encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
