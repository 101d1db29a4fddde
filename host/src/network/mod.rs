//! Networks: their description, validation and wiring.
