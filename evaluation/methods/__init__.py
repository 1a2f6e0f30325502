"""What is compared: Add-it with its ablations, the paper's rivals, and later ones, all as `Method`s."""
