"""The grid of corpus regions: 24 topics x 24 formats."""
