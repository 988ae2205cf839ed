"""What commands do besides a run: demonstration, scan, simulation, prediction, and their texts."""
