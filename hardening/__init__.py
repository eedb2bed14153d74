"""Put cameras right, step by step, each written down before and proved after."""
