"""Add-it (Tewel et al., ICLR 2025, arXiv 2411.07232): adding an object to a picture, without training.

The method alone: pure tensor functions, the diffusers attention seam, the pipeline. Knows no queue, HTTP or
environment.
"""
