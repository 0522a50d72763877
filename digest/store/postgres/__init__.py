"""The store on PostgreSQL: the verbs of `digest.store` for several machines at a time.

Owns the connections, the schema with its steps, and what PostgreSQL does in its own way: locks,
full text, counts. The verbs are those of `digest.store`.
"""
