"""What outlives the process: states, weights for sampling, exports."""
