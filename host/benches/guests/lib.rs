//! Guest programs for the table of peers: each of the other files is a component. See
//! `../README.md` for how they are built, and for the programs they are compared with.
