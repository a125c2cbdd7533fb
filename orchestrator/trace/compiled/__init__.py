"""The measures in machine code: equal bit for bit to the plain ones, which are what runs where there is little."""
