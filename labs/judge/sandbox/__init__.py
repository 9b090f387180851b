"""What runs around and in the learner's processes: limits, walls, host, hooks."""
