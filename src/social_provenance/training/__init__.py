"""The training loop that pretraining, unlearning and tail-patches share.

::

    batches ──► train(model, batches, set_gradients, settings, rate, after_step) ──► trained model
                        │                     │                          │
                  shuffled, padded   loss of the caller        evaluate, or stop

- ``loop``: AdamW with a clipped gradient, seeds and threads; :class:`~.loop.Optimiser`,
  :func:`~.loop.train`, :func:`~.loop.cpu_threads`, :func:`~.loop.seeded`;
- ``batches``: padded documents and their losses; :class:`~.batches.Batch`, :func:`~.batches.pairs`,
  :func:`~.batches.mean_loss`, :func:`~.batches.document_losses`, :func:`~.batches.read_losses`;
- ``head``: losses of predicted tokens, their logits in chunks; :func:`~.head.token_losses`, :func:`~.head.in_chunks`;
- ``documents``: documents that stay on disk; :class:`~.documents.DocumentTokens`, :class:`~.documents.StoredTokens`.
"""
