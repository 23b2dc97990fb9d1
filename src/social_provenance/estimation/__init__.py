"""From document scores to bins, topics, formats and contrasts, each with its interval."""
