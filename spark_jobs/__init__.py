"""The Spark jobs: one module each, started with spark-submit (scripts/submit); `entry` is the boundary of their processes."""
