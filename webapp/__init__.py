"""The portal: server-rendered pages over the catalogue and the store. Loads neither Spark nor TensorFlow.

Who may do what: labels, pictures, datasets and models may be looked at without an account. Freezing and downloading a dataset
need the role scientist; training, trying and downloading a model need premium; the funnel of batches is for operators. Every view
says so itself (`access`), and a view that says nothing is closed to everybody.

    gunicorn 'webapp:served_app()'
"""

from webapp.application import create_app
from webapp.served import served_app

__all__ = ["create_app", "served_app"]
