"""Datasets: what is asked for (`recipe`), how it is split (`split`), the frozen answer (`freeze`), its downloads (`image_folder`).

`recipe` and `split` are pure rules; `freeze` reads and writes the catalogue; `image_folder` reads the object store too.
"""
