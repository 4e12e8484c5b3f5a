"""The benchmark: what the service does on recorded speech, measured through its public face.

Nothing here is imported by the product. `python -m bench --help` says how to run it.
"""
