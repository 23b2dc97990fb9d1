"""A small language model, trained on the corpus of the study.

::

    documents ──► tokenizer ──► token ids ──► pretrain ──► model, log, checkpoints
                                                 │
                                  benchmarks, at every evaluation

- ``tokenizer``: a lossless byte-level BPE; :func:`~.tokenizer.train_tokenizer`, :func:`~.tokenizer.load_tokenizer`;
- ``pretrain``: an OLMo3-architecture model, trained until every benchmark is learned; :func:`~.pretrain.pretrain`;
- ``settings``: its parameters, :class:`~.settings.Pretraining`.
"""
