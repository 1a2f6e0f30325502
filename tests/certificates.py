"""A certificate chain of our own, of the profile that C2PA asks of signers (C2PA 2.x, 14.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

USES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip


@dataclass(frozen=True)
class Chain:
    """Files to sign with, and the root to trust."""

    certificate: Path
    key: Path
    root: str


def chain_in(folder: Path, days: int = 1) -> Chain:
    """A signer's certificate that is valid for so many days, and its issuer's, written into the folder."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("root", root_key, "root", root_key, ca=True, days=2)
    leaf = _certificate("signer", key, "root", root_key, ca=False, days=days)
    pems = [one.public_bytes(Encoding.PEM).decode() for one in (leaf, root)]
    chain = Chain(folder / "chain.pem", folder / "key.pem", pems[1])
    chain.certificate.write_text("".join(pems))
    chain.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey,
    *, ca: bool, days: int,
) -> x509.Certificate:  # fmt: skip
    now, uses = datetime.now(UTC), {"key_cert_sign", "crl_sign"} if ca else {"digital_signature"}
    builder = (
        x509.CertificateBuilder(serial_number=x509.random_serial_number())
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.KeyUsage(**{use: use in uses for use in USES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if not ca:
        uses_of_key = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(uses_of_key, critical=False)
    return builder.sign(issuer_key, SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )
