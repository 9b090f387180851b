"""Read the words in a figure, for tests."""


def labels(axis):
    """Return the labels of an axis's ticks."""
    return [label.get_text() for label in axis.get_ticklabels()]


def texts(axes):
    """Return the texts inside the axes."""
    return [text.get_text() for text in axes.texts]


def legend(axes):
    """Return the entries of the legend."""
    return [text.get_text() for text in axes.get_legend().get_texts()]
