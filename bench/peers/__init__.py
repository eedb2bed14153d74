"""What we are measured against. Each module is a program of its own: its CPU and memory are counted apart from ours."""
