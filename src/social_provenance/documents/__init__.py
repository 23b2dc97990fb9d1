"""From raw shards to clean documents and nested, stratified working sets.

::

    raw shards -> records (one Parquet file per shard) -> documents, rejected -> labelling -> working set
        |                                                                                         |
        +--> survey: forecast from a few shards                         verify_sample: check it <-+

Modules, in the order of the flow:

- ``settings``: parameters
- ``fields``, ``values``: where shards keep id, text, URL and labels, and how each is read; ``sites``: hosts of URLs
- ``files``, ``shards``, ``rows``: listing files, locating shards and reading their rows
- ``progress``: log lines while they are read
- ``text``, ``quality``, ``signatures``: normalisation, Gopher rules, MinHash of a single text
- ``records``: one record per row with a reason for rejection (``plan_records``)
- ``near``, ``clean``: near-duplicates and exact duplicates over the whole corpus (``clean``, ``count_corpus``)
- ``sampling``: the seeded order of bins (``draw_working_set``, ``take_sample``, ``describe_sample``)
- ``survey``: forecast of sizes and hours; ``verify_sample``: command that verifies a published sample
"""
