"""Lines and cells become orders; progress becomes what is shown. Makes no requests."""
