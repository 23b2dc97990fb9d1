"""What a study will take, before it starts: a table of costs by stage, and every refusal that it would meet.

::

    survey of the corpus --> sizes --+--> costs --> table
                                     |      ^
    a model, or its shape --> trials-+      |
                              laws ---------+      checks --> refusals

- ``stages``: the stages of a study, groups of nodes that a reader of the log recognises (``STAGES``, ``stage_of``).
- ``study``: the parameters of a study that its cost depends on (``Study``).
- ``shape``: the model that is tried, one with random weights where there is none yet (``model_to_try``).
- ``trials``: seconds of the study's own code on a sample, a second each (``try_model``).
- ``laws``: seconds of what is not tried, from counts and the speed of this machine (``LAWS``, ``Machine``).
- ``sizes``: counts of documents, tokens, requests and runs (``Sizes``).
- ``corpus``: a survey of the corpus, and trials of cleaning and labelling (``try_corpus``).
- ``try_study``: all that a model's shape and the benchmarks say (``try_study``).
- ``parts``: parts written for a trial (``write_parts``).
- ``clock``: seconds of a trial beside other work (``Clock``).
- ``found``: what costs are estimated from (``Found``, ``Cost``); ``corpus_costs``, ``model_costs``, ``costs``: the cost
  of each stage (``estimate_costs``).
- ``table``: costs as rows (``tabulate``).
- ``places``: room on disk (``places_to_check``).
- ``refusals``: checks, each of which refuses in one line (``list_refusals``, ``refuse_full_disk``).
"""
