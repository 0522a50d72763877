"""The JSON API: the listings for everybody, and for the holder of a key their own subscription.

Each operation is declared once (`operations`): what it takes, what it gives, who may call it. The
endpoint (`endpoint`) and the OpenAPI document (`document`) are both made from that, so that neither
can say what the other does not do. A framework with its own threads, body reading and shape of
faults would have to be told otherwise at every point; the site's own path serves both.
"""
