"""The model's files: all there, none cut short, each with the content that was promised for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from workers.models.checksums import agrees
from workers.models.folder_place import read_sums
from workers.models.profiles import HUB_PROFILES, ModelProfile
from workers.models.wanted_files import Repository, repositories, wanted
from workers.verify.steps import Found, StepFailed, Trial

ETAG = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
SENTINELS = {"pipeline": "model_index.json", "transformers": "config.json"}


def check_files(trial: Trial) -> Found:
    """Raises `StepFailed`, naming every file that is missing or damaged."""
    folders = [(one, _folder(one)) for one in repositories(trial.profile)]
    absent = [one.name for one, folder in folders if folder is None]
    trial.absent = tuple(absent)
    rows, wrong = [("files of", "files", "GiB", "checksums")], []
    for one, folder in folders:
        if folder is not None:
            files = _files(one, folder)
            checked, bad = check_folder(folder, files)
            wrong += bad
            size = sum((folder / name).stat().st_size for name in files)
            rows.append((one.name, str(len(files)), f"{size / 2**30:.2f}", f"{checked} of {len(files)}"))
    found = Found(f"{len(folders)} places", {"absent": absent, "wrong": wrong, "places": rows[1:]}, rows)
    if absent or wrong:
        raise StepFailed(_sentence(absent, wrong), _remedy(trial.profile, absent), found)
    return found


def check_folder(folder: Path, names: list[str]) -> tuple[int, list[str]]:
    """How many files were compared with a checksum, and which are not as they should be."""
    sums, checked = _sums(folder), 0
    wrong = [f"{shard}: missing" for name in names for shard in _missing_shards(folder / name)]
    for name in names:
        etag = sums.get(name) or _blob(folder / name)
        checked += bool(etag)
        if etag and not agrees(folder / name, etag):
            wrong.append(f"{name}: other content than promised")
        elif name.endswith(".safetensors") and not _whole(folder / name):
            wrong.append(f"{name}: cut short")
    return checked, wrong


def _folder(repository: Repository) -> Path | None:
    """Where a repository's files lie: its own directory, or its newest snapshot in the hub's cache."""
    if Path(repository.name).is_dir():
        return Path(repository.name)
    names = [SENTINELS[repository.kind]] if repository.kind in SENTINELS else _sam2_names()
    found = (try_to_load_from_cache(repository.name, name) for name in names)
    return next((Path(file).parent for file in found if isinstance(file, str)), None)


def _sam2_names() -> list[str]:
    from sam2.build_sam import HF_MODEL_ID_TO_FILENAMES  # imports all of SAM-2

    return [checkpoint for _, checkpoint in HF_MODEL_ID_TO_FILENAMES.values()]


def _files(repository: Repository, folder: Path) -> list[str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    index = (folder / "model_index.json").read_text() if repository.kind == "pipeline" else "{}"
    return [name for name in wanted(repository, names, index) if name in set(names)]


def _sums(folder: Path) -> dict[str, str]:
    """Of a SHA256SUMS in the folder or beside it."""
    beside = read_sums(folder.parent)
    own = {name.removeprefix(f"{folder.name}/"): said for name, said in beside.items()}
    return own | read_sums(folder)


def _blob(file: Path) -> str:
    """The hub's cache names a file's blob by its etag."""
    name = file.resolve().name
    return name if file.is_symlink() and ETAG.fullmatch(name) else ""


def _missing_shards(file: Path) -> list[str]:
    if not file.name.endswith(".safetensors.index.json"):
        return []
    shards = set(json.loads(file.read_text())["weight_map"].values())
    return sorted(shard for shard in shards if not (file.parent / shard).exists())


def _whole(file: Path) -> bool:
    """Whether a safetensors file is as long as its header says (8 bytes of length, JSON, numbers)."""
    with file.open("rb") as content:
        length = int.from_bytes(content.read(8), "little")
        if length > file.stat().st_size:
            return False
        header = json.loads(content.read(length))
    ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
    return file.stat().st_size == 8 + length + max(ends, default=0)


def _sentence(absent: list[str], wrong: list[str]) -> str:
    return "; ".join([f"{name} is not here" for name in absent] + wrong)


def _remedy(profile: ModelProfile, absent: list[str]) -> str:
    if profile.name in HUB_PROFILES:
        return f"addit models pull {profile.name}"
    fetching = [f"hf download {name}" for name in absent]
    return "; ".join(fetching or [f"Copy the files of {profile.place} again from where they came."])
