"""From raw shards to clean documents and nested, stratified working sets."""
