"""A fleet of GPUs by discrete events: waits, hit rates, autoscaling and cost from measured service times."""
