"""What gateway and workers share: jobs, events, tickets, artifacts. Knows no HTTP and no model."""
