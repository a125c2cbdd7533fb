"""What only an outside observer of the scale model can know: experiments, clusters, the merged trace."""
