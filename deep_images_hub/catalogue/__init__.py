"""What the hub knows, in PostgreSQL: one module per noun.

Every function takes a Connection in a transaction that its caller opened (`with hub.engine.begin() as connection`), so that
callers decide what belongs together. Lists are read by keyset. `engine` and `migrations` alone know the driver.
"""
