"""Driver, torch's build, what the device multiplies, and how much memory is free."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from workers.models.loading import pick_device, pick_dtype
from workers.verify.steps import Found, StepFailed, Trial

GIB = 2**30
PACKAGES = ("diffusers", "transformers", "safetensors", "torchao", "bitsandbytes")


def check_environment(trial: Trial) -> Found:
    """Multiply on the device in the dtype that will be used. Raises `StepFailed`."""
    device = pick_device(trial.settings.device)
    values = {"python": platform.python_version(), "torch": torch.__version__, "device": str(device)}
    values |= {"torch_cuda": torch.version.cuda or "none", "driver": _driver()}
    values |= {name: _version(name) for name in PACKAGES}
    if device.type == "cuda" or (trial.settings.device == "auto" and values["driver"] != "none"):
        _check_cuda(values)
        values |= _card(device)
    dtype = pick_dtype(trial.settings.dtype, device)
    values |= {"dtype": str(dtype).removeprefix("torch."), "host_free_gib": f"{host_free() / GIB:.1f}"}
    _multiply(device, dtype)
    table = [("what", "is"), *((name.replace("_", " "), value) for name, value in values.items())]
    where = values.get("card", platform.machine() + " CPU, no CUDA here")
    return Found(f"{where}, {values['dtype']}", values, table)


def _check_cuda(values: dict[str, str]) -> None:
    if not torch.cuda.is_available():
        built = values["torch_cuda"] != "none"
        raise StepFailed(
            f"torch sees no CUDA device (driver: {values['driver']})",
            "Run nvidia-smi; in a container, start it with --gpus all; the driver must be at least as new as"
            f" CUDA {values['torch_cuda']}."
            if built
            else "This torch was built without CUDA: install the build for your driver (https://pytorch.org).",
            Found("", dict(values)),
        )


def _card(device: torch.device) -> dict[str, str]:
    free, whole = torch.cuda.mem_get_info(device)
    major, minor = torch.cuda.get_device_capability(device)
    return {
        "card": torch.cuda.get_device_name(device),
        "compute_capability": f"{major}.{minor}",
        "bfloat16": "yes" if torch.cuda.is_bf16_supported(including_emulation=False) else "no",
        "fp8": "yes" if (major, minor) >= (8, 9) else "no",
        "free_gib": f"{free / GIB:.1f}",
        "card_gib": f"{whole / GIB:.1f}",
    }


def _multiply(device: torch.device, dtype: torch.dtype) -> None:
    ones = torch.ones(64, 64, device=device, dtype=dtype)
    if float((ones @ ones).float().sum()) != 64.0**3:
        raise StepFailed(
            f"64 x 64 ones multiplied wrongly in {dtype} on {device}",
            "The card or its driver is broken: reseat, renew, or use another (ADDIT_DEVICE=cuda:1).",
        )


def host_free() -> int:
    """Bytes of host memory that can be had without swapping; 0 where the system does not say."""
    file = Path("/proc/meminfo")
    lines = file.read_text().splitlines() if file.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), 0)


def _driver() -> str:
    file = Path("/proc/driver/nvidia/version")
    return file.read_text().splitlines()[0] if file.exists() else "none"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
