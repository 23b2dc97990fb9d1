"""TrackStar: loss gradients through Bergson, collected once, scored for any number of benchmarks."""
