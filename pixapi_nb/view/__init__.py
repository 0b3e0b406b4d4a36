"""What is beneath a cell: progress while it runs, the result, errors."""
