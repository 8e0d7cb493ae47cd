module tools.local/walk-and-hash

go 1.26.6
