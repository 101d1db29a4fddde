//! Guest programs for the conformance suites: each file in the folders beside this one is
//! a process. `README.md` says which case each belongs to.
