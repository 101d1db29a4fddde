//! Nothing: cargo wants a library beside examples.
