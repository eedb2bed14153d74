"""What a person shows beside the password: a code of an app, a security key, or one of ten recovery codes."""
