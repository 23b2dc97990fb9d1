"""Topic and format of every document: given labels where available, a classifier for the rest.

::

    documents with labels -> classifier (light or official) -> quality, confusion, reliability
                                   |
    all documents -> given labels, else the classifier's -> labelled documents -> prevalence of bins

Modules, in the order of the flow:

- ``settings``: parameters; ``given``: spellings of given labels
- ``ngrams``, ``features``: hashed n-grams of texts and URLs, their selection and weights
- ``ridge``, ``calibration``, ``linear``: the light classifier (``LinearLabeller``); ``pool``: in several processes
- ``official``: the WebOrganizer classifiers through transformers (``OfficialLabeller``)
- ``measure``: quality on held-out labels (``Quality``)
- ``train``: training or evaluation as parts (``plan_classifier``)
- ``label``: labels of all shards as parts (``plan_labels``), joined with documents (``join_labels``, ``count_bins``)
- ``progress``: progress bar and log lines
"""
