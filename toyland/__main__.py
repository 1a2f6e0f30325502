"""`python -m toyland`: train, look, score and ship the toy world's models."""

import argparse
from pathlib import Path

import torch

from toyland.examples import write_examples
from toyland.export import export
from toyland.fingerprint import record_fingerprint
from toyland.score.commands import add_score_commands, run_score_command
from toyland.sheet import CAPTIONS, sample_sheet
from toyland.stages import STAGES, run_stage
from toyland.workshop import PAIRS, SHIPPED, Workshop
from toyland.world_sheet import world_sheet

CACHE = Path.home() / ".cache" / "addit-toyland"
ASSETS = Path("docs") / "assets" / "toyland"


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m toyland", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=CACHE, help="sprites, datasets and checkpoints")
    parser.add_argument("--count", type=int, default=120_000, help="training samples, 0.3 MB each")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train one stage, or go on with it")
    train.add_argument("stage", choices=sorted(STAGES))
    train.add_argument("--minutes", type=float, help="end after this much training time")
    train.add_argument("--steps", type=int, help="end after this many steps (reproducible)")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--pairs", type=int, default=PAIRS, help="that the rival learns from, drawn once")
    sample = commands.add_parser("sample", help="draw a sheet of captions with the pipeline")
    sample.add_argument("captions", nargs="*", default=CAPTIONS)
    sample.add_argument("--stage", choices=("flux", "guidance"), help="its result instead of the shipped one")
    sample.add_argument("--guidance", type=float, default=3.5)
    sample.add_argument("--output", type=Path, default=Path("sheet.png"))
    add_score_commands(commands)
    world = commands.add_parser("world", help="draw a sheet of the world's scenes")
    world.add_argument("--output", type=Path, default=ASSETS / "world.png")
    curves = commands.add_parser("curves", help="draw the loss curves of all trainings in the cache")
    curves.add_argument("--output", type=Path, default=ASSETS / "curves.png")
    commands.add_parser("export", help="put the stages' results into the shipped folder")
    commands.add_parser("fingerprint", help="record what the shipped weights' canary gives")
    commands.add_parser("examples", help="draw the pictures of examples/")
    return parser.parse_args()


def main() -> None:
    """Run one command."""
    arguments = parse_arguments()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    pairs = arguments.pairs if arguments.command == "train" else PAIRS
    workshop = Workshop(arguments.cache, arguments.count, pair_count=pairs)
    match arguments.command:
        case "train":
            if arguments.minutes is None and arguments.steps is None:
                raise SystemExit("say how long: --minutes or --steps")
            run_stage(workshop, arguments.stage, arguments.steps, arguments.minutes, arguments.seed)
        case "sample":
            pipeline = workshop.open_pipeline(arguments.stage)
            sample_sheet(pipeline, arguments.captions, arguments.guidance).save(arguments.output)
        case "score" | "sweep" | "gallery" | "verdicts" | "captions":
            run_score_command(arguments, workshop)
        case "world":
            world_sheet(workshop.world).save(arguments.output)
        case "curves":
            from toyland.curves import draw_curves  # here, so that training needs no matplotlib

            draw_curves(workshop.cache / "runs", arguments.output)
        case "export":
            export(workshop, SHIPPED)
        case "fingerprint":
            record_fingerprint(SHIPPED / "fingerprint.json")
        case "examples":
            write_examples(workshop.world, Path("examples"))


if __name__ == "__main__":
    main()
