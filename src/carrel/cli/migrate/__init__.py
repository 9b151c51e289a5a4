"""`carrel migrate`: takes a code base off a class, function or module, in phases."""
