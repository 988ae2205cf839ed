"""Programs and packages of others, each behind one function: found where they are installed, never needed."""
