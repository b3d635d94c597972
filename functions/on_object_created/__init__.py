"""An object has been created in the media bucket: the upload that it belongs to has arrived."""
