"""One module per revision, in the order of their numbers; a published revision is never changed."""
