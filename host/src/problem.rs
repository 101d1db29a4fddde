//! Problems in what users wrote.
