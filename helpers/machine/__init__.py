"""This computer: paths, locks, ports, processes, apt, Docker, a proxy. The lowest floor."""
