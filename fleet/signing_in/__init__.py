"""How somebody comes in and stays: password, second factor, single sign-on, sessions."""
