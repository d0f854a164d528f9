"""The truth under the brush: label maps, edits, tools."""
