"""What a model does after it was trained with, or without, some of its documents."""
