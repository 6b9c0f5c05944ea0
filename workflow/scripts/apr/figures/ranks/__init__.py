"""Rankings of one population on several tasks."""
