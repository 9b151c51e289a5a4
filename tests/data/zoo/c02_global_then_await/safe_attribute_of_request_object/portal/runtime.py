"""What the current request needs to know."""

DEBUG = False
LOCALE = "en"
