"""A whole store in another database: complete, compared, and gone on with after a kill."""
