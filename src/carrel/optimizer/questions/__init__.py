"""What a question asks for: understood by rules, so that the same question always gets the same answer."""
