"""The component that runs any program in Python, of which there is one for all.

It holds CPython, this package, and the standard library. The host hands it a program when a process starts: modules,
compiled, and which process of theirs to run. What makes a program of a file is in here as well, so that no code of a
program's runs outside of a sandbox (`prepare`).

| Module | What is in it |
|---|---|
| `modules` | modules that are found in memory |
| `library` | the standard library, as such modules |
| `prepare` | the process that makes a program of a module |
| `program` | programs as they are handed over |
| `entry` | what runs first |
"""
