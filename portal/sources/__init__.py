"""Where orders come from: each file gives the documents of `portal.sources.document`."""
