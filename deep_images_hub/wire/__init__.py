"""What the HTTP API says and is told, as pydantic models: the portal answers with them, and the client reads them.

The OpenAPI document is made of them, so that portal, document and client cannot differ. Needs nothing but pydantic.
"""
