"""The gateway under load: calls at fixed moments against a stack whose engines sleep."""
