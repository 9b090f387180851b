"""Stand-ins for images and generations, for a machine that can pull none."""
