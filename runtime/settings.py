"""All settings, read once from `ADDIT_*` variables at a process's start and passed down.

The only place that looks at the environment.
"""

from __future__ import annotations

import json
import os
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from typing_extensions import TypedDict


class CellPlace(TypedDict):
    """Where a cell's jobs and its pictures are: `redis_url` and `artifact_url` of its workers."""

    redis_url: str
    artifact_url: str


class Settings(BaseSettings):
    """The service's configuration. Every field is the variable `ADDIT_<NAME>`; durations are seconds."""

    model_config = SettingsConfigDict(env_prefix="ADDIT_", env_file=".env", extra="ignore", frozen=True)

    # stores
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        description="Valkey or Redis; through sentinels `redis+sentinel://host:26379,host,host/service/0`.",
    )
    artifact_url: str = Field(
        default="file://./addit-data/artifacts", description="Any fsspec URL: a folder or s3://."
    )
    signing_secret: SecretStr = Field(
        default=SecretStr(""), description="Signs links; required by the gateway."
    )
    link_seconds: int = Field(default=3600, description="How long a signed link works.")

    # gateway
    host: str = Field(default="127.0.0.1", description="Address the gateway listens on.")
    port: int = Field(default=8080, description="Port the gateway listens on.")
    gateway_processes: int = Field(
        default=1, ge=1, description="That share the gateway's port; one a core that is free for them."
    )
    public_url: str = Field(
        default="", description="How clients reach the gateway; the listening address if empty."
    )
    max_body_bytes: int = Field(default=32 * 2**20, description="Of a request.")
    max_image_bytes: int = Field(default=25 * 2**20, description="Of one encoded picture.")
    max_image_pixels: int = Field(default=25_000_000, description="Of one decoded picture.")
    intake_seconds: float = Field(default=10.0, description="Wall clock a picture's decoding may take.")
    max_queued: int = Field(
        default=10_000, description="Ready jobs per model; more are refused with queue_full."
    )
    tenant_weight: float = Field(
        default=1.0, gt=0, description="Of a tenant's share of the workers, if it has none of its own."
    )
    tenant_max_running: int = Field(default=10_000, description="Jobs of a tenant that run at a time.")
    tenant_max_queued: int = Field(
        default=5_000, description="Jobs of a tenant that wait; more are refused with quota_exceeded."
    )
    tenant_per_minute: int = Field(
        default=6_000, description="Submissions of a tenant; more are refused with rate_limited."
    )
    tenant_max_retain_seconds: int = Field(
        default=2_592_000, ge=60, description="A tenant's pictures are kept at most so long."
    )
    admin_key: SecretStr = Field(
        default=SecretStr(""),
        description="Opens /admin to operators; nobody if empty. Several, by spaces, all do.",
    )
    admin_host: str = Field(
        default="127.0.0.1", description="Address that the gateway listens on for operators."
    )
    admin_port: int = Field(
        default=8081,
        ge=0,
        description="Port of /admin, which no other serves; none does if it is 0 or there is no admin key.",
    )
    image_retain_seconds: int = Field(default=7 * 86_400, description="How long an uploaded picture is kept.")
    cells: dict[str, CellPlace] = Field(
        default={},
        description="Tenants are shared out over these, in place of one store: names to `redis_url` and "
        "`artifact_url` (docs/scaling.md).",
    )
    moved_tenants: dict[str, str] = Field(
        default={}, description='Tenants to the cell they were moved to; to "" while they move.'
    )

    @property
    def serves_operators(self) -> bool:
        """Whether the gateway listens for them at all."""
        return bool(self.admin_port and self.admin_key.get_secret_value().split())

    # studio
    studio_host: str = Field(default="127.0.0.1", description="Address the studio of `addit up` listens on.")
    studio_port: int = Field(default=7860, description="Port it listens on.")
    studio_study: str = Field(default="", description="A folder with pairs.json, to be judged blind there.")
    studio_scenes: str = Field(default="", description="A folder of scenes, to draw plausible boxes in.")

    # models
    model: str = Field(
        default="embedded", description="Profile: embedded, a name of docs/models.md, or a directory."
    )
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:1, …")
    dtype: Literal["auto", "bfloat16", "float32"] = Field(
        default="auto", description="FLUX in float16 gives NaN."
    )
    offload: Literal["none", "model", "group"] = Field(
        default="none", description="Move idle weights to the host."
    )
    quantization: Literal["none", "fp8", "int8", "nf4"] = Field(
        default="none", description="Of the transformer."
    )
    segmenter: str = Field(
        default="", description="SAM-2: a hub name or a checkpoint; the profile's own if empty."
    )
    segmenter_config: str = Field(default="", description="The yaml of a local SAM-2 checkpoint.")
    memory: Literal["", "full", "fp8", "nf4", "group"] = Field(
        default="", description="A memory preset of docs/models.md, in place of offload and quantization."
    )
    compile_blocks: bool = Field(default=False, description="Compile the transformer's blocks when loading.")
    cuda_graphs: bool = Field(
        default=True,
        description="Replay passes that repeat as CUDA graphs; without CUDA or with offload, no.",
    )
    accept_licences: tuple[str, ...] = Field(
        default=(), description="Keys of restricted licences that you have read and accept (docs/models.md)."
    )
    loras: dict[str, str] = Field(
        default={}, description="LoRAs that requests may name: a file, directory or hub repository each."
    )
    source_memory_gib: float = Field(
        default=2.0, description="Device memory for remembered sources' keys and values."
    )
    source_memory_host_gib: float = Field(default=0.0, description="Host memory for those that do not fit.")
    source_memory_disk_gib: float = Field(default=0.0, description="Disk for those that fit there neither.")
    source_memory_folder: str = Field(
        default="addit-data/source-memory",
        description="Where on disk; an engine's part of it goes with the engine.",
    )
    batch_folder: str = Field(
        default="addit-data/batches", description="Where `addit bench tune` leaves what batches cost here."
    )
    share_passes: bool = Field(
        default=True, description="A waiting job joins a running one where `addit bench tune` found it pays."
    )
    threads: int = Field(default=0, description="CPU threads of an engine; 0 lets torch decide.")

    # workers
    runner: str = Field(
        default="workers.insertion:load_runner", description="What an engine loads, module:callable."
    )
    lease_seconds: float = Field(default=30.0, description="A claim not renewed for this long is taken back.")
    affinity_seconds: float = Field(
        default=0.25, description="A job is left so long to an idle worker that remembers its source."
    )
    affinity_busy_seconds: float = Field(
        default=6.0, description="And so long to a busy one that will soon be free (docs/scaling.md)."
    )
    beat_seconds: float = Field(default=1.0, description="Between renewals of a claim.")
    step_seconds: float = Field(default=120.0, description="A step without a beat for this long is a hang.")
    load_seconds: float = Field(default=900.0, description="An engine not ready by then is replaced.")
    max_crashes: int = Field(default=2, description="Crashes that coincide with a job before it is failed.")
    max_engine_exits: int = Field(
        default=3, description="Engine exits within five minutes that stop a worker."
    )
    grace_seconds: float = Field(
        default=30.0, description="A stopping worker lets its job finish for this long."
    )
    canary_seconds: float = Field(default=30.0, description="An idle engine proves itself this often.")
    reconcile_seconds: float = Field(default=2.0, description="Between two passes of the reconciler.")

    # provenance and moderation
    c2pa_certificate: str = Field(
        default="", description="PEM file with the chain that results are signed for (docs/provenance.md)."
    )
    c2pa_key: str = Field(default="", description="PEM file with the key of its first certificate.")
    c2pa_algorithm: Literal["es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519"] = Field(
        default="es256", description="Of that key."
    )
    moderation_url: str = Field(
        default="", description="Judges prompts and results if given (docs/moderation.md)."
    )
    moderation_key: SecretStr = Field(default=SecretStr(""), description="Sent to it as a bearer token.")
    moderation_internal: bool = Field(
        default=False, description="It may be of this network, on any port, and plain http."
    )
    moderation_seconds: float = Field(default=5.0, description="It may take for one verdict.")
    moderation_fails: Literal["closed", "open"] = Field(
        default="closed", description="While it gives none, everything is refused, or nothing."
    )

    # webhooks
    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Every webhook secret follows from it, or from the signing secret if empty; several sign "
        "all, the first is shown.",
    )
    webhook_schedule: tuple[float, ...] = Field(
        default=(0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400),
        description="Delays of the tries.",
    )
    webhook_timeout_seconds: float = Field(default=15.0, description="Of one delivery.")
    allow_loopback_egress: bool = Field(
        default=False, description="Development: callbacks and sources on this machine."
    )

    @property
    def webhook_masters(self) -> tuple[str, ...]:
        """What webhook secrets follow from, first the one that new secrets are made with."""
        masters = self.webhook_secret.get_secret_value() or self.signing_secret.get_secret_value()
        return tuple(masters.split())

    # logs
    log_level: str = Field(default="INFO", description="Of every process.")
    log_format: Literal["json", "console"] = Field(
        default="json", description="JSON lines, or text for people."
    )
    log_prompts: bool = Field(default=False, description="Whether prompts may stand in logs.")

    # traces
    otlp_endpoint: str = Field(
        default="", description="Collector that traces go to over OTLP/HTTP; none are made if empty."
    )


def environment(settings: Settings) -> dict[str, str]:
    """The environment for a child process that shall have exactly these settings.

    GOMP_SPINCOUNT: torch's waiting threads spin for microseconds, then sleep (docs/decisions.md).
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ADDIT_")}
    return (
        {"GOMP_SPINCOUNT": "30000"}
        | inherited
        | {f"ADDIT_{name.upper()}": _written(value) for name, value in settings}
    )


def share_request_counts(folder: str) -> None:
    """Let child processes count requests together, in files of this folder: prometheus_client looks at the
    variable when it is imported."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder


def _written(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(value) if isinstance(value, tuple | dict | bool) else str(value)
