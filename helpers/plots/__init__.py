"""Every figure: DataFrame in, figure out."""
