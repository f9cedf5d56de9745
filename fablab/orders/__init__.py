"""What people ask for: model files, orders and their lines."""
