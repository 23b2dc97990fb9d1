"""The 2 x 2 design: benchmarks by domain and level, rendered and scored by lm-eval."""
