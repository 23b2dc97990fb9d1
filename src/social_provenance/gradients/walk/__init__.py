"""One pass over documents or queries, which leaves their projected gradients on disk.

::

    texts --> sequences --> collect --> bergson_run --> shards --> store
                              |
              coverage, bergson_trial, forecast

- ``sequences``: documents as token sequences (``tokenize_documents``, ``held_out``).
- ``coverage``: the modules and parameters that gradients cover (``inspect``).
- ``query_model``: the model that walks the queries, checked against that of the documents (``choose_query_model``).
- ``collect``: parts of a store, planned and computed (``plan_corpus``, ``plan_queries``, ``plan_store``).
- ``bergson_run``: the adapter of Bergson (``Walker``).
- ``bergson_index``: the files of its index, and their precision (``convert_index``).
- ``bergson_trial``: memory and seconds of a walk before it, from shapes and by a trial (``walk_memory``).
- ``store``: reads shards in chunks and checks their bytes (``GradientStore``, ``query_stores``).
- ``forecast``: documents, tokens, bytes and seconds of a walk before it (``forecast_walk``).
- ``bergson_query``: a command that prepares a shard for Bergson's own ``query``.
"""
