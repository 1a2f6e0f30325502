"""From records to one HTML file: tables beside the paper's numbers, plots, and the worst cases first."""
