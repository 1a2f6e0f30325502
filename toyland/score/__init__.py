"""What Toyland's models are worth: fixed tasks, exact judges, figures with intervals, sweeps and a gallery.

Scenes are not batched: on CPU cores that gains a tenth (docs/decisions.md). Instead every core
runs its own process with one thread, through `workers.addit.pipeline.insert` itself.
"""
