"""The domain of Deep Images Hub: labels, images, batches, datasets, training requests, accounts.

Knows neither Spark nor Flask nor TensorFlow. Pure rules (`labels.graph`, `verdicts`, `datasets`) do no IO; drivers are
held by `catalogue` and `object_store` alone, and `wiring.open_hub` joins them from the settings.
"""

__version__ = "0.1.0"
