"""What the method needs of a model family, and the families that give it."""
