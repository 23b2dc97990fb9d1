"""One pass over documents or queries, which leaves their projected gradients on disk.

::

    texts --> sequences --> collect --> bergson_run, bergson_ranks --> finish --> shards --> store
                              |
              coverage, bergson_trial

- ``sequences``: documents as token sequences (``stream_tokens``, ``tokenize_documents``, ``held_out``).
- ``coverage``: the modules and parameters that gradients cover (``inspect``).
- ``query_model``: the model that walks the queries, checked against that of the documents (``choose_query_model``).
- ``collect``: parts of a store, planned and computed (``plan_corpus``, ``plan_queries``, ``plan_store``).
- ``bergson_run``: the adapter of Bergson, in this process (``Walker``); ``bergson_ranks``: in several, which load the
  model once for all shards (``walk_together``).
- ``bergson_index``: the files of its index, their precision, the states beside it (``convert_index``, ``join_states``).
- ``finish``: norms and second moments of a shard, while the next one is walked (``finish_shard``).
- ``bergson_adam``: gradients divided by the root of Adam's second moments (``adam_normalizers``).
- ``bergson_trial``: memory and seconds of a walk before it, from shapes and by a trial (``walk_memory``).
- ``store``: reads shards in chunks and checks their bytes (``GradientStore``, ``query_stores``).
- ``bergson_query``: a command that prepares a shard for Bergson's own ``query``.
"""
