"""What every persisted table must be; catalog entries name these classes as their validator."""
