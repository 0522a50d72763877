"""The web pages, asked over HTTP as a browser or a mail program asks."""
