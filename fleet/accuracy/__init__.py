"""Is a camera's own AI still good: watches beside a reference detector, and what is known of each version."""
