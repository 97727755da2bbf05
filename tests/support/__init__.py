"""What tests share: builders, fakes at the ports, servers, processes."""
