"""What the laptop default runs on when nothing is installed: a PostgreSQL and a Java of our own; and how Spark jobs start."""
