"""What is measured of an edited picture (paper section 5 and what it leaves out)."""
