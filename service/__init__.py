"""The gateway: HTTP in front of the job store. It judges requests and pictures; it never loads a model."""
