"""What calls, operators and methods mean where the graph holds an argument."""
