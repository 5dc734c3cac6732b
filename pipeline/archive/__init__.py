"""Where results are kept. Today a folder: one sub-folder a call, written whole or not at all."""
