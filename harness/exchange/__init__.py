"""Between learning-management systems and the harness: submissions come in, grades go out."""
