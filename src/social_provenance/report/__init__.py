"""The report: one page that opens from disk, put together from sections."""
