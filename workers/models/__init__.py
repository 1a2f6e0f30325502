"""Loading: model profiles, FLUX pipelines, SAM-2, into one frozen `workers.addit.models.Models`."""
