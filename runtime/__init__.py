"""What every process needs: settings, logging, egress, and `up`, which starts a whole local stack."""
