"""The studio: pages where people place things, judge results and watch the service. A client of the API."""
