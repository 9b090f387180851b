"""What CI runs besides: sabotage, containers, generations, a browser, benchmarks."""
