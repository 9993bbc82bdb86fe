"""What a traced function reads and changes of values that are no arguments."""
