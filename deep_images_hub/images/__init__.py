"""What is done to one photograph: decoding under limits, quality scores, hashes, and the forms in which it is kept.

Pure: bytes in, values out. No store, no database, no Spark; `examine` is the one function that intake, the benches and the
portal share.
"""
