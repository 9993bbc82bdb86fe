"""Python rewritten so that branches and loops over tensors become graph nodes."""


def convert(f):  # temporary
    return f
