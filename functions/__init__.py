"""One folder is one Lambda function; its prefix tells the trigger."""
