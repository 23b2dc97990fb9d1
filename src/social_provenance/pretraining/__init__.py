"""Small language models, trained here; the training loop serves unlearning too."""
