"""What a name may hold in a trace besides tensors: None, nothing, lists, tables."""
