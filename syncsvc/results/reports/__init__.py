"""Reports of test runs, read into results: JUnit XML and CTRF."""
