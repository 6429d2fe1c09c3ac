"""What stands before the cursor becomes what could follow."""
