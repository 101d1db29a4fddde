//! Alternation.
