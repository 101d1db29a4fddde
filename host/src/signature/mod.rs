//! What a component says of itself.
