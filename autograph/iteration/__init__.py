"""What `for` goes over: tensors, `zip`, `map`, comprehensions, generators."""
